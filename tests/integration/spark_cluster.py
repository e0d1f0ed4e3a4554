"""A standalone Spark cluster with its drivers, on the services of a stack, as Terraform runs them."""

from __future__ import annotations

import re
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

import docker
import httpx

from pipeline.streaming.failpoints import FAILPOINTS
from tests.integration.containers import Service
from tests.integration.images import image
from tests.integration.side_by_side import side_by_side
from tests.measuring.kit import attach, let_it_write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from tests.integration.environment import Environment

__all__ = ["ALERTS_COPIES", "CHECKPOINTS", "SERVICES", "SparkCluster", "SparkContainer", "config_folder"]

CONFIG = Path(__file__).parents[2] / "config"
CHECKPOINTS = "/var/lib/galewatch/checkpoints"
ALERTS_COPIES = 2
WORKERS = 2
# Short batches, so that every test of some length sees one end.
BATCH_SECONDS = 30
SERVICES = {
    "GALEWATCH_KAFKA_BOOTSTRAP": "kafka:9092",
    "GALEWATCH_REGISTRY_URL": "http://schema-registry:8080/apis/ccompat/v7",
    "GALEWATCH_CASSANDRA_HOST": "cassandra",
}


class SparkContainer(Service):
    """One container in the role that its command names; the engine starts it again when it fails."""

    def __init__(
        self,
        environment: Environment,
        name: str,
        ui_port: int,
        *command: str,
        env: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(environment, "spark", ui_port, env={**SERVICES, **(env or {})})
        self.name = name
        self.with_command(list(command))
        self.with_network_aliases(name)
        self.with_volume_mapping(config_folder(environment), "/etc/galewatch", "ro")
        if command != ("master",):
            checkpoints = environment.volume("checkpoints")
            self.with_volume_mapping(checkpoints, CHECKPOINTS, "rw")
        self.with_kwargs(
            hostname=name,
            init=True,
            labels={**environment.labels, "io.galewatch.service": name},
            restart_policy={"Name": "unless-stopped"},
            security_opt=["no-new-privileges:true"],
        )
        attach(self)

    def stop(self, force: bool = True, delete_volume: bool = True) -> None:  # noqa: FBT001, FBT002 - testcontainers' own
        """Remove it."""
        let_it_write(self)
        super().stop(force, delete_volume)

    @property
    def restarts(self) -> int:
        """How often the engine has started it again."""
        self.container.reload()
        return int(self.container.attrs["RestartCount"])

    def kill(self, process: str) -> None:
        """SIGKILL the processes whose command line has `process` in it."""
        assert self.container.exec_run(["pkill", "-KILL", "-f", process]).exit_code == 0

    def log(self, since: float | None = None) -> str:
        """What it has said so far, or since a time in seconds since 1970."""
        return str(self.container.logs(since=since).decode(errors="replace"))


class SparkCluster:
    """Master, workers and all drivers by name; leaving it removes them.

    With `failpoints` each driver knows all of its queries', spent: none fires before its file is removed.
    """

    def __init__(
        self,
        environment: Environment,
        *,
        trigger: str = "realtime",
        copies: int = ALERTS_COPIES,
        workers: int = WORKERS,
        failpoints: bool = False,
    ) -> None:
        environment.set_password("spark_auth", "0123456789abcdef0123456789abcdef")
        self.environment = environment
        self._failpoints = failpoints
        self.master = SparkContainer(environment, "spark-master", 8080, "master")
        self.workers = [
            SparkContainer(environment, f"spark-worker-{number}", 8081, "worker") for number in range(workers)
        ]
        self.drivers = {
            f"driver-alerts-{copy}": self.alerts_driver(copy, copies, trigger) for copy in range(copies)
        } | {"driver-tables": self._tables_driver()}
        self._running = ExitStack()

    def alerts_driver(self, copy: int, copies: int, trigger: str) -> SparkContainer:
        """Make, but not start, one copy of the alerts driver."""
        env = {
            "GALEWATCH_DRIVER_INDEX": str(copy),
            "GALEWATCH_DRIVER_COPIES": str(copies),
            "GALEWATCH_DRIVER_TRIGGER": trigger,
        }
        if trigger == "realtime":
            env |= self._known("alerts")
        return SparkContainer(self.environment, f"driver-alerts-{copy}", 4040, "driver", "alerts", env=env)

    def _tables_driver(self) -> SparkContainer:
        env = self._known("readings", "averages")
        return SparkContainer(self.environment, "driver-tables", 4040, "driver", "tables", env=env)

    def _known(self, *queries: str) -> dict[str, str]:
        points = [point for point in FAILPOINTS if self._failpoints and point.startswith(queries)]
        return {"GALEWATCH_DRIVER_FAILPOINTS": ",".join(points)} if points else {}

    def _spend_failpoints(self) -> None:
        files = [
            f"{CHECKPOINTS}/{query}-{copy}.{point}"
            for query, point in (failpoint.split(":") for failpoint in FAILPOINTS)
            for copy in range(len(self.drivers))
        ]
        engine = docker.from_env()
        try:
            engine.containers.run(
                image("spark"),
                entrypoint=["touch", *files],
                labels=self.environment.labels,
                remove=True,
                volumes={self.environment.volume("checkpoints"): {"bind": CHECKPOINTS, "mode": "rw"}},
            )
        finally:
            engine.close()

    def __enter__(self) -> Self:
        """Start all, the drivers beside the workers whose slots they wait for."""
        if self._failpoints:
            self._spend_failpoints()
        with ExitStack() as running:
            containers = [self.master, *self.workers, *self.drivers.values()]
            for container in containers:
                running.callback(container.stop)
            self.master.start()
            side_by_side(*(container.start for container in containers[1:]))
            self._running = running.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove all."""
        self._running.close()

    def executors(self) -> dict[str, str]:
        """Give the worker of each driver's executor, by the application's name, as the workers tell it."""
        found: dict[str, str] = {}
        for worker in self.workers:
            try:
                page = httpx.get(f"http://{worker.host}:{worker.port}/json/", timeout=20).json()
            except httpx.TransportError:  # it is stopped
                continue
            found |= {executor["appid"]: worker.name for executor in page["executors"]}
        page = httpx.get(f"http://{self.master.host}:{self.master.port}/json/", timeout=20).json()
        return {app["name"]: found[app["id"]] for app in page["activeapps"] if app["id"] in found}


def config_folder(environment: Environment) -> Path:
    """Copy the configuration, with short batches, to where the environment's other files are."""
    folder = environment.secrets.parent / "config"
    if not folder.exists():
        shutil.copytree(CONFIG, folder)
        platform = folder / "platform.yaml"
        text, changed = re.subn(
            r"real_time_batch_seconds: \d+",
            f"real_time_batch_seconds: {BATCH_SECONDS}",
            platform.read_text(encoding="utf-8"),
        )
        assert changed == 1
        platform.write_text(text, encoding="utf-8")
        folder.chmod(0o755)
    return folder
