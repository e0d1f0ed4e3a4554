"""Job: PostgreSQL's roles and databases, each database with an owner, as platform.yaml says."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import encrypt_password

from pipeline.errors import HistoryError, JobError
from pipeline.history import connect
from pipeline.settings import HistorySettings

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection  # noqa: N812 - a class in spite of its name

    from pipeline.jobs.runtime import Job

__all__ = ["run"]

_SUPERUSER = "postgres"
_WRONG_PASSWORD = "password authentication failed"  # noqa: S105 - the server's words


def run(job: Job) -> None:
    """Make roles and databases; a password that changed is set, nothing is ever dropped."""
    databases = job.platform.postgres.databases
    with closing(_enter(job)) as server:
        for role in sorted({name for db in databases.values() for name in (db.owner, *db.readers)}):
            _ensure_role(job, server, role)
        for name, database in databases.items():
            _ensure_database(job, server, name, database.owner, database.readers)


def _settings(job: Job, user: str, database: str = "postgres") -> HistorySettings:
    secret = "postgres_superuser" if user == _SUPERUSER else f"postgres_{user}"
    return HistorySettings(
        host=job.settings.history_host,
        port=job.settings.history_port,
        database=database,
        user=user,
        password=job.secrets[secret],
    )


def _enter(job: Job) -> Connection:
    """Connect as superuser, waiting for a server that starts but not for a password that is wrong."""
    settings = _settings(job, _SUPERUSER)

    def attempt() -> Connection:
        try:
            return connect(settings)
        except HistoryError as error:
            if _WRONG_PASSWORD in str(error):
                raise JobError(
                    f"{error}; the secret postgres_superuser is not the one that this volume was made with"
                ) from None
            raise

    server = job.wait_for("PostgreSQL", attempt, failing_with=HistoryError)
    server.autocommit = True
    return server


def _ensure_role(job: Job, server: Connection, role: str) -> None:
    settings = _settings(job, role)
    password = settings.password.get_secret_value()
    exists = _ask(server, "SELECT 1 FROM pg_roles WHERE rolname = %s", role)
    if exists and _may_log_in(settings):
        return
    # The server's log never sees the password itself, only the verifier that it would store anyway.
    verifier = encrypt_password(password, role, scope=server, algorithm="scram-sha-256")
    statement = "ALTER" if exists else "CREATE"
    _do(
        server,
        sql.SQL(
            f"{statement} ROLE {{}} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD {{}}"
        ).format(sql.Identifier(role), sql.Literal(verifier)),
    )
    job.say(f"role {role}: {'password set anew' if exists else 'created'}")


def _may_log_in(settings: HistorySettings) -> bool:
    try:
        connect(settings).close()
    except HistoryError as error:
        if _WRONG_PASSWORD in str(error) or "not permitted to log in" in str(error):
            return False
        raise
    return True


def _ensure_database(job: Job, server: Connection, name: str, owner: str, readers: tuple[str, ...]) -> None:
    database, role = sql.Identifier(name), sql.Identifier(owner)
    current = _ask(server, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s", name)
    if current is None:
        _do(server, sql.SQL("CREATE DATABASE {} OWNER {}").format(database, role))
        job.say(f"database {name}: created for {owner}")
    elif current != owner:
        _do(server, sql.SQL("ALTER DATABASE {} OWNER TO {}").format(database, role))
        job.say(f"database {name}: given to {owner}")
    # Only the owner and the readers may even connect; what readers may select, the owner of the tables
    # grants.
    _do(server, sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    for reader in readers:
        _do(server, sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, sql.Identifier(reader)))


def _ask(server: Connection, question: str, *values: str) -> Any:
    with server.cursor() as cursor:
        cursor.execute(question, values)
        row = cursor.fetchone()
    return row[0] if row else None


def _do(server: Connection, statement: sql.Composable) -> None:
    try:
        with server.cursor() as cursor:
            cursor.execute(statement)
    except psycopg2.Error as error:
        raise JobError(f"PostgreSQL refused: {str(error).strip().splitlines()[0]}") from None
