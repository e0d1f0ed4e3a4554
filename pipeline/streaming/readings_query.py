"""The query `readings`: every reading to both tables, poison to the dead letters, by the Java writer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F  # noqa: N812 - its usual name

from pipeline.readings import FIELDS
from pipeline.streaming import jvm
from pipeline.streaming.decode import on_time
from pipeline.streaming.kafka import Intake

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.streaming.query import StreamingQuery

    from pipeline.streaming.context import Context

__all__ = ["COLUMNS", "DEAD_LETTERS", "READINGS_QUERY", "start_readings", "to_deliver"]

READINGS_QUERY = "readings"
DEAD_LETTERS = "readings.dlq"

# Nobody waits for a reading as for an alert, and an answer of the broker's for each would cost it, and the
# alerts, a tenth of a core.
_GATHER_MILLIS = 100

COLUMNS = (
    "station_id",
    "source",
    "observed_at",
    "event_id",
    "origin",
    "revision",
    *FIELDS.values(),
    "fetched_at",
    "quality",
)
"""What readings_by_station and latest_by_station have of a reading."""


def start_readings(context: Context, batch_seconds: int) -> StreamingQuery:
    """Start the query in Real-Time Mode, with batches of that length."""
    facts = context.platform
    sink = context.sink(READINGS_QUERY, DEAD_LETTERS)
    writer = jvm.reading_writer(context.session, context.access, sink, COLUMNS, slots=context.partitions)
    rows = to_deliver(
        context.decoded(Intake(gather_millis=_GATHER_MILLIS)), facts.streaming.allowed_lateness_seconds
    )
    trigger = jvm.real_time(context.session, batch_seconds)
    return jvm.start(rows, READINGS_QUERY, context.opened(READINGS_QUERY), writer, trigger)


def to_deliver(decoded: DataFrame, allowed_lateness_seconds: int) -> DataFrame:
    """Give a row for each message, as galewatch.spark.ReadingWriter takes it, by place.

    (partition, offset, reading, on_time, reason, key, value, topic, timestamp, schema_id): `reason` is null
    for a reading, and only poison has key and value, as they came.
    """
    poison = F.col("reason").isNotNull()
    return decoded.select(
        "partition",
        "offset",
        F.struct(*(F.col(f"reading.{name}").alias(name) for name in COLUMNS)).alias("reading"),
        on_time(F.col("reading.observed_at"), F.col("timestamp"), allowed_lateness_seconds).alias("on_time"),
        "reason",
        *(F.when(poison, F.col(name)).alias(name) for name in ("key", "value")),
        "topic",
        "timestamp",
        "schema_id",
    )
