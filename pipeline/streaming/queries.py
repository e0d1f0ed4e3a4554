"""The queries: which source, which transformation, which sinks, and how each is started.

| driver | query    | reads    | writes                                                              |
|--------|----------|----------|---------------------------------------------------------------------|
| alerts | alerts   | readings | alerts_by_station, alerts_by_day, topic alerts                      |
| tables | readings | readings | readings_by_station, latest_by_station, topic readings.dlq          |
| tables | averages | readings | averages_by_station                                                 |

Each runs one task per partition of the topic, and all queries of a driver run side by side.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pyspark import StorageLevel
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from pipeline.config import config_dir
from pipeline.rules import load_rules
from pipeline.schemas import schema_text
from pipeline.streaming import alerts, averages, tables
from pipeline.streaming.cassandra import SELFTEST, WRITE_TIME, CassandraTables
from pipeline.streaming.decode import decode, readings, refused
from pipeline.streaming.kafka import read_topic, write_topic
from pipeline.streaming.supervision import Watched
from pipeline.streaming.writer_schemas import registered_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming.query import StreamingQuery

    from pipeline.platform import Platform
    from pipeline.settings import KafkaSettings, RegistrySettings
    from pipeline.streaming.decode import WriterSchemas

    Sink = Callable[[DataFrame, int], None]

__all__ = ["DRIVERS", "READINGS", "READINGS_SUBJECT", "Context", "start"]

READINGS = "readings"
READINGS_SUBJECT = "readings-value"
_ALERTS = "alerts"
_ALERTS_SUBJECT = "alerts-value"
_DEAD_LETTERS = "readings.dlq"

# As soon as the batch before is done, and not more often than four times a second: each batch is some
# commits to disk.
_LOW_LATENCY = "250 milliseconds"
_STEADY = "1 second"

# Bounds what is kept in memory at once and what is done again after a crash.
_READINGS_AT_MOST = 50_000
_ALERTS_AT_MOST = 200_000


@dataclass(frozen=True)
class Context:
    """What the queries of one driver share; `index` tells the copies of the driver apart."""

    session: SparkSession
    platform: Platform
    kafka: KafkaSettings
    registry: RegistrySettings
    schemas: WriterSchemas
    group_prefix: str
    checkpoints: Path
    index: int

    @property
    def cassandra(self) -> CassandraTables:
        """The tables that the queries write."""
        facts = self.platform.cassandra
        return CassandraTables(facts.keyspace, facts.selftest_ttl_seconds)

    def decoded(self, *, at_most: int | None = None) -> DataFrame:
        """Give the topic of the readings, decoded."""
        topic = read_topic(self.session, self.kafka, READINGS, self.group_prefix, at_most=at_most)
        return decode(topic, self.schemas)


@dataclass(frozen=True)
class _Query:
    """How a query runs: its name, output mode and the least time between two batches."""

    name: str
    every: str
    mode: str = "append"

    def start(self, context: Context, rows: DataFrame, sink: Sink) -> StreamingQuery:
        # A pool of its own: the stages of one query do not queue behind those of another.
        context.session.sparkContext.setLocalProperty("spark.scheduler.pool", self.name)
        checkpoint = context.checkpoints / f"{self.name}-{context.index}"
        writer = rows.writeStream.queryName(self.name).foreachBatch(sink).outputMode(self.mode)
        return writer.trigger(processingTime=self.every).option("checkpointLocation", str(checkpoint)).start()


def _start_alerts(context: Context) -> StreamingQuery:
    schema_name = context.platform.schema_registry.newest(_ALERTS_SUBJECT)
    schema_id = registered_id(context.registry, _ALERTS_SUBJECT, schema_name)
    rules = load_rules(config_dir() / "rules.yaml")

    def sink(rows: DataFrame, _batch: int) -> None:
        with _kept(rows) as raised:
            if raised.count():
                rows_of_alerts = tables.alerts_by_station(raised)
                context.cassandra.write(rows_of_alerts, "alerts_by_station")
                context.cassandra.write(tables.by_day(rows_of_alerts), "alerts_by_day")
                write_topic(
                    alerts.messages(raised, schema_id, schema_text(schema_name)), context.kafka, _ALERTS
                )

    rows = alerts.alerts(readings(context.decoded(at_most=_ALERTS_AT_MOST)), rules)
    return _Query("alerts", _LOW_LATENCY).start(context, rows, sink)


def _start_readings(context: Context) -> StreamingQuery:
    test, revised, poison = (
        F.col("reading.origin") == SELFTEST,
        F.col("reading.revision") > 1,
        F.col("reason").isNotNull(),
    )

    def sink(rows: DataFrame, _batch: int) -> None:
        with _kept(rows) as decoded:
            # One pass over the source, and it tells which of the writes below have anything to do.
            found = decoded.agg(
                F.count_if(poison).alias("poison"),
                F.count_if(~poison & ~test).alias("others"),
                F.count_if(~poison & test).alias("tests"),
                F.count_if(~poison & revised).alias("revised"),
            ).first()
            if found is None:
                return
            good = readings(decoded)
            if found["others"] or found["tests"]:
                context.cassandra.write(tables.readings_by_station(good), "readings_by_station")
            for selftest in [kind for kind, name in ((False, "others"), (True, "tests")) if found[name]]:
                kind = good.where((F.col("origin") == SELFTEST) == F.lit(selftest))
                context.cassandra.replace(tables.latest(kind), "latest_by_station", selftest=selftest)
                if found["revised"]:
                    again = tables.readings_by_station(kind.where(F.col("revision") > 1))
                    context.cassandra.replace(again, "readings_by_station", selftest=selftest)
            if found["poison"]:
                write_topic(tables.dead_letters(refused(decoded)), context.kafka, _DEAD_LETTERS)

    return _Query("readings", _STEADY).start(context, context.decoded(at_most=_READINGS_AT_MOST), sink)


def _start_averages(context: Context) -> StreamingQuery:
    facts = context.platform.streaming

    def sink(rows: DataFrame, _batch: int) -> None:
        # One action only: each one would run the aggregation, and write its state, once more.
        context.cassandra.write(rows, "averages_by_station")

    # No bound on the size of a batch, on purpose. The watermark moves between batches and is the greatest
    # event time over all partitions: were a backlog read in pieces, a partition whose readings are older
    # than the other's at the same share of the way would find the watermark ahead of it. In one batch
    # nothing of a backlog can be too late.
    rows = averages.averages(readings(context.decoded()), facts.window_seconds, facts.watermark_seconds)
    # The batch's time stands in the checkpoint: a replayed batch writes the same rows at the same time,
    # each later one at a later time. So the last version of an average wins whole; event times, which can
    # be equal, would mix two.
    timed = rows.withColumn(WRITE_TIME, F.unix_micros(F.current_timestamp()))
    return _Query("averages", _STEADY, mode="update").start(context, timed, sink)


DRIVERS: dict[str, tuple[Callable[[Context], StreamingQuery], ...]] = {
    "alerts": (_start_alerts,),
    "tables": (_start_readings, _start_averages),
}
"""The queries of each driver."""


def start(driver: str, context: Context) -> list[Watched]:
    """Start the queries of a driver."""
    return [Watched(partial(begin, context)) for begin in DRIVERS[driver]]


@contextmanager
def _kept(rows: DataFrame) -> Iterator[DataFrame]:
    """Keep a batch while several sinks take from it, so that the source is read and decoded once."""
    kept = rows.persist(StorageLevel.MEMORY_AND_DISK)
    try:
        yield kept
    finally:
        kept.unpersist()
