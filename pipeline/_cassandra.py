"""A connection to Cassandra, shared by the reads and by the job that makes the tables."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cassandra import (
    AuthenticationFailed,
    ConsistencyLevel,
    DriverException,
    RequestExecutionException,
    UnresolvableContactPoints,
)
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable
from cassandra.policies import DCAwareRoundRobinPolicy, TokenAwarePolicy, WhiteListRoundRobinPolicy

from pipeline.errors import ServingError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.settings import CassandraSettings

__all__ = ["FAILURES", "LoginRefusedError", "session"]

# The driver warns of every node that it cannot reach; who calls gets the error itself.
logging.getLogger("cassandra").addHandler(logging.NullHandler())

_CONNECT_TIMEOUT_SECONDS = 5
# Version 5 is what every supported Cassandra speaks; negotiating down from a newer one costs a round trip and
# a warning.
_PROTOCOL_VERSION = 5


FAILURES = (DriverException, NoHostAvailable, OSError, RequestExecutionException)
"""What the driver raises when Cassandra, or the way to it, says no."""


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
    where = f"Cassandra at {settings.host}:{settings.port}"
    cluster = None
    try:
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
        opened = cluster.connect(keyspace)
    except FAILURES as error:
        if cluster is not None:
            cluster.shutdown()
        raise _kept_out(where, settings.user, error) from None
    try:
        yield opened
    except FAILURES as error:
        raise ServingError(f"{where} refused: {_reason(error)}") from error
    finally:
        cluster.shutdown()


def _kept_out(where: str, role: str, error: Exception) -> ServingError:
    if isinstance(error, UnresolvableContactPoints):
        return ServingError(f"{where} cannot be found: its name does not resolve")
    if any(isinstance(cause, AuthenticationFailed) for cause in _causes(error)):
        return LoginRefusedError(f"{where} refused the password of role '{role}'")
    return ServingError(f"{where} let role '{role}' not in: {_reason(error)}")


def _causes(error: Exception) -> list[Exception]:
    """Give an error and, where the driver tried several nodes, what each of them said."""
    tried = getattr(error, "errors", None)
    return [error, *tried.values()] if isinstance(tried, dict) else [error]


def _reason(error: Exception) -> str:
    cause = _causes(error)[-1]
    return " ".join(str(cause).split()) or type(cause).__name__
