"""Feeding the streaming part, what its tables and topics hold, and what they must hold, computed apart."""

from __future__ import annotations

import difflib
import io
import itertools
import pprint
import random
import struct
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import fastavro
import httpx
import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition

from pipeline.platform import load_platform
from pipeline.readings import FIELDS, Reading
from pipeline.rules import evaluate, load_rules
from pipeline.schemas import avro_schema
from pipeline.windows import averages
from tests.integration.spark_cluster import CONFIG, SparkCluster, SparkContainer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.integration.stack import Stack

__all__ = [
    "ALERT_COLUMNS",
    "NOW",
    "PLATFORM",
    "RULES",
    "SELFTEST_TTL",
    "Platform",
    "expect",
    "expect_alerts",
    "expect_tables",
    "framed",
    "headers",
    "one_station_for_each_partition",
    "publish",
    "read_all",
    "reading",
    "reading_rows",
    "schema_ids",
    "send",
    "stored_readings",
    "wait_until",
    "weather",
]

PLATFORM = load_platform(CONFIG)
RULES = load_rules(CONFIG / "rules.yaml")
SCHEMA = fastavro.parse_schema(avro_schema("reading.v1.avsc"))
SELFTEST_TTL = PLATFORM.cassandra.selftest_ttl_seconds
# A ceiling for a machine that does other things besides; usually it takes seconds.
PATIENCE_SECONDS = 240
# A whole minute, so that the readings of a test meet in the same windows.
NOW = datetime.now(UTC).replace(second=0, microsecond=0)


class Platform(NamedTuple):
    """What the tests work on."""

    stack: Stack
    spark: SparkCluster
    cassandra: Any

    def rows(self, table: str, *stations: str) -> list[dict[str, Any]]:
        """Read the rows of some stations."""
        found = self.cassandra.execute(f"SELECT * FROM galewatch.{table}")  # noqa: S608 - names of this module
        return [row._asdict() for row in found if row.station_id in stations]

    def driver(self, name: str) -> SparkContainer:
        """One of the drivers."""
        return self.spark.drivers[name]


def reading(station: str, second: float, **values: Any) -> Reading:
    """Make a reading that was observed so many seconds before NOW."""
    known = {
        "station_id": station,
        "observed_at": NOW - timedelta(seconds=second),
        "source": "open-meteo",
        "origin": "replay",
        "fetched_at": NOW,
    }
    return Reading.parse(known | values)


