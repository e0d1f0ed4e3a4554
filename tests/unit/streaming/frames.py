"""Readings as frames, as the decoding gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspark.sql import types as T  # noqa: N812 - its usual name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from pyspark.sql import DataFrame, SparkSession

    from pipeline.readings import Reading

__all__ = ["READING", "decoded", "frame", "record"]

READING = T.StructType(
    [
        T.StructField("event_id", T.StringType()),
        T.StructField("station_id", T.StringType()),
        T.StructField("observed_at", T.TimestampType()),
        T.StructField("source", T.StringType()),
        T.StructField("origin", T.StringType()),
        T.StructField("revision", T.IntegerType()),
        T.StructField("temperature_c", T.DoubleType()),
        T.StructField("humidity_pct", T.DoubleType()),
        T.StructField("pressure_hpa", T.DoubleType()),
        T.StructField("wind_speed_ms", T.DoubleType()),
        T.StructField("fetched_at", T.TimestampType()),
        T.StructField("quality", T.StringType()),
    ]
)
"""The columns of decoded readings."""


def record(reading: Reading) -> dict[str, Any]:
    """Give a reading as a row."""
    return {"event_id": reading.event_id, **reading.model_dump()}


def frame(spark: SparkSession, records: Iterable[Mapping[str, Any]]) -> DataFrame:
    """Make a frame of readings given as rows."""
    return spark.createDataFrame([tuple(row[name] for name in READING.names) for row in records], READING)


def decoded(spark: SparkSession, messages: Iterable[tuple[Mapping[str, Any] | str, datetime]]) -> DataFrame:
    """Make a frame as the decoder leaves it, of records (or reasons against them) and their append times."""
    schema = (
        T.StructType()
        .add("key", T.BinaryType())
        .add("value", T.BinaryType())
        .add("topic", T.StringType())
        .add("partition", T.IntegerType())
        .add("offset", T.LongType())
        .add("timestamp", T.TimestampType())
        .add(
            "decoded",
            T.StructType()
            .add("schema_id", T.LongType())
            .add("reading", READING)
            .add("reason", T.StringType()),
        )
    )
    rows = []
    for offset, (told, appended_at) in enumerate(messages):
        found = (
            (None, None, told) if isinstance(told, str) else (2, tuple(told[n] for n in READING.names), None)
        )
        rows.append((b"key", b"value", "readings", 0, offset, appended_at, found))
    return spark.createDataFrame(rows, schema)
