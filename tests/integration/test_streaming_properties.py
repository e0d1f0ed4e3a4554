"""The queries against the oracle: whatever comes in whatever batches, tables and topics hold what it says.

Real Kafka, registry and Cassandra; the product's own queries in one long-lived Spark (lab_driver tells what
is replaced). A topic for each example, whose append times are drawn too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.oracle import Outcome, Poison, Record, judge
from pipeline.schemas import avro_schema
from tests import profiles
from tests.integration.clients import CassandraSession
from tests.integration.containers import Cassandra, Kafka, Postgres, Registry, ZooKeeper
from tests.integration.environment import Environment
from tests.integration.lab import PARTITIONS, Lab, Sent, SparkLab
from tests.integration.platform_jobs import run_cassandra, run_kafka, run_schemas
from tests.integration.side_by_side import side_by_side
from tests.oracle.messages import RULES, framed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.integration.lab import Experiment

# Each example starts three queries, most of them twice.
pytestmark = [pytest.mark.engine, pytest.mark.full]

# A law is told by few examples, each of them made for it.
FEW = settings(profiles.SPARK, max_examples=max(profiles.SPARK.max_examples // 3, 1))

START = datetime(2026, 7, 1, 12, tzinfo=UTC)
MILLI = timedelta(milliseconds=1)
SECOND = timedelta(seconds=1)
WINDOW = timedelta(minutes=5)
LATENESS = timedelta(hours=4)
FUTURE = timedelta(minutes=5)
# By how much the clocks of two brokers may differ.
SKEW = timedelta(minutes=5)
HEAT = 340 / 9
SCHEMAS = {version: avro_schema(f"reading.v{version}.avsc") for version in (1, 2)}
# Registered in this order by the job, in a registry of its own.
IDS = {1: 1, 2: 2}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Services of this module's own, made ready by the jobs, and the laboratory on them."""
    with Environment() as made, ZooKeeper(made), Postgres(made) as postgres:
        kafka, cassandra, registry = Kafka(made), Cassandra(made), Registry(made, postgres)
        try:
            side_by_side(kafka.start, cassandra.start, registry.start)
            side_by_side(
                partial(run_kafka, kafka), partial(run_cassandra, cassandra), partial(run_schemas, registry)
            )
            with CassandraSession(cassandra, "admin") as session, SparkLab(made) as spark:
                opened = Lab(kafka, spark, session)
                yield opened
                opened.close()
        finally:
            for service in (kafka, cassandra, registry):
                service.stop()


@dataclass(frozen=True)
class Told:
    """A message without a topic yet: a record (of station `station`) or bytes, and when it is appended."""

    station: int
    appended_at: datetime
    record: Record | None = None
    version: int = 2
    raw: bytes | None = None

    @property
    def partition(self) -> int:
        """That of its station."""
        return self.station % PARTITIONS

    def named(self, topic: str) -> Told:
        """Give the message with its station's name on a topic."""
        if self.record is None:
            return self
        name = self.record.station_id.replace("station", f"{topic}-{self.station}")
        event_id = self.record.event_id if self.record.event_id == "no-uuid" else ""
        return replace(self, record=replace(self.record, station_id=name, event_id=event_id))

    def sent(self, topic: str) -> Sent:
        """Give what is produced."""
        if self.record is None:
            return Sent(self.partition, f"{topic}-{self.station}", self.raw, self.appended_at)
        fields = {field["name"] for field in SCHEMAS[self.version]["fields"]}
        values = {name: value for name, value in vars(self.record).items() if name in fields}
        value = framed(IDS[self.version], SCHEMAS[self.version], values)
        return Sent(self.partition, self.record.station_id, value, self.appended_at)


def reading(station: int, observed_at: datetime, delay: timedelta, **values: Any) -> Told:
    """Tell a reading that is appended so long after its observation."""
    known: dict[str, Any] = {
        "station_id": "station",
        "source": "device",
        "observed_at": observed_at,
        "appended_at": observed_at + delay,
        "fetched_at": START,
        "origin": "synthetic",
        "temperature_c": 20.0,
    }
    made = Record(**{**known, **values})
    return Told(station, made.appended_at, made)


