"""What runs, how it is, and how much memory it really takes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from rich.table import Table

from pipeline.infra import memory
from pipeline.infra.layout import ENVIRONMENT_LABEL, JOB_LABEL, SERVICE_LABEL, Layout
from pipeline.infra.prepare import connect

if TYPE_CHECKING:
    from docker.models.containers import Container

__all__ = ["Report", "Service", "report", "table"]

# Asking for a container's processes is a call to the engine that waits more than it works.
_QUESTIONS_AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True)
class Service:
    """One container; `memory_mib` is the PSS of its processes, None while it does not run."""

    name: str
    is_job: bool
    state: str
    health: str
    exit_code: int
    restarts: int
    up_s: float
    memory_mib: float | None

    @property
    def is_well(self) -> bool:
        """Tell whether it runs and is healthy, or is a job that has done its work."""
        if self.is_job:
            return self.state == "running" or (self.state == "exited" and self.exit_code == 0)
        return self.state == "running" and self.health in {"", "healthy"}


@dataclass(frozen=True, slots=True)
class Report:
    """All containers of one environment, services first."""

    environment: str
    services: tuple[Service, ...]

    @property
    def memory_mib(self) -> float:
        """Sum of all that run."""
        return sum(service.memory_mib or 0.0 for service in self.services)

    @property
    def is_well(self) -> bool:
        """Tell whether there is something, and all of it is well."""
        return bool(self.services) and all(service.is_well for service in self.services)


def report(environment: str) -> Report:
    """Look at one environment; raises InfraError where no engine runs."""
    layout = Layout(environment)
    engine = connect()
    containers = engine.containers.list(
        all=True, filters={"label": f"{ENVIRONMENT_LABEL}={layout.environment}"}, ignore_removed=True
    )
    with ThreadPoolExecutor(_QUESTIONS_AT_ONCE) as pool:
        services = pool.map(_service, containers)
        found = sorted(services, key=lambda service: (service.is_job, service.name))
    return Report(environment, tuple(found))


def table(found: Report) -> Table:
    """Draw a report for people."""
    drawn = Table(title=f"Galewatch, environment {found.environment}", title_justify="left")
    for heading in ("service", "state", "health"):
        drawn.add_column(heading)
    for heading in ("up", "restarts", "memory MiB"):
        drawn.add_column(heading, justify="right")
    for service in found.services:
        state = service.state if service.state != "exited" else f"exited ({service.exit_code})"
        if service.is_job and service.is_well:
            state = "done" if service.state == "exited" else "running"
        drawn.add_row(
            service.name,
            state if service.is_well else f"[red]{state}[/]",
            service.health or "-",
            _span(service.up_s) if service.state == "running" else "",
            str(service.restarts),
            "" if service.memory_mib is None else f"{service.memory_mib:,.0f}",
        )
    drawn.add_section()
    drawn.add_row("total (PSS)", "", "", "", "", f"{found.memory_mib:,.0f}")
    return drawn


def _service(container: Container) -> Service:
    state = container.attrs["State"]
    running = state["Status"] == "running"
    return Service(
        name=container.labels.get(SERVICE_LABEL, container.name),
        is_job=JOB_LABEL in container.labels,
        state=state["Status"],
        health=state.get("Health", {}).get("Status", ""),
        exit_code=state["ExitCode"],
        restarts=container.attrs.get("RestartCount", 0),
        up_s=_age_s(state["StartedAt"]) if running else 0.0,
        memory_mib=memory.container_mib(container) if running else None,
    )


def _age_s(started_at: str) -> float:
    # The engine writes nanoseconds; datetime reads microseconds.
    began = datetime.fromisoformat(f"{started_at[:19]}+00:00")
    return (datetime.now(UTC) - began).total_seconds()


def _span(seconds: float) -> str:
    minutes = int(seconds // 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"
