"""Readings as rows of Cassandra's tables, and poison as dead letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F  # noqa: N812 - its usual name

from pipeline.readings import FIELDS
from pipeline.streaming.cassandra import WRITE_TIME

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

__all__ = [
    "DEAD_LETTER_HEADERS",
    "dead_letters",
    "latest",
    "readings_by_station",
    "version_micros",
]

DEAD_LETTER_HEADERS = ("reason", "topic", "partition", "offset", "timestamp", "schema_id")
"""The headers of a dead letter, all text: why, and where it came from; `timestamp` is the append time, ms."""

_ROW = (
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
_REVISIONS = 999


def version_micros() -> Column:
    """Give the write time of an event's row, in microseconds: its observation, and within that its revision.

    Cassandra keeps the cell with the greatest write time. So an older reading that arrives later, a
    replayed one and a revision overtaken by a later one all lose. Observations are whole milliseconds,
    which leaves room for the revision.
    """
    revision = F.least(F.col("revision"), F.lit(_REVISIONS)).cast("bigint")
    return F.unix_micros("observed_at") + revision


def readings_by_station(readings: DataFrame) -> DataFrame:
    """Give the rows of readings_by_station."""
    day = F.to_date("observed_at").alias("day")
    return readings.select(*_ROW, "on_time", day, version_micros().alias(WRITE_TIME))


def latest(readings: DataFrame) -> DataFrame:
    """Give the newest reading of each station and source among these, the rows of latest_by_station."""
    row = F.struct(*(F.col(name) for name in _ROW if name not in {"station_id", "source"}))
    newest = F.max_by(row, F.struct("observed_at", "revision")).alias("newest")
    return (
        readings.groupBy("station_id", "source")
        .agg(newest)
        .select("station_id", "source", "newest.*")
        .withColumn(WRITE_TIME, version_micros())
    )


def dead_letters(refused: DataFrame) -> DataFrame:
    """Give poison as rows for Kafka's sink: key and value as they came, reason and coordinates as headers."""
    texts = {
        "timestamp": F.unix_millis("timestamp").cast("string"),
        **{name: F.col(name).cast("string") for name in DEAD_LETTER_HEADERS if name != "timestamp"},
    }
    headers = F.array(
        *(
            F.struct(F.lit(name).alias("key"), texts[name].cast("binary").alias("value"))
            for name in DEAD_LETTER_HEADERS
        )
    )
    present = F.filter(headers, lambda header: header["value"].isNotNull())
    return refused.select("key", "value", present.alias("headers"))
