"""A whole environment of its own: applied by Terraform beside any other, looked into, destroyed."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import tempfile
import time
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import docker
import psycopg2
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.policies import WhiteListRoundRobinPolicy
from cassandra.query import dict_factory

from pipeline.environment import Environment
from pipeline.history import History
from pipeline.infra.airflow import Airflow
from pipeline.infra.layout import ENVIRONMENT_LABEL, PROJECT_ROOT
from pipeline.infra.secrets import ensure_secrets
from pipeline.infra.terraform import Terraform
from pipeline.platform import load_platform
from tests.provisioning import terraform_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from docker.models.containers import Container
    from psycopg2.extensions import connection as Connection  # noqa: N812 - a class in spite of its name

    from pipeline.infra.terraform_report import Plan

__all__ = ["Stack", "free_offset", "until"]

T = TypeVar("T")

LOOPBACK = "127.0.0.1"
ROOT = PROJECT_ROOT / "infra" / "terraform"
# A cold start with all images built is about two minutes on two cores, and CI's may be busy.
APPLY_TIMEOUT_S = 2400


def until(what: str, probe: Callable[[], T], *, within_s: float, every_s: float = 1.0) -> T:
    """Ask again until the answer is true, and give it; past the deadline fail with the last answer."""
    end = time.monotonic() + within_s
    while True:
        answer = probe()
        if answer:
            return answer
        assert time.monotonic() < end, f"{what}: not within {within_s:.0f} s, last seen: {answer!r}"
        time.sleep(every_s)


class Stack:
    """One environment; entering applies it, leaving destroys it, also when a test or the apply has failed."""

    def __init__(self, **variables: Any) -> None:
        self.name = f"t{random.randbytes(3).hex()}"  # noqa: S311 - a name
        self.platform = load_platform()
        self._folder = Path(tempfile.mkdtemp(prefix=f"galewatch-{self.name}-"))
        self._offset = free_offset(list(self.platform.ports.model_dump().values()))
        self._variables = {
            "environment": self.name,
            "port_offset": self._offset,
            "secrets_dir": str(self._folder / "secrets"),
            "weather_source": "local",
            **variables,
        }
        self.engine = docker.from_env()
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        ensure_secrets(self._folder / "secrets")
        self._exits.callback(shutil.rmtree, self._folder)
        storage = self._terraform("storage", ROOT / "storage", environment=self.name)
        self.terraform = self._terraform("platform", ROOT, **self._variables)
        for terraform in (storage, self.terraform):
            terraform.init()
            self._exits.callback(terraform.destroy)
            try:
                terraform.apply()
            except BaseException:
                self._exits.close()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.destroy()

    def destroy(self) -> None:
        """Destroy the platform, then its volumes; a second call does nothing."""
        self._exits.close()

    @property
    def recording(self) -> Path:
        """Give the folder of the weather that the environment's weather API replays."""
        return Path(self._variables["replay_dir"])

    def plan(self) -> Plan:
        """Plan the platform again."""
        return self.terraform.plan(self._folder / "again.tfplan")

    def leftovers(self) -> list[str]:
        """Name every container, network and volume of the environment, by its label and by its name."""
        names = set()
        for filters in ({"label": f"{ENVIRONMENT_LABEL}={self.name}"}, {"name": f"galewatch-{self.name}"}):
            for kind in (self.engine.containers, self.engine.networks, self.engine.volumes):
                every = {"all": True} if kind is self.engine.containers else {}
                names |= {found.name for found in kind.list(**every, filters=filters)}
        return sorted(names)

    def password(self, name: str) -> str:
        """Give a secret of the environment."""
        return (self._folder / "secrets" / name).read_text(encoding="ascii")

    def port(self, service: str) -> int:
        """Give the published port of a service."""
        return int(self.platform.ports.model_dump()[service]) + self._offset

    def state_text(self) -> str:
        """Give Terraform's state, as it lies on disk."""
        return (self._folder / "platform.tfstate").read_text(encoding="utf-8")

    def secrets(self) -> dict[str, str]:
        """Give every secret by name."""
        return {path.name: path.read_text(encoding="ascii") for path in (self._folder / "secrets").iterdir()}

    def environment(self) -> Environment:
        """Give the environment as the commands see it."""
        return Environment(self.name, self._folder / "secrets", self._offset, self.platform)

    def airflow(self) -> Airflow:
        """Open Airflow's API as its administrator."""
        return Airflow(f"http://{LOOPBACK}:{self.port('airflow')}", "admin", self.password("airflow_admin"))

    def url(self, service: str) -> str:
        """Give the root of a service that speaks HTTP."""
        return f"http://{LOOPBACK}:{self.port(service)}"

    def history(self) -> History:
        """Open the history as its owner."""
        return History(self.environment().history("history"))

    @contextmanager
    def history_database(self, user: str) -> Iterator[Connection]:
        """Connect to the history's database, without any of the product's time limits."""
        connection = psycopg2.connect(
            host=LOOPBACK,
            port=self.port("postgres"),
            dbname="history",
            user=user,
            password=self.password(f"postgres_{user}"),
            connect_timeout=10,
        )
        with closing(connection):
            yield connection

    def select(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a query on the history's database as its reader."""
        with self.history_database("reader") as connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall()

    @contextmanager
    def cassandra(self) -> Iterator[Callable[[str], list[dict[str, Any]]]]:
        """Give a function that runs a CQL query as the reader, rows as dictionaries."""
        profile = ExecutionProfile(
            load_balancing_policy=WhiteListRoundRobinPolicy([LOOPBACK]),
            row_factory=dict_factory,
            request_timeout=20,
        )
        cluster = Cluster(
            [LOOPBACK],
            port=self.port("cassandra"),
            auth_provider=PlainTextAuthProvider("reader", self.password("cassandra_reader")),
            execution_profiles={EXEC_PROFILE_DEFAULT: profile},
            protocol_version=5,
        )
        try:
            session = cluster.connect(self.platform.cassandra.keyspace)
            yield lambda query: list(session.execute(query))
        finally:
            cluster.shutdown()

    def container(self, service: str) -> Container:
        """Give the container of a service."""
        return self.engine.containers.get(f"galewatch-{self.name}-{service}")

    @contextmanager
    def away(self, service: str, back_within_s: float = 240) -> Iterator[None]:
        """Stop a service while the block runs; afterwards it is there again, and healthy."""
        container = self.container(service)
        container.stop(timeout=20)
        try:
            yield
        finally:
            container.start()
            until(f"{service} is back", lambda: self.healthy(service), within_s=back_within_s)

    def healthy(self, service: str) -> bool:
        """Tell whether a service runs and its health check says so."""
        state = self.container(service).attrs["State"]
        return bool(state["Running"]) and state["Health"]["Status"] == "healthy"

    def kill(self, service: str) -> None:
        """End every process of a service but its init with SIGKILL, as the kernel does when memory runs out.

        Not by the engine's own kill: after that one it does not restart the container.
        """
        processes = self.container(service).top(ps_args="-eo pid,comm")["Processes"]
        for pid, command in processes:
            # Some end because another one was killed.
            if "init" not in command:
                with suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)

    def _terraform(self, name: str, root: Path, **variables: Any) -> Terraform:
        return Terraform(
            root,
            state=self._folder / f"{name}.tfstate",
            data_dir=self._folder / f"{name}-data",
            variables=variables,
            environment=terraform_environment(),
            timeout_s=APPLY_TIMEOUT_S,
        )


def free_offset(ports: list[int]) -> int:
    """Find an offset at which every port is free, below those that the kernel gives away by itself."""
    low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    highest = min(low, 32768) - max(ports) - 10
    for _ in range(50):
        offset = random.randrange(2000, highest)  # noqa: S311 - a port
        if all(_is_free(port + offset) for port in ports):
            return offset
    raise AssertionError("no free ports for an environment")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