def judged(telling: Sequence[Told], topic: str, offsets: Sequence[int]) -> Outcome:
    """Ask the oracle."""
    records: list[Record | Poison] = []
    for one, offset in zip(telling, offsets, strict=True):
        if one.record is None:
            records.append(Poison("bytes", one.partition, offset))
            continue
        # The first version of the schema knows no flag.
        named = one.named(topic).record
        assert named is not None
        quality = None if one.version == 1 else named.quality
        records.append(replace(named, partition=one.partition, offset=offset, quality=quality))
    return judge(records, RULES)


def play(
    lab: Lab, telling: Sequence[Told], cuts: Sequence[int] = (), crashes: Sequence[int] = ()
) -> tuple[Experiment, Outcome]:
    """Send messages in batches, cut before those numbers; give what came and what must have come."""
    experiment = lab.experiment()
    offsets: list[int] = []
    ends = [*sorted({cut for cut in cuts if 0 < cut < len(telling)}), len(telling)]
    for number, (begin, end) in enumerate(zip([0, *ends], ends, strict=False)):
        offsets += experiment.send(
            [one.named(experiment.name).sent(experiment.name) for one in telling[begin:end]]
        )
        experiment.run(crash=number in crashes)
    if len(ends) - 1 in crashes:
        experiment.run()
    return experiment, judged(telling, experiment.name, offsets)


REASONS = {
    "future": "s in the future",
    "not-finite": "outside of",
    "out-of-range": "outside of",
    "event-id": "no UUID",
    "name": "no name",
    "origin": "none of",
    "revision": "less than 1",
    "before-1900": "before 1900",
    "fetched-ahead": "s in the future",
}


def assert_as_judged(experiment: Experiment, outcome: Outcome) -> None:
    """Compare every table and topic with the oracle's outcome."""
    assert set(outcome.readings) == experiment.readings()
    assert {
        (row.station_id, row.source, row.observed_at, row.revision, row.temperature_c)
        for row in outcome.latest
    } == experiment.latest()
    assert set(outcome.averages) == experiment.averages()
    assert set(outcome.alerts) == experiment.alerts("alerts_by_station")
    assert set(outcome.alerts) == experiment.alerts("alerts_by_day")
    assert {alert.alert_id for alert in outcome.alerts} == experiment.alert_ids()
    letters: dict[Any, str] = {
        (letter.partition, letter.offset): letter.reason for letter in experiment.letters()
    }
    expected = {(one.message.partition, one.message.offset): one for one in outcome.dead_lettered}
    assert set(expected) == set(letters)
    for place, one in expected.items():
        if "poison" not in one.reasons:
            assert any(REASONS[reason] in letters[place] for reason in one.reasons), (one, letters[place])


def around(value: float) -> tuple[float, ...]:
    """Give a double and its neighbours."""
    return math.nextafter(value, -math.inf), value, math.nextafter(value, math.inf)


