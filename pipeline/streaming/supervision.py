"""Staying with a driver's queries: a heartbeat while all of them move, and what is the matter when not."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.errors import StreamingError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from threading import Event

    from pipeline.streaming.watched import Watched

__all__ = ["Reports", "supervise"]

_LOG = logging.getLogger("driver")

_PAUSE_SECONDS = 1.0
# An application without executors for so long will get none any more: a master that lost its memory does
# not know it.
_SLOTS_SECONDS = 60.0


@dataclass(frozen=True)
class Reports:
    """Where a driver tells how it is: the file `heartbeat`, which the health check reads, and status.json."""

    driver: str
    copy: int
    heartbeat: Path

    @property
    def status(self) -> Path:
        """The file beside the heartbeat: the state of each query, and the last error in one sentence."""
        return self.heartbeat.with_name("status.json")

    def beat(self) -> None:
        """Say that all is well."""
        _replace(self.heartbeat, str(int(time.time())))

    def tell(self, queries: Sequence[Watched], *, healthy: bool, error: str | None = None) -> None:
        """Write status.json; `error` is why the driver ends, else the first query's trouble stands there."""
        told = {
            "driver": self.driver,
            "copy": self.copy,
            "at": int(time.time()),
            "healthy": healthy,
            "error": error or next((query.trouble for query in queries if query.trouble), None),
            "queries": [
                {"name": query.name, "state": query.state, "batch": query.batch, "error": query.trouble}
                for query in queries
            ],
        }
        _replace(self.status, json.dumps(told))


def supervise(queries: Sequence[Watched], slots: Callable[[], bool], reports: Reports, stop: Event) -> None:
    """Watch until `stop` is set; beats while every query moves and the application has its slots.

    Raises StreamingError when a query ended for good or the slots are gone for good.
    """
    slots_at = time.monotonic()
    beating = False
    while not stop.is_set():
        # All are looked at, also after the first that does not move: each says its own.
        moving = [query.look() for query in queries]
        now = time.monotonic()
        has_slots = slots()
        if has_slots:
            slots_at = now
        elif now - slots_at > _SLOTS_SECONDS:
            raise StreamingError(f"the executors are gone, and none came back within {_SLOTS_SECONDS:g} s")
        healthy = has_slots and all(moving)
        if healthy:
            reports.beat()
            if not beating:
                _LOG.info("all queries run: %s", ", ".join(query.name for query in queries))
            beating = True
        reports.tell(queries, healthy=healthy)
        stop.wait(_PAUSE_SECONDS)


def _replace(path: Path, text: str) -> None:
    beside = path.with_suffix(".new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)
