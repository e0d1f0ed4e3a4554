"""The windows of the query against the reference in Python."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from pipeline import windows
from pipeline.readings import Reading
from pipeline.streaming.averages import averages, watermark_seconds
from pipeline.streaming.decode import FUTURE_SECONDS
from tests import profiles, strategies
from tests.unit.streaming.frames import READING, frame, record

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, Row, SparkSession

WINDOW = 300
LATENESS = 14_400
WATERMARK = watermark_seconds(LATENESS)
START = datetime(2026, 7, 1, 12, tzinfo=UTC)

# Few stations and instants, so that events meet in a window, and come again, also as another revision.
crowded = strategies.readings(
    station_ids=st.sampled_from(["oslo", "rome"]),
    observed=st.integers(0, 8).map(lambda step: START + timedelta(seconds=100 * step)),
    revisions=st.integers(1, 3),
)


def as_average(row: Row) -> windows.Average:
    values = {field.name: row[field.name] for field in dataclasses.fields(windows.Average)}
    for name in ("window_start", "window_end"):
        values[name] = values[name].astimezone(UTC)
    return windows.Average(**values)


def collected(rows: DataFrame) -> tuple[windows.Average, ...]:
    return tuple(sorted(map(as_average, rows.collect()), key=lambda row: (row.station_id, row.window_start)))


def reading(second: float, temperature_c: float | None, **values: Any) -> Reading:
    return Reading.parse(
        {
            "station_id": "oslo",
            "observed_at": START + timedelta(seconds=second),
            "source": "open-meteo",
            "origin": "live",
            "fetched_at": START,
            "temperature_c": temperature_c,
            **values,
        }
    )


@profiles.SPARK_FEW
@given(readings=st.lists(crowded, min_size=20, max_size=40))
def test_the_query_gives_what_the_reference_gives(spark: SparkSession, readings: list[Reading]) -> None:
    rows = averages(frame(spark, map(record, readings)), WINDOW, WATERMARK)

    assert windows.averages(readings, WINDOW) == collected(rows)


def test_the_day_is_that_of_the_window_in_utc(spark: SparkSession) -> None:
    late = reading(-43_200 - 0.001, 1.0)

    (row,) = averages(frame(spark, [record(late)]), WINDOW, WATERMARK).collect()

    assert (datetime(2026, 6, 30, tzinfo=UTC).date(), START - timedelta(hours=12, minutes=5)) == (
        row["day"],
        row["window_start"].astimezone(UTC),
    )


def streamed(
    spark: SparkSession, folder: Path, batches: list[list[Reading]]
) -> list[tuple[windows.Average, ...]]:
    """Give what each batch writes."""
    for number, batch in enumerate(batches):
        rows = frame(spark, map(record, batch)).coalesce(1)
        rows.write.mode("append").json(str(folder / "in" / f"{number}"))
    source = (
        spark.readStream.schema(READING).option("maxFilesPerTrigger", 1).option("recursiveFileLookup", "true")
    )
    written: list[tuple[windows.Average, ...]] = []
    query = (
        averages(source.json(str(folder / "in")), WINDOW, WATERMARK)
        .writeStream.outputMode("update")
        .foreachBatch(lambda rows, _: written.append(collected(rows)))
        .option("checkpointLocation", str(folder / "checkpoint"))
        .trigger(availableNow=True)
        .start()
    )
    query.awaitTermination()
    return written


def test_streamed_a_later_batch_corrects_its_windows_and_counts_no_event_twice(
    spark: SparkSession, tmp_path: Path
) -> None:
    batches = [
        [reading(0, 10.0), reading(10, 20.0), reading(300, 5.0)],
        # The first again; a revision of the second; one more; and one without a temperature.
        [reading(0, 10.0), reading(10, 69.9, revision=2), reading(20, 30.0), reading(30, None)],
        [reading(0, 10.0)],
    ]

    written = streamed(spark, tmp_path, batches)

    assert windows.averages(batches[0], WINDOW) == written[0]
    both = windows.averages(batches[0] + batches[1], WINDOW)
    assert both[:1] == written[1], "only the window that changed, whole"
    assert (20.0, 3) == (both[0].temperature_c_mean, both[0].readings)
    assert both[:1] == written[2]


def test_streamed_the_latest_that_is_on_time_is_averaged_after_the_most_future_one(
    spark: SparkSession, tmp_path: Path
) -> None:
    # Both appended at START: one as far ahead of it, the other as long before it as the policy takes.
    ahead, behind = reading(FUTURE_SECONDS, 10.0), reading(-LATENESS, 20.0)

    written = streamed(spark, tmp_path, [[ahead], [ahead], [behind], [behind]])

    assert [windows.averages([one], WINDOW) for one in (ahead, ahead, behind, behind)] == written
