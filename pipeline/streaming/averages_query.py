"""The query `averages`: micro-batches that are written through the connector."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pipeline.streaming.averages import averages, watermark_seconds
from pipeline.streaming.cassandra import CassandraTable
from pipeline.streaming.decode import readings
from pipeline.streaming.kafka import Intake

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame
    from pyspark.sql.streaming.query import StreamingQuery

    from pipeline.streaming.context import Context

__all__ = ["AVERAGES", "batch_micros", "start_averages"]

AVERAGES = "averages"

# As soon as the batch before is done, and not more often than every two seconds: each batch is some
# commits to disk.
_EVERY = "2 seconds"
_MICROS = 1_000


def start_averages(context: Context) -> StreamingQuery:
    """Start the query that averages what came on time by station and window."""
    facts = context.platform.streaming
    # No bound on the size of a batch, on purpose: see pipeline.streaming.averages on the watermark.
    kept = readings(context.decoded(Intake()), facts.allowed_lateness_seconds).where("on_time")
    rows = averages(kept, facts.window_seconds, watermark_seconds(facts.allowed_lateness_seconds))
    table = CassandraTable(context, "averages_by_station", rows)
    checkpoint = context.opened(AVERAGES)

    def sink(batch: DataFrame, number: int) -> None:
        # One action only: each one would run the aggregation, and write its state, once more.
        table.write(batch, batch_micros(checkpoint, number))
        context.after_sink(checkpoint, number)

    return (
        rows.writeStream.queryName(AVERAGES)
        .foreachBatch(sink)
        .outputMode("update")
        .trigger(processingTime=_EVERY)
        .option("checkpointLocation", str(checkpoint))
        .start()
    )


def batch_micros(checkpoint: Path, number: int) -> int:
    """Give the time of a batch in microseconds since 1970, the same on each replay: the checkpoint has it.

    A replayed batch writes the same rows at the same time, each later one at a later time. So the last
    version of an average wins whole; event times, which can be equal, would mix two.
    """
    _, metadata, *_ = (checkpoint / "offsets" / str(number)).read_text(encoding="utf-8").splitlines()
    return int(json.loads(metadata)["batchTimestampMs"]) * _MICROS
