"""The queries `readings` and `averages`: micro-batches that are written through the connector."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pyspark import StorageLevel
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from pipeline.streaming import averages, tables
from pipeline.streaming.cassandra import SELFTEST, WRITE_TIME
from pipeline.streaming.decode import on_time, readings, refused
from pipeline.streaming.kafka import write_topic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyspark.sql import DataFrame
    from pyspark.sql.streaming.query import StreamingQuery

    from pipeline.streaming.context import Context

    Sink = Callable[[DataFrame, int], None]

__all__ = ["AVERAGES", "READINGS_QUERY", "start_averages", "start_readings"]

READINGS_QUERY = "readings"
AVERAGES = "averages"
_DEAD_LETTERS = "readings.dlq"
_LOG = logging.getLogger("driver")

# As soon as the batch before is done, and not more often than once a second: each batch is some commits to
# disk.
_EVERY = "1 second"
# Bounds what is kept in memory at once and what is done again after a crash.
_READINGS_AT_MOST = 50_000


def start_readings(context: Context) -> StreamingQuery:
    """Start the query that writes readings as they are, and poison to the dead letters."""
    lateness = context.platform.streaming.allowed_lateness_seconds
    test, revised, poison = (
        F.col("reading.origin") == SELFTEST,
        F.col("reading.revision") > 1,
        F.col("reason").isNotNull(),
    )
    late = ~on_time(F.col("reading.observed_at"), F.col("timestamp"), lateness)

    def sink(rows: DataFrame, _batch: int) -> None:
        with _kept(rows) as decoded:
            # One pass over the source, and it tells which of the writes below have anything to do.
            found = decoded.agg(
                F.count_if(poison).alias("poison"),
                F.count_if(~poison & ~test).alias("others"),
                F.count_if(~poison & test).alias("tests"),
                F.count_if(~poison & revised).alias("revised"),
                F.count_if(~poison & late).alias("late"),
            ).first()
            if found is None:
                return
            good = readings(decoded, lateness)
            if found["others"] or found["tests"]:
                context.tables.write(tables.readings_by_station(good), "readings_by_station")
            for selftest in [kind for kind, name in ((False, "others"), (True, "tests")) if found[name]]:
                kind = good.where((F.col("origin") == SELFTEST) == F.lit(selftest))
                context.tables.replace(tables.latest(kind), "latest_by_station", selftest=selftest)
                if found["revised"]:
                    again = tables.readings_by_station(kind.where(F.col("revision") > 1))
                    context.tables.replace(again, "readings_by_station", selftest=selftest)
            if found["poison"]:
                write_topic(tables.dead_letters(refused(decoded)), context.kafka, _DEAD_LETTERS)
            for count, what in (
                (found["late"], f"came more than {lateness} s after their observation and are not averaged"),
                (found["poison"], f"are poison and went to {_DEAD_LETTERS}"),
            ):
                if count:
                    _LOG.info("query %s: %d readings %s", READINGS_QUERY, count, what)

    return _start(context, READINGS_QUERY, context.decoded(at_most=_READINGS_AT_MOST), sink)


def start_averages(context: Context) -> StreamingQuery:
    """Start the query that averages what came on time by station and window."""
    facts = context.platform.streaming

    def sink(rows: DataFrame, _batch: int) -> None:
        # One action only: each one would run the aggregation, and write its state, once more.
        context.tables.write(rows, "averages_by_station")

    # No bound on the size of a batch, on purpose: see pipeline.streaming.averages on the watermark.
    kept = readings(context.decoded(), facts.allowed_lateness_seconds).where("on_time")
    rows = averages.averages(kept, facts.window_seconds, facts.watermark_seconds)
    # The batch's time stands in the checkpoint: a replayed batch writes the same rows at the same time,
    # each later one at a later time. So the last version of an average wins whole; event times, which can
    # be equal, would mix two.
    timed = rows.withColumn(WRITE_TIME, F.unix_micros(F.current_timestamp()))
    return _start(context, AVERAGES, timed, sink, mode="update")


def _start(context: Context, name: str, rows: DataFrame, sink: Sink, mode: str = "append") -> StreamingQuery:
    # A pool of its own: the stages of one query do not queue behind those of another.
    context.session.sparkContext.setLocalProperty("spark.scheduler.pool", name)
    writer = rows.writeStream.queryName(name).foreachBatch(sink).outputMode(mode)
    return (
        writer.trigger(processingTime=_EVERY)
        .option("checkpointLocation", str(context.checkpoint(name)))
        .start()
    )


@contextmanager
def _kept(rows: DataFrame) -> Iterator[DataFrame]:
    """Keep a batch while several sinks take from it, so that the source is read and decoded once."""
    kept = rows.persist(StorageLevel.MEMORY_AND_DISK)
    try:
        yield kept
    finally:
        kept.unpersist()
