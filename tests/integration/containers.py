"""The services that the integration tests talk to, each as a testcontainers context manager.

An `Environment` is what they share: a network, the secrets, and a name that labels everything, so that whatever a killed
test run leaves behind can be found. Use everything with ``with``: a container that is only started stays when its test
fails.
"""

import contextlib
import secrets
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import docker
import psycopg2
from docker.models.containers import Container
from psycopg2 import sql
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.waiting_utils import WaitStrategy, WaitStrategyTarget

from tests.integration.images import image

__all__ = ["Cassandra", "Environment", "Kafka", "Postgres", "Registry", "Service", "ZooKeeper"]

# The reaper's image comes from a registry; the context managers clean up without it.
testcontainers_config.ryuk_disabled = True

LOOPBACK = "127.0.0.1"
LABEL = "io.galewatch.environment"
SECRETS = (
    "cassandra_admin",
    "cassandra_reader",
    "cassandra_spark",
    "kafka_admin",
    "kafka_alerts",
    "kafka_publisher",
    "kafka_reader",
    "kafka_tables",
    "postgres_airflow",
    "postgres_history",
    "postgres_reader",
    "postgres_registry",
    "postgres_superuser",
    "registry_admin",
    "registry_client",
    "zookeeper_kafka",
)


class Environment:
    """A network and secrets of their own; leaving it removes them and its volumes."""

    def __init__(self) -> None:
        self.name = f"t{secrets.token_hex(3)}"
        self.labels = {LABEL: self.name}
        self._engine = docker.from_env()
        self._folder = Path(tempfile.mkdtemp(prefix=f"galewatch-{self.name}-"))
        self.secrets = self._folder / "secrets"

    def __enter__(self) -> Self:
        """Make the network and the secrets."""
        # Readable for the containers' user; the folder above it is not, for anybody else here.
        self.secrets.mkdir(mode=0o755)
        for name in SECRETS:
            self.set_password(name, secrets.token_hex(16))
        self.network = self._engine.networks.create(f"galewatch-{self.name}", labels=self.labels)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove everything that carries the name."""
        try:
            self.network.remove()
            for volume in self._engine.volumes.list(filters={"label": f"{LABEL}={self.name}"}):
                volume.remove()
        finally:
            self._engine.close()
            shutil.rmtree(self._folder)

    def password(self, secret: str) -> str:
        """Return a secret by its name, such as ``kafka_admin``."""
        return (self.secrets / secret).read_text(encoding="utf-8")

    def set_password(self, secret: str, value: str) -> None:
        """Write a secret; a running container sees it at its next start."""
        path = self.secrets / secret
        path.write_text(value, encoding="utf-8")
        path.chmod(0o444)

    def volume(self, service: str) -> str:
        """Make a named volume, which outlives its containers but not the environment."""
        return str(self._engine.volumes.create(f"galewatch-{self.name}-{service}", labels=self.labels).name)


class _Healthy(WaitStrategy):
    """Ready is what the image's own health check says; an ended container is an error at once."""

    def wait_until_ready(self, container: WaitStrategyTarget) -> None:
        """Raise TimeoutError, with the log's end, where it does not become ready."""
        running = container.get_wrapped_container()
        deadline = time.monotonic() + 120
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
    """PostgreSQL as its first start leaves it: the superuser ``postgres``, no other role, no other database."""

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
        """Make the role ``owner``, with its own password, and a database of the same name, where they are not there."""
        name = sql.Identifier(owner)
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (owner,))
            if cursor.fetchone() is None:
                cursor.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD %s").format(name), (self.password(owner),))
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

    def client_config(self, user: str = "admin", password: str | None = None) -> dict[str, str | int | float | bool]:
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
        super().__init__(environment, "schema-registry", 8080)
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
