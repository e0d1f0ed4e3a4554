"""Asking the engine, the weather API, Airflow and Spark's master."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
from docker.errors import DockerException

from pipeline.doctor.seen import AirflowSeen, ContainerSeen, DagSeen, SparkSeen, WeatherSeen
from pipeline.errors import ServiceError
from pipeline.infra.airflow import Airflow
from pipeline.infra.errors import InfraError
from pipeline.infra.layout import ENVIRONMENT_LABEL, JOB_LABEL, SERVICE_LABEL
from pipeline.infra.prepare import connect

if TYPE_CHECKING:
    from docker.models.containers import Container

    from pipeline.environment import Environment
    from pipeline.infra.airflow import Dag

__all__ = ["airflow", "containers", "spark", "weather"]

# A service that is up answers in milliseconds; on a machine under load, in seconds.
_TIMEOUT_SECONDS = 10.0
_STATUS = ["cat", "/tmp/galewatch/status.json"]  # noqa: S108 - beside a driver's heartbeat
_DRIVER = "driver-"
_LOG_LINES = 5


class ProbeError(ServiceError):
    """A service did not answer a probe."""


def containers(environment: Environment) -> tuple[ContainerSeen, ...]:
    """List the environment's services; raises InfraError where no engine runs, or nothing in it."""
    found = tuple(
        ContainerSeen(
            service=container.labels.get(SERVICE_LABEL, container.name),
            state=container.attrs["State"]["Status"],
            health=container.attrs["State"].get("Health", {}).get("Status", ""),
            exit_code=container.attrs["State"]["ExitCode"],
        )
        for container in _services(environment)
    )
    if not found:
        raise InfraError(f"nothing of the environment {environment.name} runs here: `make up` starts it")
    return found


def weather(environment: Environment) -> WeatherSeen:
    """Ask the weather API about itself."""
    url = environment.address("weather_api")
    health = _json(f"{url}/healthz")
    faults: dict[str, str] = {}
    # Where faults cannot be switched on, there is no such page.
    with suppress(ProbeError):
        listed = _json(f"{url}/faults")
        faults = {contract: fault["kind"] for contract, fault in listed.items() if fault}
    return WeatherSeen(str(health.get("origin", "unknown")), faults)


def airflow(environment: Environment) -> AirflowSeen:
    """Ask Airflow about its components and DAGs."""
    password = environment.secret("airflow_admin")
    url = environment.address("airflow")
    with Airflow(url, "admin", password, timeout_s=_TIMEOUT_SECONDS) as opened:
        return AirflowSeen(
            unhealthy=tuple(opened.unhealthy()),
            import_errors=tuple(opened.import_errors()),
            dags=tuple(_dag(opened, dag) for dag in opened.dags()),
        )


def _dag(opened: Airflow, dag: Dag) -> DagSeen:
    runs = opened.runs(dag.dag_id, limit=1)
    if not runs:
        return DagSeen(dag.dag_id, dag.is_paused, next_at=dag.next_at)
    return DagSeen(
        dag.dag_id,
        dag.is_paused,
        state=runs[0].state,
        ran_at=runs[0].queued_at,
        next_at=dag.next_at,
        trouble=opened.trouble(runs[0]),
    )


def spark(environment: Environment) -> SparkSeen:
    """Ask the master for its workers, and each driver's container for what troubles the driver."""
    told = _json(f"{environment.address('spark_master')}/json/")
    workers = sum(worker["state"] == "ALIVE" for worker in told["workers"])
    troubles: dict[str, str] = {}
    with suppress(InfraError):
        for container in _services(environment):
            name = container.labels.get(SERVICE_LABEL, "")
            if name.startswith(_DRIVER) and (trouble := _trouble(container)):
                troubles[name] = trouble
    return SparkSeen(workers, troubles)


def _services(environment: Environment) -> list[Container]:
    labels = {"label": f"{ENVIRONMENT_LABEL}={environment.name}"}
    try:
        found = connect().containers.list(all=True, filters=labels, ignore_removed=True)
    except DockerException as error:
        raise InfraError(f"the Docker engine does not answer: {error}") from None
    return [container for container in found if JOB_LABEL not in container.labels]


def _trouble(container: Container) -> str | None:
    """Read what a running driver says of itself; of one that has ended, the last error of its log."""
    with suppress(DockerException):
        if container.status == "running":
            done = container.exec_run(_STATUS)
            return _error_of(done.output.decode("utf-8", "replace")) if done.exit_code == 0 else None
        lines = container.logs(tail=_LOG_LINES).decode("utf-8", "replace").splitlines()
        said = [line.partition(" ERROR ")[2] for line in lines if " ERROR " in line]
        return said[-1].partition(": ")[2] or None if said else None
    return None


def _error_of(status: str) -> str | None:
    """Read the trouble out of a driver's status.json; None where it tells none."""
    try:
        error = json.loads(status)["error"]
    except (ValueError, KeyError, TypeError):
        return None
    return str(error) if error else None


def _json(url: str) -> Any:
    """Fetch JSON from the loopback address, past any proxy."""
    try:
        answer = httpx.get(url, timeout=timedelta(seconds=_TIMEOUT_SECONDS).total_seconds(), trust_env=False)
        answer.raise_for_status()
        return answer.json()
    except (httpx.HTTPError, ValueError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ProbeError(f"{url} does not answer: {reason}") from None
