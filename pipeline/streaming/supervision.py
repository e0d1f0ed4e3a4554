"""Watching a driver's queries: a heartbeat while all of them live, and one sentence when one dies."""

from __future__ import annotations

import logging
import re
import time
from typing import TYPE_CHECKING, Any

from pipeline.errors import StreamingError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from threading import Event

    from pyspark.sql.streaming.query import StreamingQuery

__all__ = ["Watched", "cause", "supervise"]

_LOG = logging.getLogger("driver")

_PAUSE_SECONDS = 1.0
# A batch that takes longer is stuck more likely than large: a sink that does not answer, or no executor.
# The container is then unhealthy, and healthy again when the batch gets through: nothing is restarted for
# it.
_STALL_SECONDS = 90.0
# An application without executors for so long will get none any more: a master that lost its memory does
# not know it.
_SLOTS_SECONDS = 60.0
_REASON_LENGTH = 400

_FAILURE = re.compile(r"^(?:Caused by: |: )?(?:[\w$]+\.)*(\w+(?:Exception|Error)): (.+)$")
_REPLAY_DEFECT = 'IterableOps.map(scala.Function1)" because the return value of "scala.Option.get()"'
_DATA_LOSS = (
    "OffsetOutOfRange",
    "data may have been lost",
    "KAFKA_DATA_LOSS",
    "PARTITION_OFFSET_CHANGED",
    "MISSING_PARTITIONS",
)


class Watched:
    """A query and how it moves: it waits for data, or its batches follow each other."""

    def __init__(self, begin: Callable[[], StreamingQuery]) -> None:
        self._begin = begin
        self._begun_again = False
        self.query = begin()
        self.name = self.query.name or str(self.query.id)
        self._batch = -1
        self._since = time.monotonic()
        self._stalled = False

    def check(self) -> None:
        """Raise StreamingError if the query has ended."""
        if self.query.isActive:
            return
        if _REPLAY_DEFECT in str(self.query.exception()) and not self._begun_again:
            # SPARK-55271, in 4.1.1: after the first batch of a start, if that is one which an earlier run
            # had begun, the report of its progress fails. The batch itself is done and committed, so the
            # query simply goes on.
            _LOG.info("query %s: the batch that an earlier run had begun is done", self.name)
            self._begun_again = True
            self.query = self._begin()
            return
        raise StreamingError(f"query {self.name} stopped: {cause(self.query)}")

    def moves(self) -> bool:
        """Tell whether the query has started and is not stuck in a batch; says so when that changes."""
        status, progress, now = self.query.status, self.query.lastProgress, time.monotonic()
        batch = int(progress["batchId"]) if progress else -1
        if progress and batch != self._batch:
            self._report_lateness(progress)
        if batch != self._batch or not status["isTriggerActive"]:
            self._batch, self._since = batch, now
        stalled = now - self._since > _STALL_SECONDS
        if stalled and not self._stalled:
            _LOG.warning("query %s has been in one batch for %d s", self.name, now - self._since)
        elif self._stalled and not stalled:
            _LOG.info("query %s moves again", self.name)
        self._stalled = stalled
        return not stalled and not status["message"].startswith("Initializing")

    def _report_lateness(self, progress: Any) -> None:
        dropped = sum(int(state["numRowsDroppedByWatermark"]) for state in progress["stateOperators"])
        if dropped:
            _LOG.warning(
                "query %s: %d readings are behind the watermark and not averaged", self.name, dropped
            )


def supervise(queries: Sequence[Watched], slots: Callable[[], bool], heartbeat: Path, stop: Event) -> None:
    """Watch until `stop` is set; beats while every query moves and the application has its slots.

    Raises StreamingError when a query ends or the slots are gone for good.
    """
    slots_at = time.monotonic()
    beating = False
    while not stop.is_set():
        for query in queries:
            query.check()
        now = time.monotonic()
        has_slots = slots()
        if has_slots:
            slots_at = now
        elif now - slots_at > _SLOTS_SECONDS:
            raise StreamingError(f"the executors are gone, and none came back within {_SLOTS_SECONDS:g} s")
        # All are asked, also after the first that does not move: each says its own.
        moving = [query.moves() for query in queries]
        if has_slots and all(moving):
            _beat(heartbeat)
            if not beating:
                _LOG.info("all queries run: %s", ", ".join(query.name for query in queries))
            beating = True
        stop.wait(_PAUSE_SECONDS)


def cause(query: StreamingQuery) -> str:
    """Say in one sentence why a query ended."""
    error = query.exception()
    if error is None:
        return "it was stopped from outside"
    text = str(error)
    failures = [found for line in text.splitlines() if (found := _FAILURE.match(line.strip()))]
    reason = f"{failures[-1][1]}: {failures[-1][2]}" if failures else " ".join(text.split())
    if any(sign in text for sign in _DATA_LOSS):
        reason = (
            "offsets that it was to read next are gone from the topic (retention, or a topic made anew), so "
            "readings are missing from its tables; to go on with what is left, remove the query's checkpoint "
            f"folder ({reason})"
        )
    return reason[:_REASON_LENGTH]


def _beat(heartbeat: Path) -> None:
    beside = heartbeat.with_suffix(".new")
    beside.write_text(str(int(time.time())), encoding="ascii")
    beside.replace(heartbeat)