temperatures = st.sampled_from(
    [*around(HEAT), *around(0.0), -0.0, *around(-30.0), 37.8, 0.0005, 0.0015, -100.0, 70.0, None]
) | st.integers(-4000, 4500).map(lambda hundredths: hundredths / 100)
no_temperatures = st.sampled_from(
    [math.nan, math.inf, -math.inf, math.nextafter(70.0, 71.0), math.nextafter(-100.0, -101.0), 1e308]
)
instants = (st.sampled_from([0, 1, 299_999, 300_000, 300_001, 599_999]) | st.integers(0, 900_000)).map(
    lambda millis: START + millis * MILLI
)
accepted_delays = st.sampled_from([timedelta(0), SECOND, LATENESS, LATENESS - MILLI, -FUTURE]) | st.integers(
    -300, 14_400
).map(lambda seconds: timedelta(seconds=seconds))
late_delays = st.sampled_from([LATENESS + MILLI, LATENESS + SECOND, timedelta(days=3)])
future_delays = st.sampled_from([-FUTURE - MILLI, -FUTURE - SECOND, -timedelta(days=400)])
flaws: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"station_id": "Station"},
        {"station_id": "station-"},
        {"station_id": "station\n"},
        {"source": "a" * 65},
        {"source": "Device"},
        {"origin": "dream"},
        {"revision": 0},
        {"revision": -(2**31)},
        {"event_id": "no-uuid"},
        {"fetched_at": START + timedelta(days=5)},
        {"fetched_at": datetime(1899, 12, 31, tzinfo=UTC)},
        {"observed_at": datetime(1899, 12, 31, 23, 59, 59, tzinfo=UTC), "appended_at": START},
    ]
)


def at_millis(millis: int) -> bytes:
    """Give a reading observed at a time that Python cannot tell."""
    values = {
        "event_id": "be38d660-e6cd-560b-97c5-ae3fc94d48d9",
        "station_id": "nowhere",
        "observed_at": millis,
        "source": "device",
        "origin": "synthetic",
        "revision": 1,
        "temperature_c": 45.0,
        "fetched_at": START,
    }
    measures = dict.fromkeys(("humidity_pct", "pressure_hpa", "wind_speed_ms", "quality"))
    return framed(IDS[2], SCHEMAS[2], {**measures, **values})


