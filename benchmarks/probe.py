"""When a row can be read: asks Cassandra by primary key, and only while something is outstanding.

A probe is a process of its own and hears from the sender what was sent when, by the same clock. What it tells
is when the first answer had come that showed the row: never too early, and late by at most the time since
the last question was asked that was answered in vain. That is the `resolution` of each row, and told as well.
Several questions may be on their way, so that a slow answer hides no row that another one shows.
"""

from __future__ import annotations

import queue
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

    At most `at_once` of them are on their way. So long (`patience_s`) after the last reading was sent, what
    is still missing counts as missing.
    """

    kind: str
    cassandra: CassandraSettings
    keyspace: str
    pace_s: float
    at_once: int
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


class _Answer(NamedTuple):
    number: int
    asked: float
    came: float
    rows: Any


class _Awaited:
    def __init__(self, sent: Sent) -> None:
        self.sent = sent
        # When the last question was asked that is known to have come too early.
        self.in_vain = sent.at


class _Probe:
    def __init__(self, what: Watch, opened: Any) -> None:
        self._what = what
        self._session = opened
        self._statement = opened.prepare(_ALERT if what.kind == "alerts" else _AVERAGE)
        self._awaited: dict[int, _Awaited] = {}
        # Those numbers, and some that were seen meanwhile, the next to be asked for first.
        self._turns: deque[int] = deque()
        # Not SimpleQueue: its get() may wait for ever when its time is up just as it was woken for nothing.
        self._answers: queue.Queue[_Answer | BaseException] = queue.Queue()
        self._on_their_way = 0
        self._seen: list[Seen] = []
        self._questions = 0

    def run(self, sent: Connection) -> Found:
        end: float | None = None
        while end is None or (self._awaited and time.time() < end):
            while end is None and sent.poll(0 if self._awaited else _IDLE_S):
                heard: Sent | None = sent.recv()
                if heard is None:
                    end = time.time() + self._what.patience_s
                else:
                    self._awaited[heard.number] = _Awaited(heard)
                    self._turns.append(heard.number)
            if self._awaited:
                began = time.time()
                if self._on_their_way < self._what.at_once:
                    self._ask(began)
                self._hear(began + self._what.pace_s)
        return Found(self._seen, len(self._awaited), self._questions)

    def _ask(self, now: float) -> None:
        """Ask for the one that has waited longest since it was asked for."""
        number = self._turns.popleft()
        while number not in self._awaited:
            number = self._turns.popleft()
        self._turns.append(number)
        self._questions += 1
        self._on_their_way += 1
        self._session.execute_async(self._statement, self._key(self._awaited[number].sent)).add_callbacks(
            lambda rows: self._answers.put(_Answer(number, now, time.time(), rows)), self._answers.put
        )

    def _hear(self, until: float) -> None:
        """Take the answers that come until then."""
        while True:
            try:
                answer = self._answers.get(timeout=max(0.0, until - time.time()))
            except queue.Empty:
                return
            if isinstance(answer, BaseException):
                raise answer
            self._on_their_way -= 1
            self._take(answer)

    def _take(self, answer: _Answer) -> None:
        awaited = self._awaited.get(answer.number)
        if awaited is None:
            return
        sent, rows = awaited.sent, answer.rows
        if rows and (self._what.kind == "alerts" or rows[0].readings >= sent.in_window):
            del self._awaited[answer.number]
            took, off = answer.came - sent.at, answer.came - awaited.in_vain
            self._seen.append(Seen(sent.number, sent.at, took, off))
        else:
            awaited.in_vain = max(awaited.in_vain, answer.asked)

    def _key(self, sent: Sent) -> tuple[Any, ...]:
        if self._what.kind == "alerts":
            return sent.station_id, sent.observed_at, _RULE, _SOURCE
        return sent.station_id, sent.window_start.date(), sent.window_start
