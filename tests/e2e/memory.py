"""What the services of an environment use of the memory, looked at now and then while something else runs."""

from __future__ import annotations

import statistics
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from docker.errors import APIError

from pipeline.infra.layout import ENVIRONMENT_LABEL, JOB_LABEL, SERVICE_LABEL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.stack import Stack

__all__ = ["Sample", "growth", "sampled"]

_EVERY_S = 5.0
_MIB = 2**20


class Sample(NamedTuple):
    """MiB by service that the kernel cannot take back (heaps, stacks, no cache), `at` seconds (monotonic)."""

    at: float
    used: dict[str, float]


@contextmanager
def sampled(stack: Stack) -> Iterator[list[Sample]]:
    """Look every few seconds while the block runs."""
    samples: list[Sample] = []
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(_EVERY_S):
            samples.append(Sample(time.monotonic(), _used(stack)))

    thread = threading.Thread(target=look, name="memory")
    thread.start()
    try:
        yield samples
    finally:
        stop.set()
        thread.join()


def growth(samples: list[Sample], since: float, until: float) -> dict[str, tuple[float, float]]:
    """Give by service the median of the MiB used in [since, until), and by how many it grew a minute."""
    within = [sample for sample in samples if since <= sample.at < until]
    grown = {}
    for service in within[0].used:
        seen = [(sample.at, sample.used[service]) for sample in within if service in sample.used]
        slope = statistics.linear_regression(*zip(*seen, strict=True)).slope
        grown[service] = (statistics.median(used for _, used in seen), slope * 60)
    return grown


def _used(stack: Stack) -> dict[str, float]:
    used = {}
    label = {"label": f"{ENVIRONMENT_LABEL}={stack.name}"}
    for container in stack.engine.containers.list(filters=label):
        if JOB_LABEL in container.labels:
            continue
        try:
            told = stack.engine.api.stats(container.id, stream=False, one_shot=True)["memory_stats"]["stats"]
        except (APIError, KeyError):
            # Ended in between.
            continue
        # Of the second version of control groups, and of the first.
        used[container.labels[SERVICE_LABEL]] = told.get("anon", told.get("total_rss", 0)) / _MIB
    return used
