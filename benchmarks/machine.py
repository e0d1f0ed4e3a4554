"""What was measured on, and CPU time by container and by executor."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from docker.errors import APIError

from pipeline.infra.layout import ENVIRONMENT_LABEL, JOB_LABEL, PROJECT_ROOT, SERVICE_LABEL

if TYPE_CHECKING:
    from collections.abc import Mapping

    import docker

__all__ = ["Cpu", "cpu_seconds", "described", "spent"]

K = TypeVar("K")

_NANOSECONDS: Final = 1e9
# Which driver an executor works for stands in its command line.
_EXECUTOR: Final = re.compile(r"CoarseGrainedExecutorBackend.*spark://CoarseGrainedScheduler@([\w-]+):")


def described() -> dict[str, Any]:
    """Tell of the machine and the commit."""
    cpu = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=PROJECT_ROOT, capture_output=True, text=True, check=False,
    ).stdout.strip()  # fmt: skip
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": cpu[1] if cpu else platform.machine(),
        "memory_gib": round(pages / 2**30, 1),
        "kernel": platform.release(),
        "commit": commit,
        "load_average": os.getloadavg()[0],
    }


class Cpu(NamedTuple):
    """CPU seconds since the start of whatever they are of."""

    containers: Mapping[str, float]
    """By service."""
    executors: Mapping[tuple[str, str, str], float]
    """Those of workers' executors, to a whole second, by worker, driver and process id."""


def cpu_seconds(engine: docker.DockerClient, environment: str) -> Cpu:
    """Give the CPU seconds that each running container has used, and the executors inside the workers."""
    containers: dict[str, float] = {}
    executors: dict[tuple[str, str, str], float] = {}
    for container in engine.containers.list(filters={"label": f"{ENVIRONMENT_LABEL}={environment}"}):
        if JOB_LABEL in container.labels:
            continue
        name = container.labels.get(SERVICE_LABEL, container.name)
        try:
            # From the control group: one reading, not the two that a rate would need.
            stats = engine.api.stats(container.id, stream=False, one_shot=True)
            found = _executors(name, container.top(ps_args="-eo pid,times,args")) if "worker" in name else {}
        except APIError:
            continue
        containers[name] = stats["cpu_stats"]["cpu_usage"]["total_usage"] / _NANOSECONDS
        executors |= found
    return Cpu(containers, executors)


def spent(before: Cpu, after: Cpu) -> dict[str, float]:
    """Give what was used in between; what was started anew counts from zero.

    What an executor used is `executors of <driver>` and not its worker's, but for what it used between the
    first look and its end, where it ended before the second one.
    """
    used = _grown(before.containers, after.containers)
    for (worker, driver, _), seconds in _grown(before.executors, after.executors).items():
        name = f"executors of {driver}"
        used[name] = used.get(name, 0.0) + seconds
        used[worker] = max(0.0, used.get(worker, 0.0) - seconds)
    return used


def _grown(before: Mapping[K, float], after: Mapping[K, float]) -> dict[K, float]:
    return {
        key: seconds - before.get(key, 0.0) if seconds >= before.get(key, 0.0) else seconds
        for key, seconds in after.items()
    }


def _executors(worker: str, top: Mapping[str, Any]) -> dict[tuple[str, str, str], float]:
    found: dict[tuple[str, str, str], float] = {}
    for pid, used, command in top["Processes"]:
        if match := _EXECUTOR.search(command):
            driver = re.sub(r"^galewatch-[a-z0-9]+-", "", match[1])
            found[worker, driver, pid] = float(used)
    return found
