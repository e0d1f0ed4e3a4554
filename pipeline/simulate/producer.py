"""Producing at a steady rate, whatever the broker does: an open loop."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event

    from pipeline.readings import Reading
    from pipeline.simulate.fleet import Fleet
    from pipeline.topics.producer import Counts, DirectProducer

__all__ = ["Encodes", "Outcome", "Simulation"]

# While nothing is due: how soon a stop is noticed.
_IDLE_SECONDS = 0.1
# The producer's poll knows whole milliseconds only, and would spin in between.
_POLL_SECONDS = 0.001
_PROGRESS_SECONDS = 0.25


class Encodes(Protocol):
    """Whatever turns a reading into a message."""

    def encode(self, reading: Reading) -> bytes:
        """Give the message's bytes."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a run; `behind_s` is the longest that a reading was handed over after it was due."""

    counts: Counts
    behind_s: float


@dataclass(frozen=True, slots=True)
class Simulation:
    """A fleet and its way into Kafka; the encoders take turns, so that several versions flow at once."""

    fleet: Fleet
    encoders: Sequence[Encodes]
    producer: DirectProducer

    def run(
        self,
        total: int,
        stop: Event,
        *,
        on_sent: Callable[[int, Reading, float], None] | None = None,
        on_progress: Callable[[Counts], None] | None = None,
    ) -> Outcome:
        """Send `total` readings, each when it is due, until `stop` is set; then wait for all answers.

        `on_sent` hears each reading's number, the reading, and time.time() of the moment it was handed over.
        A broker that does not keep up makes readings late, and `behind_s` says so: the schedule does not
        wait for it.
        """
        tell = _Teller(on_progress)
        behind = 0.0
        start, began = datetime.now(UTC), time.monotonic()
        for number in range(total):
            reading = self.fleet.reading(number, start)
            value = self.encoders[number % len(self.encoders)].encode(reading)
            due = began + self.fleet.due(number)
            while (left := due - time.monotonic()) > 0 and not stop.is_set():
                _wait(self.producer, left)
                tell.now_and_then(self.producer.counts)
            if stop.is_set():
                break
            moment = time.time()
            self.producer.send(reading.station_id.encode(), value)
            behind = max(behind, time.monotonic() - due)
            if on_sent is not None:
                on_sent(number, reading, moment)
            tell.now_and_then(self.producer.counts)
        counts = self.producer.finish(tell.now_and_then)
        tell.at_last(counts)
        return Outcome(counts, behind)


def _wait(producer: DirectProducer, seconds: float) -> None:
    if seconds < _POLL_SECONDS:
        time.sleep(seconds)
    else:
        producer.poll(min(seconds, _IDLE_SECONDS))


class _Teller:
    """Tells progress a few times a second."""

    def __init__(self, tell: Callable[[Counts], None] | None) -> None:
        self._tell = tell
        self._told = 0.0

    def now_and_then(self, counts: Counts) -> None:
        if self._tell is not None and time.monotonic() - self._told > _PROGRESS_SECONDS:
            self._told = time.monotonic()
            self._tell(counts)

    def at_last(self, counts: Counts) -> None:
        if self._tell is not None:
            self._tell(counts)