def weather(prefix: str, count: int, *, stations: int = 4, seed: int = 1) -> list[Reading]:
    """Give readings, one every 10 seconds, of which some cross a line and some lack values."""
    dice = random.Random(seed)  # noqa: S311 - weather
    return [
        reading(
            f"{prefix}-{number % stations}",
            10 * (number // stations),
            temperature_c=dice.choice([None, dice.uniform(-5, 42), dice.uniform(10, 30)]),
            humidity_pct=dice.choice([None, dice.uniform(0, 100)]),
            pressure_hpa=dice.uniform(960, 1040),
            wind_speed_ms=dice.choice([None, dice.uniform(0, 30)]),
        )
        for number in range(count)
    ]


def framed(record: dict[str, Any], schema_id: int, schema: Any = SCHEMA) -> bytes:
    body = io.BytesIO()
    fastavro.schemaless_writer(body, schema, record)
    return b"\x00" + struct.pack(">I", schema_id) + body.getvalue()


def send(platform: Platform, values: Sequence[tuple[str, bytes | None]]) -> list[tuple[int, int]]:
    """Produce keys and values to the readings, and give the partition and offset of each."""
    places: dict[int, tuple[int, int]] = {}
    # Made anew each time: after a restart of the broker an old one may believe that there is no topic.
    producer = Producer({**platform.stack.kafka.client_config("publisher"), "acks": "all"})
    for number, (key, value) in enumerate(values):

        def delivered(error: Any, message: Any, number: int = number) -> None:
            assert error is None
            places[number] = (message.partition(), message.offset())

        producer.produce("readings", value, key, on_delivery=delivered)
    assert producer.flush(60) == 0
    return [places[number] for number in range(len(values))]


def schema_ids(platform: Platform) -> dict[str, list[int]]:
    """Give the ids of each subject's versions, as the job registered them."""
    registry = platform.stack.registry
    with httpx.Client(base_url=registry.url, auth=("client", registry.password("client"))) as client:
        return {
            subject: [
                client.get(f"/subjects/{subject}/versions/{number}").json()["id"]
                for number in client.get(f"/subjects/{subject}/versions").json()
            ]
            for subject in PLATFORM.schema_registry.subjects
        }


def one_station_for_each_partition(platform: Platform, prefix: str) -> list[str]:
    """Find names of stations, one on each partition of the readings, by sending poison under their names."""
    found: dict[int, str] = {}
    for number in range(100):
        name = f"{prefix}-{number}"
        ((partition, _),) = send(platform, [(name, b"where")])
        found.setdefault(partition, name)
        if len(found) == PLATFORM.kafka.topics["readings"].partitions:
            break
    return [found[partition] for partition in sorted(found)]


def publish(platform: Platform, readings: Sequence[Reading]) -> None:
    """Send readings, keyed by their station."""
    send(platform, [(one.station_id, framed(one.to_avro(), 1)) for one in readings])


def read_all(platform: Platform, topic: str) -> list[Message]:
    """Read all that a topic holds now."""
    consumer = Consumer(
        {
            **platform.stack.kafka.client_config("reader"),
            "group.id": "galewatch-reader-test",
            "enable.auto.commit": False,
        }
    )
    try:
        partitions = [
            TopicPartition(topic, number, 0) for number in range(PLATFORM.kafka.topics[topic].partitions)
        ]
        wanted = sum(consumer.get_watermark_offsets(place, timeout=20)[1] for place in partitions)
        consumer.assign(partitions)
        found: list[Message] = []
        while len(found) < wanted:
            message = consumer.poll(20)
            assert message is not None
            assert message.error() is None
            found.append(message)
        return found
    finally:
        consumer.close()


def headers(message: Message) -> dict[str, str]:
    """Give a message's headers as text."""
    found: Any = message.headers() or []
    return {name: value.decode() for name, value in found}


def wait_until(holds: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"not within {PATIENCE_SECONDS} s: {what}"
        time.sleep(0.3)


def expect(wanted: Any, actual: Callable[[], Any]) -> None:
    """Wait for equality; fails with the lines in which the two still differ at the end."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while wanted != (found := actual()):
        if time.monotonic() > deadline:
            lines = difflib.unified_diff(
                pprint.pformat(wanted, width=200).splitlines(),
                pprint.pformat(found, width=200).splitlines(),
                "wanted",
                "found",
                lineterm="",
                n=0,
            )
            pytest.fail("\n".join(itertools.islice(lines, 40)))
        time.sleep(0.5)


def alert_rows(readings: Sequence[Reading]) -> Counter[tuple[Any, ...]]:
    """Compute what the alerts' tables must hold."""
    return Counter(
        (
            alert.station_id, alert.observed_at, alert.rule_id, alert.source, alert.severity, alert.origin,
            alert.event_id,
            alert.revision, alert.metric, alert.value, alert.threshold, alert.unit, alert.message,
        )
        for one in {one.event_id: one for one in readings}.values()
        for alert in evaluate(RULES, one)
    )  # fmt: skip


ALERT_COLUMNS = (
    "station_id", "observed_at", "rule_id", "source", "severity", "origin", "event_id", "revision", "metric",
    "value",
    "threshold", "unit", "message",
)  # fmt: skip


def stored_alerts(platform: Platform, table: str, stations: Sequence[str]) -> Counter[tuple[Any, ...]]:
    return Counter(
        tuple(row[name] if name != "observed_at" else row[name].replace(tzinfo=UTC) for name in ALERT_COLUMNS)
        for row in platform.rows(table, *stations)
    )


def average_rows(readings: Sequence[Reading]) -> list[tuple[Any, ...]]:
    """Compute what the averages' table must hold."""
    return sorted(
        (
            row.station_id, row.window_start.date(), row.window_start, row.window_end, row.temperature_c_mean,
            row.temperature_c_min, row.temperature_c_max, row.readings, row.origin,
        )
        for row in averages(readings, PLATFORM.streaming.window_seconds)
    )  # fmt: skip


def stored_averages(platform: Platform, stations: Sequence[str]) -> list[tuple[Any, ...]]:
    return sorted(
        (
            row["station_id"], row["day"].date(), row["window_start"].replace(tzinfo=UTC),
            row["window_end"].replace(tzinfo=UTC), row["temperature_c_mean"], row["temperature_c_min"],
            row["temperature_c_max"], row["readings"], row["origin"],
        )
        for row in platform.rows("averages_by_station", *stations)
    )  # fmt: skip


READING_COLUMNS = ("station_id", "source", "event_id", "origin", "revision", *FIELDS.values())


def reading_rows(readings: Sequence[Reading]) -> list[tuple[Any, ...]]:
    """Compute what the readings' table must hold: of each event its last revision."""
    newest: dict[str, Reading] = {}
    for one in sorted(readings, key=lambda one: one.revision):
        newest[one.event_id] = one
    return sorted(
        (
            (one.observed_at, *({**one.to_avro()}[name] for name in READING_COLUMNS))
            for one in newest.values()
        ),
        key=repr,
    )


def stored_readings(platform: Platform, table: str, stations: Sequence[str]) -> list[tuple[Any, ...]]:
    return sorted(
        (
            (row["observed_at"].replace(tzinfo=UTC), *(row[name] for name in READING_COLUMNS))
            for row in platform.rows(table, *stations)
        ),
        key=repr,
    )


def expect_tables(platform: Platform, readings: Sequence[Reading]) -> None:
    """Wait until every table holds just what it must for these readings."""
    stations = sorted({one.station_id for one in readings})
    expect(reading_rows(readings), lambda: stored_readings(platform, "readings_by_station", stations))
    expect(average_rows(readings), lambda: stored_averages(platform, stations))
    expect_alerts(platform, readings)


def expect_alerts(platform: Platform, readings: Sequence[Reading]) -> None:
    """Wait until both tables of alerts hold just what they must for these readings."""
    stations = sorted({one.station_id for one in readings})
    for table in ("alerts_by_station", "alerts_by_day"):
        expect(alert_rows(readings), lambda table=table: stored_alerts(platform, table, stations))  # type: ignore[misc]
