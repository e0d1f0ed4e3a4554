"""How much memory a container really takes: the PSS of all its processes.

PSS (proportional set size, proc(5) `smaps_rollup`) counts a shared page in parts, so that the sum over all
containers is true; and unlike the engine's own number it holds no page cache.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from docker.errors import APIError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from docker.models.containers import Container

__all__ = ["container_mib", "pss_mib"]


def container_mib(container: Container) -> float | None:
    """PSS of a running container in MiB; None where it does not run.

    Only root may read other users' PSS; anybody else gets the engine's number without its reclaimable page
    cache.
    """
    try:
        listing = container.top(ps_args="-o pid")
    except APIError:
        return None
    pids = [int(row[0]) for row in listing["Processes"]]
    total = pss_mib(pids)
    return total if total is not None else _engine_mib(container)


def pss_mib(pids: Iterable[int]) -> float | None:
    """Sum of the PSS of processes in MiB; None where it may not be read. A process that ended counts 0."""
    total_kib = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
        except PermissionError:
            return None
        except OSError:
            continue
        total_kib += next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
    return total_kib / 1024


def _engine_mib(container: Container) -> float:
    memory = container.stats(stream=False, one_shot=True).get("memory_stats", {})
    return float(memory.get("usage", 0) - memory.get("stats", {}).get("inactive_file", 0)) / 2**20
