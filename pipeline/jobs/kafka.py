"""Job: Kafka's users, rights and topics, exactly those of platform.yaml."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

from pipeline.errors import JobError
from pipeline.jobs.kafka_acls import describe, wanted_acls
from pipeline.jobs.kafka_topics import ensure_topics
from pipeline.publisher import kafka_config
from pipeline.settings import KafkaSettings

if TYPE_CHECKING:
    from confluent_kafka import KafkaError

    from pipeline.jobs.runtime import Job

__all__ = ["run"]

_ADMIN = "admin"
_REQUEST_SECONDS = 15
_LOGIN_SECONDS = 5
# Kafka's least. A guess against the stored verifier costs this many hashes; the passwords are 32 random
# characters.
_SCRAM_ITERATIONS = 4096


def run(job: Job) -> None:
    """Bring users, rights and topics into the declared state; topics are never deleted."""
    kafka = job.platform.kafka
    admin = _enter(job)
    try:
        _ensure_users(job, admin, sorted(kafka.users))
        _ensure_acls(job, admin)
        ensure_topics(job, admin, kafka.topics)
    except KafkaException as error:
        raise JobError(f"Kafka refused: {error.args[0].str()}") from None


def _settings(job: Job, user: str) -> KafkaSettings:
    return KafkaSettings(
        bootstrap=job.settings.kafka_bootstrap, user=user, password=job.secrets[f"kafka_{user}"]
    )


class _LoginError(Exception):
    """The broker did not let a user in; `refused` tells a wrong password from a broker that is away."""

    def __init__(self, message: str, *, refused: bool) -> None:
        super().__init__(message)
        self.refused = refused


def _log_in(settings: KafkaSettings) -> AdminClient:
    """Make a client and prove that the broker lets it in."""
    troubles: list[KafkaError] = []
    options: dict[str, Any] = {**kafka_config(settings), "error_cb": troubles.append, "log_level": 0}
    client = AdminClient(options)
    try:
        client.list_topics(timeout=_LOGIN_SECONDS)
    except KafkaException as error:
        # Only now, and only when asked, does librdkafka tell what kept it out.
        client.poll(0.5)
        refused = any(trouble.name() == "_AUTHENTICATION" for trouble in troubles)
        reason = "the password is refused" if refused else (troubles or error.args)[-1].str()
        raise _LoginError(
            f"user '{settings.user}' at {settings.bootstrap}: {reason}", refused=refused
        ) from None
    return client


def _enter(job: Job) -> AdminClient:
    """Log in as admin, waiting for a broker that starts but not for a password that is wrong."""
    settings = _settings(job, _ADMIN)

    def attempt() -> AdminClient:
        try:
            return _log_in(settings)
        except _LoginError as error:
            if error.refused:
                raise JobError(
                    f"Kafka: {error}; the secret kafka_admin is not the one that this cluster was made with"
                ) from None
            raise

    return job.wait_for("Kafka", attempt, failing_with=_LoginError)


def _ensure_users(job: Job, admin: AdminClient, users: list[str]) -> None:
    """Make the users, set passwords that changed, take away the users that are not declared (any more)."""
    there = set(_result(admin.describe_user_scram_credentials(request_timeout=_REQUEST_SECONDS)))
    passwords = {user: _settings(job, user) for user in users}
    changed = [user for user in users if user not in there or not _may_log_in(passwords[user])]
    alterations: list[Any] = [
        UserScramCredentialUpsertion(
            user,
            ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _SCRAM_ITERATIONS),
            passwords[user].password.get_secret_value().encode(),
        )
        for user in changed
    ]
    undeclared = sorted(there - set(users) - {_ADMIN})
    alterations += [UserScramCredentialDeletion(user, ScramMechanism.SCRAM_SHA_512) for user in undeclared]
    if not alterations:
        return
    for done in admin.alter_user_scram_credentials(alterations, request_timeout=_REQUEST_SECONDS).values():
        _result(done)
    # The brokers hear of it from ZooKeeper some milliseconds later: who depends on this job can log in at
    # once.
    for user in changed:
        job.wait_for("Kafka's new user", partial(_log_in, passwords[user]), failing_with=_LoginError)
        job.say(f"user {user}: {'password set anew' if user in there else 'created'}")
    for user in undeclared:
        job.say(f"user {user}: removed, platform.yaml does not name it")


def _may_log_in(settings: KafkaSettings) -> bool:
    try:
        _log_in(settings)
    except _LoginError as error:
        if error.refused:
            return False
        raise JobError(f"Kafka: {error}") from None
    return True


def _ensure_acls(job: Job, admin: AdminClient) -> None:
    wanted = wanted_acls(job.platform.kafka.users)
    any_name: Any = None  # what the filter means by it, though its annotation says str
    anything = AclBindingFilter(
        ResourceType.ANY,
        any_name,
        ResourcePatternType.ANY,
        any_name,
        any_name,
        AclOperation.ANY,
        AclPermissionType.ANY,
    )
    there = set(_result(admin.describe_acls(anything, request_timeout=_REQUEST_SECONDS)))
    if missing := sorted(wanted - there):
        for done in admin.create_acls(missing, request_timeout=_REQUEST_SECONDS).values():
            _result(done)
    if surplus := sorted(there - wanted):
        exact = [
            AclBindingFilter(
                acl.restype,
                acl.name,
                acl.resource_pattern_type,
                acl.principal,
                acl.host,
                acl.operation,
                acl.permission_type,
            )
            for acl in surplus
        ]
        for done in admin.delete_acls(exact, request_timeout=_REQUEST_SECONDS).values():
            _result(done)
    for acl in missing:
        job.say(f"right granted: {describe(acl)}")
    for acl in surplus:
        job.say(f"right taken away: {describe(acl)}")


def _result(future: Any) -> Any:
    return future.result(timeout=_REQUEST_SECONDS + 5)
