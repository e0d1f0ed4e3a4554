"""Job: Cassandra's admin in place of the built-in superuser, keyspace, tables, roles and their rights."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from cassandra.query import SimpleStatement

from pipeline._cassandra import FAILURES, LoginRefusedError, session
from pipeline.errors import JobError, ServingError
from pipeline.schemas import cassandra_statements
from pipeline.settings import CassandraSettings

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from pipeline.jobs.runtime import Job

__all__ = ["run"]

_BUILT_IN = "cassandra"
# Statements that change the schema wait for all nodes to agree.
_SCHEMA_TIMEOUT_SECONDS = 60


def run(job: Job) -> None:
    """Bring roles, keyspace, tables and rights into the declared state; tables and rows are never deleted."""
    admin = _admin_name(job)
    _ensure_admin(job, admin)
    with _session(job, admin, job.secrets[f"cassandra_{admin}"]) as opened:
        _disable_built_in(job, opened)
        _ensure_keyspace(job, opened)
        for role, facts in job.platform.cassandra.roles.items():
            if role != admin:
                _ensure_role(job, opened, role)
                _ensure_rights(job, opened, role, {"SELECT", "MODIFY"} if facts.modify else {"SELECT"})


def _admin_name(job: Job) -> str:
    admins = [name for name, role in job.platform.cassandra.roles.items() if role.superuser]
    if len(admins) != 1:
        raise JobError(
            f"platform.yaml: cassandra.roles must have one superuser, but has {len(admins)}: {admins}"
        )
    return admins[0]


def _session(job: Job, role: str, password: str) -> AbstractContextManager[Any]:
    settings = CassandraSettings(
        host=job.settings.cassandra_host,
        port=job.settings.cassandra_port,
        user=role,
        password=password,
        datacenter=job.platform.cassandra.datacenter,
    )
    return session(settings, timeout_seconds=_SCHEMA_TIMEOUT_SECONDS)


def _ensure_admin(job: Job, admin: str) -> None:
    """Make sure that the admin can log in: made by the built-in superuser, the only one on a new cluster."""
    password = job.secrets[f"cassandra_{admin}"]

    def attempt() -> bool:
        """Return whether the admin is there; a cluster just born lets nobody in for a moment."""
        try:
            with _session(job, admin, password):
                return True
        except LoginRefusedError:
            with _session(job, _BUILT_IN, _BUILT_IN) as opened:
                rights = f"SUPERUSER = true AND LOGIN = true AND PASSWORD = {_text(password)}"
                # It may be there with another password, from a run that was cut short. One statement:
                # Cassandra refuses to change a role's password twice in five seconds.
                opened.execute(f"{'ALTER' if _role(opened, admin) else 'CREATE'} ROLE {admin} WITH {rights}")
            return False

    try:
        was_there = job.wait_for("Cassandra", attempt, failing_with=ServingError)
    except JobError as error:
        if f"role '{_BUILT_IN}'" in str(error):
            raise JobError(
                f"Cassandra refuses role '{admin}', and the built-in superuser is disabled: the secret "
                f"cassandra_{admin} is not the one that this volume was made with"
            ) from None
        raise
    if not was_there:
        job.say(f"role {admin}: created as superuser")


def _disable_built_in(job: Job, opened: Any) -> None:
    row = _role(opened, _BUILT_IN)
    if row is None or not (row.can_login or row.is_superuser):
        return
    # A new password as well: should somebody let it log in again, then not with the one that everybody knows.
    _set_password(
        job,
        opened,
        f"ALTER ROLE {_BUILT_IN} WITH SUPERUSER = false AND LOGIN = false "
        f"AND PASSWORD = {_text(secrets.token_urlsafe(32))}",
    )
    job.say(f"role {_BUILT_IN}: disabled")


def _ensure_keyspace(job: Job, opened: Any) -> None:
    facts = job.platform.cassandra
    wanted = {facts.datacenter: str(job.settings.replication)}
    # Roles are rows as well: with one copy, the loss of one node would lock everybody out.
    for name in (facts.keyspace, "system_auth"):
        row = opened.execute(
            "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = %s", (name,)
        ).one()
        current = dict(row.replication) if row else {}
        strategy = current.pop("class", "").rpartition(".")[2]
        if row and (strategy, current) == ("NetworkTopologyStrategy", wanted):
            continue
        replication = (
            f"{{'class': 'NetworkTopologyStrategy', '{facts.datacenter}': {job.settings.replication}}}"
        )
        opened.execute(f"{'ALTER' if row else 'CREATE'} KEYSPACE {name} WITH replication = {replication}")
        job.say(
            f"keyspace {name}: {'changed to' if row else 'created with'} {job.settings.replication} replicas"
        )
    before = _columns(opened, facts.keyspace)
    opened.set_keyspace(facts.keyspace)
    for statement in cassandra_statements():
        opened.execute(SimpleStatement(statement))
    for table, columns in sorted(_columns(opened, facts.keyspace).items()):
        if table not in before:
            job.say(f"table {table}: created")
        elif added := columns - before[table]:
            job.say(f"table {table}: given {', '.join(sorted(added))}")


def _columns(opened: Any, keyspace: str) -> dict[str, set[str]]:
    """Give the columns of each table that is there."""
    rows = opened.execute(
        "SELECT table_name, column_name FROM system_schema.columns WHERE keyspace_name = %s", (keyspace,)
    )
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row.table_name, set()).add(row.column_name)
    return found


def _ensure_role(job: Job, opened: Any, role: str) -> None:
    password = job.secrets[f"cassandra_{role}"]
    row = _role(opened, role)
    if row is not None and row.can_login and _may_log_in(job, role, password):
        return
    _set_password(
        job,
        opened,
        f"{'CREATE' if row is None else 'ALTER'} ROLE {role} WITH SUPERUSER = false AND LOGIN = true "
        f"AND PASSWORD = {_text(password)}",
    )

    def log_in() -> None:
        with _session(job, role, password):
            pass

    # The old password may be cached for two seconds: who depends on this job can log in at once.
    job.wait_for("Cassandra's new role", log_in, failing_with=LoginRefusedError)
    job.say(f"role {role}: {'created' if row is None else 'password set anew'}")


def _set_password(job: Job, opened: Any, statement: str) -> None:
    """Run a statement that sets a role's password, which Cassandra refuses for 5 s after the last time."""
    job.wait_for("Cassandra", lambda: opened.execute(statement), failing_with=FAILURES)


