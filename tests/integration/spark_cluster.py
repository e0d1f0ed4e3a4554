"""A standalone Spark cluster with both drivers, on the services of a stack, as Terraform runs them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.integration.containers import Service

if TYPE_CHECKING:
    from types import TracebackType

    from tests.integration.environment import Environment

__all__ = ["DRIVERS", "SparkCluster", "SparkContainer"]

CONFIG = Path(__file__).parents[2] / "config"
DRIVERS = {"driver-alerts-0": "alerts", "driver-tables": "tables"}
SERVICES = {
    "GALEWATCH_KAFKA_BOOTSTRAP": "kafka:9092",
    "GALEWATCH_REGISTRY_URL": "http://schema-registry:8080/apis/ccompat/v7",
    "GALEWATCH_CASSANDRA_HOST": "cassandra",
}


class SparkContainer(Service):
    """One container in the role that its command names; the engine starts it again when it fails."""

    def __init__(self, environment: Environment, name: str, ui_port: int, *command: str) -> None:
        super().__init__(environment, "spark", ui_port, env=SERVICES)
        self.with_command(list(command))
        self.with_network_aliases(name)
        self.with_volume_mapping(CONFIG, "/etc/galewatch", "ro")
        if command != ("master",):
            checkpoints = environment.volume("checkpoints")
            self.with_volume_mapping(checkpoints, "/var/lib/galewatch/checkpoints", "rw")
        self.with_kwargs(
            hostname=name,
            init=True,
            labels={**environment.labels, "io.galewatch.service": name},
            restart_policy={"Name": "unless-stopped"},
            security_opt=["no-new-privileges:true"],
        )

    @property
    def restarts(self) -> int:
        """How often the engine has started it again."""
        self.container.reload()
        return int(self.container.attrs["RestartCount"])

    def kill(self, process: str) -> None:
        """SIGKILL the processes whose command line has `process` in it."""
        assert self.container.exec_run(["pkill", "-KILL", "-f", process]).exit_code == 0

    def log(self) -> str:
        """What it has said so far."""
        return str(self.container.logs().decode(errors="replace"))


class SparkCluster:
    """Master, one worker and both drivers by name; leaving it removes them."""

    def __init__(self, environment: Environment) -> None:
        environment.set_password("spark_auth", "0123456789abcdef0123456789abcdef")
        self.master = SparkContainer(environment, "spark-master", 8080, "master")
        self.worker = SparkContainer(environment, "spark-worker-0", 8081, "worker")
        self.drivers = {
            name: SparkContainer(environment, name, 4040, "driver", driver)
            for name, driver in DRIVERS.items()
        }
        self._running = ExitStack()

    def __enter__(self) -> Self:
        """Start all, the drivers beside the worker whose slots they wait for."""
        with ExitStack() as running:
            containers = [self.master, self.worker, *self.drivers.values()]
            for container in containers:
                running.callback(container.stop)
            self.master.start()
            with ThreadPoolExecutor(len(containers)) as pool:
                for started in [pool.submit(container.start) for container in containers[1:]]:
                    started.result()
            self._running = running.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove all."""
        self._running.close()
