"""What was measured on, and CPU time by container and by executor."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from docker.errors import APIError

from pipeline.infra.layout import ENVIRONMENT_LABEL, JOB_LABEL, PROJECT_ROOT, SERVICE_LABEL

if TYPE_CHECKING:
    from collections.abc import Mapping

    import docker

__all__ = ["cpu_seconds", "described", "spent"]

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


def cpu_seconds(engine: docker.DockerClient, environment: str) -> dict[str, float]:
    """Give the CPU seconds that each running container has used since its start, workers by executor as well.

    The key is the service's name. A worker's are `executors of <driver>` for each driver it works for (to a
    whole second), and its own name for the rest.
    """
    found: dict[str, float] = {}
    for container in engine.containers.list(filters={"label": f"{ENVIRONMENT_LABEL}={environment}"}):
        if JOB_LABEL in container.labels:
            continue
        name = container.labels.get(SERVICE_LABEL, container.name)
        try:
            # From the control group: one reading, not the two that a rate would need.
            stats = engine.api.stats(container.id, stream=False, one_shot=True)
            total = stats["cpu_stats"]["cpu_usage"]["total_usage"] / _NANOSECONDS
            executors = _executors(container.top(ps_args="-eo pid,times,args")) if "worker" in name else {}
        except APIError:
            continue
        for driver, seconds in executors.items():
            found[f"executors of {driver}"] = found.get(f"executors of {driver}", 0.0) + seconds
        found[name] = max(0.0, total - sum(executors.values()))
    return found


def spent(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Give what was used in between; what was started anew counts from zero."""
    used = {}
    for name, seconds in after.items():
        had = before.get(name, 0.0)
        used[name] = seconds - had if seconds >= had else seconds
    return used


def _executors(top: Mapping[str, Any]) -> dict[str, float]:
    seconds: dict[str, float] = {}
    for _, used, command in top["Processes"]:
        if match := _EXECUTOR.search(command):
            driver = re.sub(r"^galewatch-[a-z0-9]+-", "", match[1])
            seconds[driver] = seconds.get(driver, 0.0) + float(used)
    return seconds
