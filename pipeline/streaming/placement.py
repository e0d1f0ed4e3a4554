"""Which worker a copy of the alerts driver has its executor on: on different ones, while there are enough.

Each worker offers a resource of its own name, and a copy asks for that of the worker that it chose. The
choice is the driver's, at its start, and not the workers' configuration: so a worker that is added or taken
away changes neither the others nor any driver.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import httpx

from pipeline.errors import StreamingError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from threading import Event

__all__ = ["choose", "choose_worker", "resource_of"]

_PAGE_PORT: Final = 8080
_PAUSE_SECONDS: Final = 0.5
# What a worker that starts at the same time may be late by; 15 s were too few on a machine with much to do.
_LATE_SECONDS: Final = 30
_DEADLINE_SECONDS: Final = 90


def choose(copy: int, workers: Sequence[str]) -> str:
    """Give the worker of a copy; which one is the same whoever asks, and in whatever order they came."""
    return sorted(workers)[copy % len(workers)]


def resource_of(worker: str) -> str:
    """Give the name of the resource that only this worker offers; a dot would part a setting's name."""
    return worker.replace(".", "-")


def choose_worker(  # noqa: PLR0913 - one keyword each, for tests
    master: str,
    copy: int,
    copies: int,
    stop: Event,
    *,
    page_port: int = _PAGE_PORT,
    late_seconds: float = _LATE_SECONDS,
    deadline_seconds: float = _DEADLINE_SECONDS,
) -> str | None:
    """Wait until the master has a worker for each copy, or has had too few for a while, and choose.

    None when `stop` is set; raises StreamingError when there is no worker at all.
    """
    page = f"http://{master.removeprefix('spark://').partition(':')[0]}:{page_port}/json/"
    began = time.monotonic()
    while True:
        workers = _alive(page)
        waited = time.monotonic() - began
        if len(workers) >= copies or (workers and waited >= late_seconds):
            return choose(copy, workers)
        if not workers and waited >= deadline_seconds:
            raise StreamingError(
                f"copy {copy} of the alerts driver found no worker at {page} in {deadline_seconds:g} s: "
                "do the master and a worker run?"
            )
        if stop.wait(_PAUSE_SECONDS):
            return None


def _alive(page: str) -> list[str]:
    """Give the workers that the master knows to run; none while it does not answer."""
    try:
        # No proxy: the master is on the containers' own network.
        answer = httpx.get(page, timeout=5, trust_env=False).json()
    except (httpx.HTTPError, ValueError):
        return []
    return [worker["host"] for worker in answer["workers"] if worker["state"] == "ALIVE"]
