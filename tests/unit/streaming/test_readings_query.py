"""What the writer of the readings is given: a row for each message, by place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pipeline.readings import Reading
from pipeline.streaming.decode import judged
from pipeline.streaming.readings_query import COLUMNS, to_deliver
from tests.unit.streaming.frames import decoded, record

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
OSLO = record(
    Reading.parse(
        {
            "station_id": "oslo",
            "observed_at": NOON,
            "source": "nws",
            "origin": "live",
            "fetched_at": NOON,
            "temperature_c": 20.5,
            "quality": "V",
        }
    )
)


def test_each_message_is_a_row_with_a_reading_or_with_what_it_was_and_why(spark: SparkSession) -> None:
    rows = to_deliver(judged(decoded(spark, [(OSLO, NOON), ("no value", NOON)])), 60)

    # The writer takes them by place: galewatch.spark.ReadingWriter.
    assert [
        "partition", "offset", "reading", "on_time", "reason", "key", "value",
        "topic", "timestamp", "schema_id",
    ] == rows.columns  # fmt: skip
    good, poison = rows.collect()
    assert list(COLUMNS) == good["reading"].__fields__
    assert {name: OSLO[name] for name in ("station_id", "source", "temperature_c", "quality")} == {
        name: good["reading"][name] for name in ("station_id", "source", "temperature_c", "quality")
    }
    assert (0, 0, True, None, None, None) == (
        *good[:2], good["on_time"], good["reason"], good["key"], good["value"],
    )  # fmt: skip
    assert (0, 1, "no value", b"key", b"value", "readings") == (
        *poison[:2], poison["reason"], bytes(poison["key"]), bytes(poison["value"]), poison["topic"],
    )  # fmt: skip


def test_what_came_late_says_so(spark: SparkSession) -> None:
    late = NOON + timedelta(seconds=61)

    rows = to_deliver(judged(decoded(spark, [(OSLO, late), (OSLO, NOON)])), 60).collect()

    assert [False, True] == [row["on_time"] for row in rows]
