"""The query `averages`: micro-batches that are written through the connector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F  # noqa: N812 - its usual name

from pipeline.streaming.averages import averages
from pipeline.streaming.cassandra import WRITE_TIME, CassandraTable
from pipeline.streaming.decode import readings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.streaming.query import StreamingQuery

    from pipeline.streaming.context import Context

__all__ = ["AVERAGES", "start_averages"]

AVERAGES = "averages"

# As soon as the batch before is done, and not more often than once a second: each batch is some commits to
# disk.
_EVERY = "1 second"


def start_averages(context: Context) -> StreamingQuery:
    """Start the query that averages what came on time by station and window."""
    facts = context.platform.streaming
    # No bound on the size of a batch, on purpose: see pipeline.streaming.averages on the watermark.
    kept = readings(context.decoded(), facts.allowed_lateness_seconds).where("on_time")
    rows = averages(kept, facts.window_seconds, facts.watermark_seconds)
    # The batch's time stands in the checkpoint: a replayed batch writes the same rows at the same time,
    # each later one at a later time. So the last version of an average wins whole; event times, which can
    # be equal, would mix two.
    timed = rows.withColumn(WRITE_TIME, F.unix_micros(F.current_timestamp()))
    table = CassandraTable(context, "averages_by_station", timed)

    def sink(batch: DataFrame, _number: int) -> None:
        # One action only: each one would run the aggregation, and write its state, once more.
        table.write(batch)

    return (
        timed.writeStream.queryName(AVERAGES)
        .foreachBatch(sink)
        .outputMode("update")
        .trigger(processingTime=_EVERY)
        .option("checkpointLocation", str(context.checkpoint(AVERAGES)))
        .start()
    )
