"""The load: a fleet in an open loop, with word of each reading that a probe watches for; or a backlog."""

from __future__ import annotations

from collections import defaultdict
from threading import Event
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.errors import BenchError
from pipeline.simulate.encoder import SUBJECT, Encoder
from pipeline.simulate.producer import Simulation
from pipeline.topics.producer import USER, DirectProducer
from pipeline.windows import window_start

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from multiprocessing.connection import Connection

    from benchmarks.fleet import Load, NewFleet
    from pipeline.environment import Environment
    from pipeline.readings import Reading

__all__ = ["Sent", "send", "speak"]


class Sent(NamedTuple):
    """A reading that a probe watches for; `at` is the clock (s) when it was handed to the producer.

    `in_window` is how many readings of the station's window there were with it.
    """

    number: int
    station_id: str
    observed_at: datetime
    window_start: datetime
    in_window: int
    at: float


def send(environment: Environment, readings: Sequence[Reading]) -> None:
    """Send a backlog as fast as it goes; raises BenchError unless every reading is acknowledged."""
    encoder = _encoder(environment)
    # Batches as large as they come: nobody waits for the single reading.
    with DirectProducer(environment.kafka(USER), {"linger.ms": 50, "compression.type": "lz4"}) as producer:
        for reading in readings:
            producer.send(reading.station_id.encode(), encoder.encode(reading))
        counts = producer.finish()
    if counts.acknowledged != len(readings):
        raise BenchError(
            f"{counts.failed} of {len(readings)} readings were not acknowledged: {counts.reason}"
        )


def speak(
    environment: Environment,
    fleet: NewFleet,
    load: Load,
    listeners: Sequence[tuple[str, Connection]],
    answer: Connection,
) -> None:
    """Send a fleet's readings when they are due, tell the listeners, and answer with the outcome.

    A listener to `alerts` hears of each hot reading, one to `averages` of each `load.every`-th; None is the
    end.
    """
    window = environment.platform.streaming.window_seconds
    counts: defaultdict[tuple[str, datetime], int] = defaultdict(int)

    def on_sent(number: int, reading: Reading, at: float) -> None:
        start = window_start(reading.observed_at, window)
        counts[reading.station_id, start] += 1
        count = counts[reading.station_id, start]
        for kind, listener in listeners:
            if fleet.is_hot(number) if kind == "alerts" else number % load.every == 0:
                listener.send(Sent(number, reading.station_id, reading.observed_at, start, count, at))

    try:
        with DirectProducer(environment.kafka(USER)) as producer:
            simulation = Simulation(fleet, [_encoder(environment)], producer)
            answer.send(simulation.run(load.total, Event(), on_sent=on_sent))
    finally:
        for _, listener in listeners:
            listener.send(None)


def _encoder(environment: Environment) -> Encoder:
    return Encoder(environment.registry(), environment.platform.schema_registry.newest(SUBJECT))
