"""What is measured: a running environment, and its drivers, which are killed, stopped and started."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from docker.errors import APIError

from benchmarks.errors import BenchError
from pipeline.infra.layout import ENVIRONMENT_LABEL, SERVICE_LABEL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import docker
    from docker.models.containers import Container

    from pipeline.environment import Environment

__all__ = ["Target", "kill"]

_POLL_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Target:
    """A running environment, the folder for what is found, and whom to tell how far the bench is."""

    environment: Environment
    engine: docker.DockerClient
    results: Path
    say: Callable[[str], None]

    @property
    def keyspace(self) -> str:
        """The product's keyspace."""
        return self.environment.platform.cassandra.keyspace

    def drivers(self, prefix: str = "driver-") -> list[Container]:
        """Give the containers of the drivers, in the order of their names; raises BenchError for none."""
        mine = {"label": f"{ENVIRONMENT_LABEL}={self.environment.name}"}
        found = [
            container
            for container in self.engine.containers.list(all=True, filters=mine)
            if container.labels.get(SERVICE_LABEL, "").startswith(prefix)
        ]
        if not found:
            raise BenchError(
                f"the environment {self.environment.name} has no {prefix}… here: `make up` brings it up"
            )
        return sorted(found, key=lambda container: str(container.labels[SERVICE_LABEL]))

    def settings(self) -> dict[str, dict[str, str]]:
        """Give what each driver was told to do: copies, trigger and the like, by its variables."""
        return {
            driver.name: dict(
                line.split("=", 1)
                for line in driver.attrs["Config"]["Env"]
                if line.startswith("GALEWATCH_DRIVER_")
            )
            for driver in self.drivers()
        }

    def require_well(self) -> None:
        """Raise BenchError unless every driver is healthy: a bench of half an environment says nothing."""
        for driver in self.drivers():
            state = driver.attrs["State"]
            health = state.get("Health", {}).get("Status", state["Status"])
            if health != "healthy":
                raise BenchError(f"{driver.name} is {health}: `make status` tells more, `make up` mends it")

    def until_well(self, within_s: float) -> None:
        """Wait until every driver is healthy; raises BenchError where one is not in time."""
        end = time.monotonic() + within_s
        while True:
            try:
                return self.require_well()
            except BenchError:
                if time.monotonic() > end:
                    raise
            time.sleep(_POLL_S)


def kill(driver: Container) -> None:
    """End every process of a driver but its init with SIGKILL; the engine then starts it again.

    After the engine's own kill it would not.
    """
    try:
        driver.exec_run(["bash", "-c", "kill -KILL -1"])
    except APIError as error:
        # The container may be gone before its exec has answered, which is what was wanted.
        restarts = driver.attrs["RestartCount"]
        driver.reload()
        if driver.attrs["State"]["Running"] and driver.attrs["RestartCount"] == restarts:
            raise BenchError(f"{driver.name} could not be killed: {error.explanation}") from error
