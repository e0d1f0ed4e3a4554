"""Readings as frames, as the decoding gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspark.sql import types as T  # noqa: N812 - its usual name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyspark.sql import DataFrame, SparkSession

    from pipeline.readings import Reading

__all__ = ["READING", "frame", "record"]

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