def _role(opened: Any, role: str) -> Any:
    """Return what a role may, None if there is none."""
    return opened.execute(
        "SELECT can_login, is_superuser FROM system_auth.roles WHERE role = %s", (role,)
    ).one()


def _may_log_in(job: Job, role: str, password: str) -> bool:
    try:
        with _session(job, role, password):
            return True
    except LoginRefusedError:
        return False


def _ensure_rights(job: Job, opened: Any, role: str, wanted: set[str]) -> None:
    """Give a role its rights on the keyspace and take away every other right on anything."""
    keyspace = job.platform.cassandra.keyspace
    resource = f"data/{keyspace}"
    rows = opened.execute(
        "SELECT resource, permissions FROM system_auth.role_permissions WHERE role = %s", (role,)
    )
    there = {(row.resource, permission) for row in rows for permission in row.permissions}
    for permission in sorted(wanted):
        if (resource, permission) not in there:
            opened.execute(f"GRANT {permission} ON KEYSPACE {keyspace} TO {role}")
            job.say(f"role {role}: may {permission} in keyspace {keyspace}")
    for permission in sorted(p for where, p in there if where == resource and p not in wanted):
        opened.execute(f"REVOKE {permission} ON KEYSPACE {keyspace} FROM {role}")
        job.say(f"role {role}: may no longer {permission} in keyspace {keyspace}")


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
