"""What of a decoded message is a reading. The decoder itself is Java's: spark/jvm has its tests."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from pipeline.platform import load_platform
from pipeline.readings import Reading
from pipeline.streaming.decode import FUTURE_SECONDS, implausible, judged, readings
from tests.unit.streaming.frames import decoded, record

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
OSLO_NOON = "be38d660-e6cd-560b-97c5-ae3fc94d48d9"
IMPLAUSIBLE = {
    -100.0: False,
    70.0: False,
    math.nextafter(70.0, 71.0): True,
    math.nextafter(-100.0, -101.0): True,
    math.nan: True,
    math.inf: True,
    -math.inf: True,
    None: False,
}


def row(**values: Any) -> dict[str, Any]:
    known = {"station_id": "oslo", "observed_at": NOON, "source": "open-meteo", "origin": "live"}
    return record(Reading.parse({**known, "fetched_at": NOON})) | values


def test_what_is_outside_of_the_limits(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(value,) for value in IMPLAUSIBLE], "value double")

    found = rows.select(implausible(F.col("value"), -100.0, 70.0)).collect()

    assert list(IMPLAUSIBLE.values()) == [outside for (outside,) in found]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({}, None),
        ({"temperature_c": math.nan}, "temperature_c is NaN, outside of -100 to 70"),
        ({"pressure_hpa": -math.inf}, "pressure_hpa is -Infinity, outside of 500 to 1100"),
        ({"station_id": "x" * 65}, f"station_id is {'x' * 65}, no name"),
        ({"source": "Not A Name"}, "source is Not A Name, no name"),
        # Java's `$` would let it pass.
        ({"station_id": "oslo\n"}, "station_id is oslo\n, no name"),
        ({"event_id": f"{OSLO_NOON}\n"}, f"event_id is {OSLO_NOON}\n, no UUID"),
        ({"event_id": "7"}, "event_id is 7, no UUID"),
        ({"origin": "rumour"}, "origin is rumour, none of live, replay, synthetic, selftest"),
        ({"revision": 0}, "revision is 0, less than 1"),
        ({"observed_at": NOON + timedelta(seconds=FUTURE_SECONDS)}, None),
        (
            {"observed_at": NOON + timedelta(seconds=FUTURE_SECONDS, milliseconds=1)},
            "observed_at is 2026-07-01 12:05:00.001, more than 300 s in the future",
        ),
        (
            {"observed_at": datetime(1899, 12, 31, tzinfo=UTC)},
            "observed_at is 1899-12-31 00:00:00, before 1900-01-01",
        ),
        (
            {"fetched_at": datetime(2026, 7, 3, tzinfo=UTC)},
            "fetched_at is 2026-07-03 00:00:00, more than 86400 s in the future",
        ),
    ],
)
def test_a_record_that_no_reading_can_be_gets_a_reason(
    spark: SparkSession, values: dict[str, Any], reason: str | None
) -> None:
    (found,) = judged(decoded(spark, [(row(**values), NOON)])).collect()

    assert reason == found["reason"]


def test_what_the_decoder_refused_keeps_its_reason_and_is_no_reading(spark: SparkSession) -> None:
    found = judged(decoded(spark, [(row(), NOON), ("no value", NOON)]))

    assert [None, "no value"] == [one["reason"] for one in found.collect()]
    assert ["oslo"] == [one["station_id"] for one in readings(found, 60).collect()]


def test_a_reading_is_late_by_its_append_time_to_the_millisecond(spark: SparkSession) -> None:
    lateness = timedelta(seconds=14_400)
    appended = [NOON + lateness, NOON + lateness + timedelta(milliseconds=1), NOON - timedelta(seconds=1)]

    found = readings(judged(decoded(spark, [(row(), at) for at in appended])), 14_400).collect()

    assert [(True, appended[0]), (False, appended[1]), (True, appended[2])] == [
        (one["on_time"], one["appended_at"].astimezone(UTC)) for one in found
    ]


def test_nothing_is_late_that_goes_its_usual_way() -> None:
    facts = load_platform()

    assert facts.streaming.allowed_lateness_seconds > facts.ingest.streaming_horizon_seconds
