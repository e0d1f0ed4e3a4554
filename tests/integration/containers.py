"""The services that the integration tests talk to, each as a testcontainers context manager.

Use them with ``with``: a container that is only started stays when its test fails.
"""

import contextlib
import socket
import time
from collections.abc import Iterator, Mapping
from typing import Self

import docker
import psycopg2
from docker.models.containers import Container
from psycopg2 import sql
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.waiting_utils import WaitStrategy, WaitStrategyTarget

from pipeline.platform import load_platform
from tests.integration.environment import LOOPBACK, Environment
from tests.integration.images import image

__all__ = ["Cassandra", "Kafka", "Postgres", "Registry", "Service", "ZooKeeper"]

# Seconds on a machine with nothing else to do; this many on one that is a hundred times too busy.
_READY_SECONDS = 300

# The reaper's image comes from a registry; the context managers clean up without it.
testcontainers_config.ryuk_disabled = True


class _Healthy(WaitStrategy):
    """Ready is what the image's own health check says; an ended container is an error at once."""

    def wait_until_ready(self, container: WaitStrategyTarget) -> None:
        """Raise TimeoutError, with the log's end, where it does not become ready."""
        running = container.get_wrapped_container()
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            running.reload()
            if running.status == "exited":
                break
            with contextlib.suppress(docker.errors.APIError):
                if running.exec_run("/opt/galewatch/healthcheck").exit_code == 0:
                    return
            time.sleep(0.1)
        log = running.logs(tail=30).decode(errors="replace")
        raise TimeoutError(f"{running.name} ({running.status}) did not become ready:\n{log}")


class Service(DockerContainer):
    """One container of the project's image of ``service``, run as Terraform runs it.

    Attributes:
        host: Where its port is published.
        port: The published port; known before the start.
    """

    host = LOOPBACK

    def __init__(
        self,
        environment: Environment,
        service: str,
        container_port: int,
        *,
        env: Mapping[str, str] | None = None,
        volume: str | None = None,
    ) -> None:
        super().__init__(image(service), env=dict(env or {}))
        self.environment = environment
        self.service = service
        self.port = _free_port()
        # testcontainers' own way of publishing opens the port to the whole network.
        self.ports = {f"{container_port}/tcp": (LOOPBACK, self.port)}  # type: ignore[dict-item]
        self.with_volume_mapping(environment.secrets, "/run/galewatch/secrets", "ro")
        if volume is not None:
            self.with_volume_mapping(volume, "/var/lib/galewatch", "rw")
        self.with_kwargs(
            hostname=service,
            init=True,
            labels={**environment.labels, "io.galewatch.service": service},
            security_opt=["no-new-privileges:true"],
        )
        self.with_network(environment.network).with_network_aliases(service)
        self.waiting_for(_Healthy())

    def password(self, user: str) -> str:
        """Return the password of one of the service's users."""
        return self.environment.password(f"{self.service}_{user}")

    def wait_until_healthy(self) -> None:
        """Wait until the service answers, after it was restarted."""
        _Healthy().wait_until_ready(self)

    @property
    def container(self) -> Container:
        """The engine's container."""
        return self.get_wrapped_container()


class Postgres(Service):
    """PostgreSQL as its first start leaves it: the superuser ``postgres``, no other role or database."""

    def __init__(self, environment: Environment, *, volume: str | None = None) -> None:
        super().__init__(environment, "postgres", 5432, volume=volume)

    def password(self, user: str) -> str:
        """Return the password of a role, which the role need not have yet."""
        return self.environment.password("postgres_superuser" if user == "postgres" else f"postgres_{user}")

    @contextlib.contextmanager
    def connect(
        self, user: str = "postgres", database: str = "postgres", password: str | None = None
    ) -> Iterator["psycopg2.extensions.connection"]:
        """Connect with autocommit on."""
        connection = psycopg2.connect(
            host=self.host,
            port=self.port,
            user=user,
            password=self.password(user) if password is None else password,
            dbname=database,
            connect_timeout=10,
        )
        try:
            connection.autocommit = True
            yield connection
        finally:
            connection.close()

    def make_database(self, owner: str) -> None:
        """Make the role ``owner``, with its own password, and a database of that name, unless they exist."""
        name = sql.Identifier(owner)
        role = sql.SQL("CREATE ROLE {} LOGIN PASSWORD %s").format(name)
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (owner,))
            if cursor.fetchone() is None:
                cursor.execute(role, (self.password(owner),))
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (owner,))
            if cursor.fetchone() is None:
                cursor.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, name))


class ZooKeeper(Service):
    """ZooKeeper for one broker."""

    def __init__(self, environment: Environment, *, volume: str | None = None) -> None:
        super().__init__(environment, "zookeeper", 2181, volume=volume)


class Kafka(Service):
    """One broker; of its users only ``admin`` exists, and no topic."""

    def __init__(self, environment: Environment, *, volume: str | None = None) -> None:
        super().__init__(environment, "kafka", 19092, volume=volume)
        self.with_env("GALEWATCH_EXTERNAL_PORT", str(self.port))

    @property
    def bootstrap(self) -> str:
        """Return ``host:port``."""
        return f"{self.host}:{self.port}"

    def client_config(
        self, user: str = "admin", password: str | None = None
    ) -> dict[str, str | int | float | bool]:
        """Return what every client of confluent-kafka needs to log in as ``user``."""
        return {
            "bootstrap.servers": self.bootstrap,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": user,
            "sasl.password": self.password(user) if password is None else password,
        }


class Registry(Service):
    """The schema registry. Its database is made in ``postgres`` first."""

    def __init__(self, environment: Environment, postgres: Postgres) -> None:
        mode = load_platform().schema_registry.compatibility
        super().__init__(environment, "schema-registry", 8080, env={"GALEWATCH_COMPATIBILITY": mode})
        self._postgres = postgres

    def start(self) -> Self:
        """Make the database, then start."""
        self._postgres.make_database("registry")
        return super().start()

    def password(self, user: str) -> str:
        """Return the password of ``admin``, who writes, or ``client``, who reads."""
        return self.environment.password(f"registry_{user}")

    @property
    def url(self) -> str:
        """Return the address of the API that Confluent's clients speak."""
        return f"http://{self.host}:{self.port}/apis/ccompat/v7"


class Cassandra(Service):
    """One node as its first start leaves it: the built-in superuser ``cassandra``, no keyspace of ours."""

    def __init__(self, environment: Environment, *, volume: str | None = None) -> None:
        super().__init__(environment, "cassandra", 9042, volume=volume)

    def password(self, user: str) -> str:
        """Return the password of a role, which the role need not have yet."""
        return user if user == "cassandra" else self.environment.password(f"cassandra_{user}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
