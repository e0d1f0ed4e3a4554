"""When a row can be read: asks Cassandra by primary key, and only while something is outstanding.

A probe is a process of its own and hears from the sender what was sent when, by the same clock. What it tells
is when the answer had come that showed the row: never too early, and late by no more than the time since the
question before it was asked. That is the `resolution` of each row, and is told as well.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pipeline._cassandra import session

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from benchmarks.sender import Sent
    from pipeline.settings import CassandraSettings

__all__ = ["Found", "Seen", "Watch", "watch"]

_RULE: Final = "heat-100f"
_SOURCE: Final = "simulator"
_ALERT: Final = (
    "SELECT observed_at FROM alerts_by_station "
    "WHERE station_id = ? AND observed_at = ? AND rule_id = ? AND source = ?"
)
_AVERAGE: Final = (
    "SELECT readings FROM averages_by_station WHERE station_id = ? AND day = ? AND window_start = ?"
)
# With nothing to ask: how often it looks whether all is over. What is sent wakes it at once.
_IDLE_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Watch:
    """What is watched: `kind` is alerts or averages; the pace is the least time between two questions.

    So long (`patience_s`) after the last reading was sent, what is still missing counts as missing.
    """

    kind: str
    cassandra: CassandraSettings
    keyspace: str
    pace_s: float
    patience_s: float


class Seen(NamedTuple):
    """A row that was seen: when it was sent (clock, s), how long it took (s), how far that may be off (s)."""

    number: int
    at: float
    took_s: float
    resolution_s: float


class Found(NamedTuple):
    """What a probe saw, how many it never saw, and how many questions that took."""

    seen: list[Seen]
    missing: int
    questions: int


def watch(what: Watch, sent: Connection, answer: Connection) -> None:
    """Say that it is ready, watch until the sender has ended and all was seen, and answer with Found."""
    with session(what.cassandra, keyspace=what.keyspace) as opened:
        probe = _Probe(what, opened)
        answer.send("ready")
        answer.send(probe.run(sent))


class _Probe:
    def __init__(self, what: Watch, opened: Any) -> None:
        self._what = what
        self._session = opened
        self._statement = opened.prepare(_ALERT if what.kind == "alerts" else _AVERAGE)
        # Each with the time at which it was last asked for in vain.
        self._outstanding: deque[tuple[Sent, float]] = deque()
        self._seen: list[Seen] = []
        self._questions = 0

    def run(self, sent: Connection) -> Found:
        end: float | None = None
        while end is None or (self._outstanding and time.time() < end):
            while end is None and sent.poll(0 if self._outstanding else _IDLE_S):
                heard: Sent | None = sent.recv()
                if heard is None:
                    end = time.time() + self._what.patience_s
                else:
                    self._outstanding.append((heard, heard.at))
            if self._outstanding:
                began = time.time()
                self._ask()
                time.sleep(max(0.0, self._what.pace_s - (time.time() - began)))
        return Found(self._seen, len(self._outstanding), self._questions)

    def _ask(self) -> None:
        """Ask for the one that has waited longest since it was asked for."""
        sent, before = self._outstanding.popleft()
        began = time.time()
        row = self._session.execute(self._statement, self._key(sent)).one()
        now = time.time()
        self._questions += 1
        if row is not None and (self._what.kind == "alerts" or row.readings >= sent.in_window):
            self._seen.append(Seen(sent.number, sent.at, now - sent.at, now - before))
        else:
            self._outstanding.append((sent, began))

    def _key(self, sent: Sent) -> tuple[Any, ...]:
        if self._what.kind == "alerts":
            return sent.station_id, sent.observed_at, _RULE, _SOURCE
        return sent.station_id, sent.window_start.date(), sent.window_start
