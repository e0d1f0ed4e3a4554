"""What the writer of the readings is given: a row for each message, by place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from pyspark.sql import functions as F  # noqa: N812 - its usual name

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


@pytest.mark.parametrize("micros", [-(2**63), 2**63 - 1])
def test_a_time_at_the_end_of_all_numbers_is_poison_and_stops_nothing(
    spark: SparkSession, micros: int
) -> None:
    """A difference of two such times is no number any more, and Spark would fail each time it read it."""
    messages = decoded(spark, [(OSLO, NOON)])
    extreme = messages.withColumn(
        "decoded", F.col("decoded").withField("reading.observed_at", F.timestamp_micros(F.lit(micros)))
    )

    (found,) = to_deliver(judged(extreme), 60).select("reason", "on_time", "value").collect()

    assert found["reason"].startswith("observed_at is ")
    assert b"value" == bytes(found["value"])
