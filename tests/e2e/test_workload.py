"""Ten times the pace of the benchmarks for eight minutes, then quiet: all arrives, and no memory is kept.

In an environment of its own, after all others: its hundreds of thousands of rows would be in their way.
"""

from __future__ import annotations

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import pytest

from benchmarks.expected import differences, expected_of
from benchmarks.machine import cpu_seconds
from benchmarks.tables import found
from benchmarks.topics import ends
from pipeline.infra.layout import ENVIRONMENT_LABEL
from pipeline.oracle import event_id
from pipeline.simulate.encoder import SUBJECT, Encoder
from pipeline.simulate.fleet import Fleet
from pipeline.simulate.producer import Simulation
from pipeline.topics.producer import USER, DirectProducer
from tests.e2e.memory import held
from tests.e2e.progress import await_read
from tests.e2e.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from pipeline.readings import Reading
    from pipeline.simulate.producer import Outcome

pytestmark = [pytest.mark.engine, pytest.mark.e2e, pytest.mark.full]

PACE = 300.0
"""Readings a second of the benchmarks (docs/benchmarks.md)."""

RATE = 10 * PACE
SECONDS = 480
FLEET = Fleet(devices=3000, rate=RATE, hot_percent=1.0)
# Until Java has compiled most of what it makes hot and RocksDB has what it may have. From then on the tables'
# executor, which grows longest, has 610 to 760 MiB in all: looked at each minute for sixteen, just after it
# had let go of what it did not use.
WARM_UP_S = 300
DRAINED_WITHIN_S = 300
# What caches and histories of a fixed length still take when a service is warm.
SLACK_MIB = 16


class Said(NamedTuple):
    """One reading of the fleet, as far as the tables depend on it."""

    station_id: str
    observed_at: datetime
    temperature_c: float | None


class Loaded(NamedTuple):
    """A load that is over: what was said, how it went, what was held under load and when it was through."""

    stack: Stack
    said: list[Said]
    outcome: Outcome
    began: float
    ended: float
    drained_s: float
    held: tuple[dict[str, float], dict[str, float]]
    lives: tuple[Any, Any]


@pytest.fixture(scope="module")
def loaded() -> Iterator[Loaded]:
    """Send at ten times the pace, both versions of the schema in turns; wait until every query is through."""
    with Stack() as stack:
        environment = stack.environment()
        versions = environment.platform.schema_registry.subjects[SUBJECT]
        encoders = [Encoder(environment.registry(), version) for version in versions]
        said: list[Said] = []

        def on_sent(_: int, reading: Reading, __: float) -> None:
            said.append(Said(reading.station_id, reading.observed_at, reading.temperature_c))

        before = _lives(stack)
        over = Event()
        with ThreadPoolExecutor(1, "memory") as beside:
            warm = beside.submit(lambda: held(stack) if not over.wait(WARM_UP_S) else {})
            began = time.monotonic()
            try:
                # Devices send one by one; what goes over one wire at the same time shares a request.
                with DirectProducer(environment.kafka(USER), {"linger.ms": 5}) as producer:
                    simulation = Simulation(FLEET, encoders, producer)
                    outcome = simulation.run(round(RATE * SECONDS), Event(), on_sent=on_sent)
            finally:
                over.set()
        ended = time.monotonic()
        await_read(stack, ends(environment), DRAINED_WITHIN_S)
        drained_s = time.monotonic() - ended
        holding = warm.result(), held(stack)
        yield Loaded(stack, said, outcome, began, ended, drained_s, holding, (before, _lives(stack)))


def test_the_fleet_kept_its_pace(loaded: Loaded, record_property: Callable[[str, object], None]) -> None:
    """Each reading was sent when it was due, and acknowledged: the load was what it says."""
    counts = loaded.outcome.counts
    record_property(
        "load",
        {
            "readings a second": counts.sent / (loaded.ended - loaded.began),
            "behind_s": loaded.outcome.behind_s,
            "drained_s": loaded.drained_s,
        },
    )
    assert (RATE * SECONDS, RATE * SECONDS, 0) == (counts.sent, counts.acknowledged, counts.failed)
    assert loaded.outcome.behind_s < 5


def test_nothing_is_lost_and_nothing_is_doubled(
    loaded: Loaded, record_property: Callable[[str, object], None]
) -> None:
    """Every id with its temperature is a row, and no other row is of these stations."""
    days = sorted({one.observed_at.date() for one in loaded.said})
    expected = Digest()
    for one in loaded.said:
        expected.add(event_id(one.station_id, one.observed_at, "simulator"), one.temperature_c)
    rows = Digest()
    with loaded.stack.cassandra() as query:
        for station in sorted({one.station_id for one in loaded.said}):
            for day in days:
                for row in query(
                    "SELECT event_id, temperature_c FROM readings_by_station "  # noqa: S608 - its own names
                    f"WHERE station_id = '{station}' AND day = '{day}'"
                ):
                    rows.add(row["event_id"], row["temperature_c"])
    assert expected == rows
    record_property("proven_rows", {"hop": "topic → readings, under load", "rows": rows.count})


def test_every_alert_and_every_average_is_there(
    loaded: Loaded, record_property: Callable[[str, object], None]
) -> None:
    """Computed from what was said, by other means than the product's, and equal to the last digit."""
    expected = expected_of(
        (cast("Reading", one), FLEET.is_hot(number)) for number, one in enumerate(loaded.said)
    )
    environment = loaded.stack.environment()
    keyspace = environment.platform.cassandra.keyspace
    assert [] == differences(expected, found(environment, "reader", keyspace, expected))
    record_property("proven_rows", {"hop": "readings → alerts, under load", "rows": len(expected.alerts)})
    record_property("proven_rows", {"hop": "readings → averages, under load", "rows": len(expected.averages)})


def test_memory_is_flat(loaded: Loaded, record_property: Callable[[str, object], None]) -> None:
    """When all is through no service holds more than it did under load when it was warm, but for a tenth."""
    warm, through = loaded.held
    told = {name: (round(mib, 1), round(through.get(name, 0.0), 1)) for name, mib in sorted(warm.items())}
    record_property("held, MiB", told)
    assert warm.keys() == through.keys() != set()
    assert {} == {name: told[name] for name, mib in warm.items() if through[name] > mib * 1.1 + SLACK_MIB}


def test_nothing_was_restarted(loaded: Loaded) -> None:
    """Neither a container nor an executor inside of one, for want of memory or for anything else."""
    before, after = loaded.lives
    assert before == after
    assert before[1]


def _lives(stack: Stack) -> tuple[dict[str, int], set[tuple[str, str, str]]]:
    """Give how often each container was restarted, and Spark's executors by their process ids."""
    label = {"label": f"{ENVIRONMENT_LABEL}={stack.name}"}
    found = stack.engine.containers.list(all=True, filters=label)
    executors = cpu_seconds(stack.engine, stack.name).executors
    return {container.name: container.attrs["RestartCount"] for container in found}, set(executors)


class Digest:
    """Count and sum of the hashes of ids and temperatures, in whatever order they come."""

    def __init__(self) -> None:
        self.count = 0
        self._sum = 0

    def add(self, event_id: str, temperature_c: float | None) -> None:
        """Take one row."""
        told = f"{event_id} {temperature_c!r}".encode()
        self.count += 1
        self._sum += int.from_bytes(hashlib.blake2b(told, digest_size=16).digest())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Digest) and (self.count, self._sum) == (other.count, other._sum)

    def __hash__(self) -> int:
        return hash((self.count, self._sum))

    def __repr__(self) -> str:
        return f"{self.count} rows, {self._sum:x}"
