"""A connection to Cassandra, shared by the reads and by the job that makes the tables."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cassandra import AuthenticationFailed, ConsistencyLevel, DriverException, RequestExecutionException
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable
from cassandra.policies import DCAwareRoundRobinPolicy, TokenAwarePolicy, WhiteListRoundRobinPolicy

from pipeline.errors import ServingError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.settings import CassandraSettings

__all__ = ["LoginRefusedError", "session"]

_CONNECT_TIMEOUT_SECONDS = 5
# Version 5 is what every supported Cassandra speaks; negotiating down from a newer one costs a round trip and
# a warning.
_PROTOCOL_VERSION = 5


class LoginRefusedError(ServingError):
    """Cassandra does not let this role in with this password."""


@contextmanager
def session(
    settings: CassandraSettings, *, keyspace: str | None = None, timeout_seconds: float = 10
) -> Iterator[Any]:
    """Open a session (of the untyped driver) and close it; raises ServingError naming address and role."""
    # Through a published port only the address that was given leads to a node; its peers' own addresses do
    # not.
    policy = (
        WhiteListRoundRobinPolicy([settings.host])
        if settings.host in {"127.0.0.1", "localhost", "::1"}
        else TokenAwarePolicy(DCAwareRoundRobinPolicy(local_dc=settings.datacenter))
    )
    profile = ExecutionProfile(
        load_balancing_policy=policy,
        consistency_level=ConsistencyLevel.LOCAL_ONE,
        request_timeout=timeout_seconds,
    )
    cluster = Cluster(
        [settings.host],
        port=settings.port,
        auth_provider=PlainTextAuthProvider(settings.user, settings.password.get_secret_value()),
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        protocol_version=_PROTOCOL_VERSION,
        connect_timeout=_CONNECT_TIMEOUT_SECONDS,
        control_connection_timeout=_CONNECT_TIMEOUT_SECONDS,
        executor_threads=1,
    )
    try:
        opened = cluster.connect(keyspace)
    except (DriverException, NoHostAvailable, OSError, RequestExecutionException) as error:
        cluster.shutdown()
        raise _translated(settings, error) from None
    try:
        yield opened
    finally:
        cluster.shutdown()


def _translated(settings: CassandraSettings, error: Exception) -> ServingError:
    where = f"Cassandra at {settings.host}:{settings.port}"
    causes = [error]
    if isinstance(error, NoHostAvailable) and isinstance(error.errors, dict):
        causes += error.errors.values()
    for cause in causes:
        if isinstance(cause, AuthenticationFailed):
            return LoginRefusedError(f"{where} refused the password of role '{settings.user}'")
    reason = " ".join(str(causes[-1]).split()) or type(causes[-1]).__name__
    return ServingError(f"{where} let role '{settings.user}' not in: {reason}")
