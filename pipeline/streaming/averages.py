"""Event-time averages of the temperature per station and window, each event counted once.

One aggregation does both, the deduplication and the average, and that is on purpose.
`dropDuplicatesWithinWatermark` before an aggregation makes two stateful operators, which update mode
forbids; append mode would hold each window back until the watermark has passed it, which is hours. An event
id names station and time, so duplicates of an event always meet in the same group: the state of a window is
the set of its events, and the average is computed from that set. So the result depends neither on the order
nor on the number of deliveries, and a revised reading is not counted twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F  # noqa: N812 - its usual name

from pipeline.streaming.decode import FUTURE_SECONDS

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

__all__ = ["averages", "watermark_seconds"]

# By how much the brokers of a topic's partitions may differ in their clocks.
_CLOCKS_SECONDS = 300


def watermark_seconds(allowed_lateness_seconds: int) -> int:
    """Give how far the watermark has to be behind, so that it drops nothing that is on time; see `averages`.

    No more than that: what is not behind it is state, and each batch looks at all of that.
    """
    return allowed_lateness_seconds + FUTURE_SECONDS + _CLOCKS_SECONDS


def averages(readings: DataFrame, window_seconds: int, behind_seconds: int) -> DataFrame:
    """Average readings by station and window: the rows of averages_by_station, as pipeline.windows has them.

    Streamed, run it in update mode: each batch gives the windows that it changed. The watermark only frees
    memory: it never drops a reading that is on time, as long as it is behind by at least the allowed
    lateness plus the time that a reading may lie in the future, and batches have no bound. Why: Spark moves
    the watermark between batches, to the greatest observed time so far less `behind_seconds`, over all
    partitions. A batch without a bound reads each partition up to its end at one instant T. Whatever was
    read until then was appended by T, so observed at T + 300 s at the latest; whatever is read later was
    appended after T and, being on time, observed at T - lateness at the earliest. So it is at most
    lateness + 300 s behind the greatest, which is not behind the watermark. It does not matter how far the
    partitions are apart in a backlog: all of it is one batch, and within one batch nothing is late. Were
    batches bounded, they would be halves of a backlog, and a partition whose readings are older than the
    other's at the same share of the way would find the watermark ahead of it.
    """
    events = (
        readings.where(F.col("temperature_c").isNotNull())
        .withWatermark("observed_at", f"{behind_seconds} seconds")
        .groupBy("station_id", F.window("observed_at", f"{window_seconds} seconds").alias("window"))
        .agg(F.collect_set(_event()).alias("events"))
    )
    ordered = events.withColumn("events", F.sort_array("events"))
    counted = ordered.withColumn("events", F.filter("events", _is_first))
    values = F.transform("events", lambda event: event["thousandths"])
    total = F.aggregate(values, F.lit(0).cast("bigint"), lambda left, right: left + right)
    return counted.select(
        "station_id",
        F.to_date("window.start").alias("day"),
        F.col("window.start").alias("window_start"),
        F.col("window.end").alias("window_end"),
        (total / F.lit(1000.0) / F.size("events")).alias("temperature_c_mean"),
        (F.array_min(values) / F.lit(1000.0)).alias("temperature_c_min"),
        (F.array_max(values) / F.lit(1000.0)).alias("temperature_c_max"),
        F.size("events").cast("bigint").alias("readings"),
        F.array_max(F.transform("events", lambda event: event["origin"])).alias("origin"),
    )


def _event() -> Column:
    # Sorted by its fields in this order: the versions of an event beside each other, the first one first.
    return F.struct(
        "event_id",
        "revision",
        "fetched_at",
        # Halves to even, and a whole number: the sum does not depend on the order of addition.
        F.rint(F.col("temperature_c") * 1000).cast("bigint").alias("thousandths"),
        "origin",
    )


def _is_first(event: Column, index: Column) -> Column:
    before = F.get(F.col("events"), index - 1)
    return ~event["event_id"].eqNullSafe(before["event_id"])