poison = st.sampled_from(
    [
        None,
        b"",
        b"\x00\x00",
        b"\x01" + (2).to_bytes(4) + b"body",
        b"\x00" + (2).to_bytes(4),
        b"\x00" + (2_000_000_011).to_bytes(4) + b"body",
        b"\x00" + (2).to_bytes(4) + b"\xff" * 40,
        b'{"temperature_c": 45}',
        # Times that no number of microseconds holds, and the first and the last one that one does.
        *(at_millis(millis) for millis in (-(2**63), 2**63 - 1, -(2**63) // 1000 + 1, 2**63 // 1000 - 1)),
    ]
)


@st.composite
def events(draw: st.DrawFn, delays: st.SearchStrategy[timedelta]) -> list[Told]:
    """Give an event in one or two versions, each sent once or twice."""
    station, observed_at = draw(st.integers(0, 2)), draw(instants)
    told = []
    for revision in range(1, draw(st.sampled_from([1, 1, 1, 2])) + 1):
        values: dict[str, Any] = {
            "temperature_c": draw(temperatures),
            "humidity_pct": draw(st.sampled_from([None, None, 50.0, *around(10.0)])),
            "wind_speed_ms": draw(st.sampled_from([None, None, *around(17.2), 24.5, 0.0])),
            "quality": draw(st.sampled_from([None, "V"])),
            "origin": draw(st.sampled_from(["synthetic", "live"])),
            "revision": revision,
            "fetched_at": START + revision * SECOND,
        }
        version = draw(st.sampled_from([1, 2]))
        told += [
            replace(reading(station, observed_at, draw(delays), **values), version=version)
            for _ in range(draw(st.sampled_from([1, 1, 2])))
        ]
    return told


@st.composite
def refused(draw: st.DrawFn) -> Told:
    """Give a message that no reading can be."""
    station, at = draw(st.integers(0, 2)), draw(instants)
    kind = draw(st.sampled_from(["poison", "value", "flaw", "future"]))
    if kind == "poison":
        return Told(station, at, raw=draw(poison))
    if kind == "value":
        return reading(station, at, SECOND, temperature_c=draw(no_temperatures))
    if kind == "future":
        return reading(station, at, draw(future_delays), temperature_c=45.0)
    return reading(station, at, SECOND, **draw(flaws))


def in_order(telling: Sequence[Told], skew: timedelta = timedelta(0)) -> list[Told]:
    """Put messages in the order in which they are appended; the clock of the last partition may be behind."""
    behind = {PARTITIONS - 1: skew}
    return sorted(telling, key=lambda one: one.appended_at + behind.get(one.partition, timedelta(0)))


@st.composite
def streams(draw: st.DrawFn) -> list[Told]:
    """Give everything at once, in the order of its arrival; clocks of brokers differ."""
    delays = st.one_of(accepted_delays, accepted_delays, accepted_delays, late_delays)
    told = [one for event in draw(st.lists(events(delays), min_size=1, max_size=8)) for one in event]
    told += draw(st.lists(refused(), max_size=3))
    shuffled = draw(st.permutations(told))
    return in_order(shuffled, draw(st.sampled_from([timedelta(0), SKEW])))


cuts = st.lists(st.integers(1, 20), max_size=2)


@profiles.SPARK
@given(streams(), cuts, st.lists(st.integers(0, 2), max_size=1))
@example([reading(0, START + WINDOW, SECOND), reading(0, START + WINDOW - MILLI, SECOND)], [], [])
@example([reading(0, START, LATENESS), reading(0, START + SECOND, LATENESS + MILLI)], [1], [])
@example([reading(0, START, -FUTURE), reading(1, START, -FUTURE - MILLI, temperature_c=45.0)], [1], [])
@example(
    [
        reading(0, START + step * SECOND, SECOND, temperature_c=value)
        for step, value in enumerate(
            [*around(HEAT), 37.8, -0.0, 0.0, -5e-324, math.nan, math.inf, -math.inf, None]
        )
    ],
    [],
    [],
)
def test_tables_and_topics_hold_what_the_oracle_says(
    lab: Lab, telling: list[Told], cut: list[int], crashes: list[int]
) -> None:
    """Readings, latest, averages, alerts in both tables and on the topic, dead letters: all of it."""
    assert_as_judged(*play(lab, telling, cut, crashes))


def stations(rows: set[Any], experiment: Experiment) -> set[Any]:
    """Give rows without what differs between two topics: the topic's name, and ids that follow from it."""
    return {
        replace(row, station_id=row.station_id.removeprefix(experiment.name), event_id="")
        if hasattr(row, "event_id")
        else replace(row, station_id=row.station_id.removeprefix(experiment.name))
        for row in rows
    }


@FEW
@given(streams(), st.sets(st.integers(1, 20), min_size=1, max_size=3))
def test_any_batching_gives_the_same(lab: Lab, telling: list[Told], cut: set[int]) -> None:
    """One batch, or as many as you like: the same readings and the same averages."""
    whole, _ = play(lab, telling)
    parts, _ = play(lab, telling, sorted(cut))
    assert stations(whole.averages(), whole) == stations(parts.averages(), parts)
    assert stations(whole.readings(), whole) == stations(parts.readings(), parts)


@st.composite
def repeated(draw: st.DrawFn) -> tuple[list[Told], list[Told]]:
    """Give readings, and the same ones with copies that come at any later time, also too late."""
    singly = in_order([one for event in draw(st.lists(events(st.just(SECOND)), min_size=1)) for one in event])
    delays = st.lists(
        st.sampled_from([SECOND, timedelta(minutes=10), LATENESS, timedelta(days=1)]), max_size=2
    )
    copies = [
        replace(
            one,
            appended_at=one.appended_at + delay,
            record=replace(one.record, appended_at=one.appended_at + delay),
        )
        for one in singly
        if one.record
        for delay in draw(delays)
    ]
    return singly, in_order([*singly, *copies])


@FEW
@given(repeated(), cuts)
def test_duplicates_do_nothing(lab: Lab, both: tuple[list[Told], list[Told]], cut: list[int]) -> None:
    """What comes again, at once or too late, changes no row."""
    singly, copied = both
    experiment, _ = play(lab, copied, cut)
    assert_as_judged(experiment, judged(singly, experiment.name, range(len(singly))))


@FEW
@given(streams(), cuts)
def test_a_crash_and_its_replay_give_the_same(lab: Lab, telling: list[Told], cut: list[int]) -> None:
    """Every batch is written, not committed, and read again."""
    assert_as_judged(*play(lab, telling, cut, crashes=range(4)))


def last_of_a_window(number: int) -> datetime:
    """Give the last millisecond of a window: one later it would be in the next."""
    return START + number * WINDOW - MILLI


@st.composite
def lagging(draw: st.DrawFn) -> list[Told]:
    """Give a reading on a partition that is as far ahead as is allowed, then others as late as allowed.

    They arrive at one instant: the clock of the first broker is ahead by as much as clocks may differ, and
    its reading is from as far in the future as is accepted. The others end a window: a watermark that was
    one millisecond further would drop them.
    """
    first, second = draw(st.permutations(range(PARTITIONS)))
    now = last_of_a_window(draw(st.integers(100, 120))) + LATENESS
    values = draw(st.lists(temperatures.filter(lambda value: value is not None), min_size=1, max_size=2))
    return [
        reading(first, now + SKEW + FUTURE, -FUTURE),
        *(
            reading(second + number * PARTITIONS, now - LATENESS, LATENESS, temperature_c=value)
            for number, value in enumerate(values)
        ),
    ]


@FEW
@given(lagging())
def test_what_the_policy_accepts_is_never_dropped_whatever_the_other_partition_did(
    lab: Lab, telling: list[Told]
) -> None:
    """A partition that lags behind in a catch-up loses nothing by what another has made of the watermark."""
    experiment, outcome = play(lab, telling, [1])
    assert ((), ()) == (outcome.late, outcome.dead_lettered)
    assert len(telling) == len(outcome.averages)
    assert_as_judged(experiment, outcome)


@FEW
@given(
    st.lists(events(st.just(SECOND)), min_size=1, max_size=4), st.lists(late_delays, min_size=1, max_size=4)
)
def test_a_late_reading_changes_no_average_and_is_stored_once(
    lab: Lab, on_time: list[list[Told]], delays: list[timedelta]
) -> None:
    """Of the same windows as those that are on time, each late one is a reading that says so, once."""
    punctual = in_order([one for event in on_time for one in event])
    late = in_order([reading(0, START + n * SECOND, delay, source="late") for n, delay in enumerate(delays)])
    experiment = lab.experiment()
    offsets = experiment.send([one.named(experiment.name).sent(experiment.name) for one in punctual])
    experiment.run()
    before = experiment.averages(), experiment.written()
    offsets += experiment.send([one.named(experiment.name).sent(experiment.name) for one in [*late, *late]])
    experiment.run()
    assert before == (experiment.averages(), experiment.written())
    outcome = judged([*punctual, *late, *late], experiment.name, offsets)
    assert len(late) == len(outcome.late) == sum(not row.on_time for row in experiment.readings())
    assert_as_judged(experiment, outcome)


@FEW
@given(
    st.lists(events(accepted_delays), min_size=1, max_size=4), st.lists(future_delays, min_size=1, max_size=3)
)
def test_a_reading_from_the_future_changes_nothing_at_all(
    lab: Lab, accepted: list[list[Told]], delays: list[timedelta]
) -> None:
    """It is a dead letter, and what comes after it in another batch is heard as if it had not been."""
    telling = in_order([one for event in accepted for one in event])
    future = [
        reading(n % 2, START - delay, delay, temperature_c=45.0, source="future")
        for n, delay in enumerate(delays)
    ]
    experiment, outcome = play(lab, [*future, *telling], [len(future)])
    assert len(future) == len(outcome.dead_lettered)
    assert_as_judged(experiment, outcome)
    without = judged(telling, experiment.name, range(len(telling)))
    assert (without.readings, without.averages, without.alerts) == (
        outcome.readings,
        outcome.averages,
        outcome.alerts,
    )
