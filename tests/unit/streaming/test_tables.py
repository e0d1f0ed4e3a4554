"""Rows of Cassandra's tables, and dead letters."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F  # noqa: N812 - its usual name

from pipeline.readings import Reading
from pipeline.streaming.tables import dead_letters, latest, readings_by_station
from tests.unit.streaming.frames import frame, record

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


def row(**values: Any) -> dict[str, Any]:
    known = {"station_id": "oslo", "observed_at": NOON, "source": "open-meteo", "origin": "live"}
    return record(Reading.parse({**known, "fetched_at": NOON, **values}))


def test_a_row_is_written_at_the_time_of_its_observation_and_revision(spark: SparkSession) -> None:
    instant = NOON + timedelta(milliseconds=7)
    micros = int(NOON.timestamp()) * 1_000_000 + 7_000
    rows = frame(spark, [row(observed_at=instant, revision=number) for number in (1, 2, 5_000)])

    written = readings_by_station(rows.withColumn("on_time", F.lit(1) == F.lit(1))).collect()

    assert [micros + 1, micros + 2, micros + 999] == [one["write_micros"] for one in written]
    assert {date(2026, 7, 1)} == {one["day"] for one in written}


def test_the_latest_is_the_newest_observation_and_of_it_the_newest_revision(spark: SparkSession) -> None:
    rows = [
        row(revision=2, temperature_c=2.0),
        row(observed_at=NOON - timedelta(seconds=1), revision=9, temperature_c=9.0),
        row(revision=1, temperature_c=1.0, humidity_pct=50.0),
        row(station_id="rome", temperature_c=30.0),
        row(source="gateway", temperature_c=3.0),
    ]

    found = latest(frame(spark, rows)).collect()

    assert {
        ("oslo", "open-meteo", 2.0, None),
        ("oslo", "gateway", 3.0, None),
        ("rome", "open-meteo", 30.0, None),
    } == {(one["station_id"], one["source"], one["temperature_c"], one["humidity_pct"]) for one in found}


def test_a_dead_letter_is_the_message_as_it_came_with_reason_and_coordinates(spark: SparkSession) -> None:
    schema = (
        "key binary, value binary, topic string, partition int, offset bigint, timestamp timestamp, "
        "schema_id bigint, reason string"
    )
    refused = spark.createDataFrame(
        [
            (bytearray(b"oslo"), bytearray(b"\x00\x01"), "readings", 1, 42, NOON, None, "too short"),
            (None, None, "readings", 0, 2**40, NOON, 7, "no value"),
        ],
        schema,
    )

    first, second = dead_letters(refused).collect()

    assert (b"oslo", b"\x00\x01") == (bytes(first["key"]), bytes(first["value"]))
    millis = str(int(NOON.timestamp() * 1000)).encode()
    assert {
        "reason": b"too short",
        "topic": b"readings",
        "partition": b"1",
        "offset": b"42",
        "timestamp": millis,
    } == {header["key"]: bytes(header["value"]) for header in first["headers"]}
    assert (None, None) == (second["key"], second["value"])
    assert (b"7", b"1099511627776") == tuple(
        bytes(header["value"])
        for name in ("schema_id", "offset")
        for header in second["headers"]
        if header["key"] == name
    )
