"""Framing and limits. What needs Spark's Avro is tested with the image, in tests/integration."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pyspark.sql import functions as F  # noqa: N812 - its usual name

from pipeline.streaming.decode import frame, framed_schema_id, implausible

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


FRAMED = {
    b"\x00\x00\x00\x00\x07body": 7,
    b"\x00\x00\x00\x00\x07": 7,
    b"\x00\x01\x02\x03\x04x": 0x01020304,
    b"\x00\xff\xff\xff\xffx": 0xFFFFFFFF,
    b"\x00\x00\x00\x07": None,
    b"\x01\x00\x00\x00\x07body": None,
    b"": None,
    None: None,
}
IMPLAUSIBLE = {
    -100.0: False,
    70.0: False,
    math.nextafter(70.0, 71.0): True,
    math.nextafter(-100.0, -101.0): True,
    math.nan: True,
    math.inf: True,
    -math.inf: True,
    None: False,
}


def test_the_schema_id_of_a_message(spark: SparkSession) -> None:
    rows = [(None if value is None else bytearray(value),) for value in FRAMED]

    found = spark.createDataFrame(rows, "value binary").select(framed_schema_id(F.col("value"))).collect()

    assert list(FRAMED.values()) == [schema_id for (schema_id,) in found]


def test_a_framed_body_tells_its_schema_id(spark: SparkSession) -> None:
    ids = [0, 1, 258, 2**31 - 1]
    rows = spark.createDataFrame([(bytearray(b"body"),)], "body binary")

    (framed,) = rows.select(*(frame(schema_id, F.col("body")) for schema_id in ids)).collect()

    assert [b"\x00" + schema_id.to_bytes(4, "big") + b"body" for schema_id in ids] == list(map(bytes, framed))


def test_what_is_outside_of_the_limits(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(value,) for value in IMPLAUSIBLE], "value double")

    found = rows.select(implausible(F.col("value"), -100.0, 70.0)).collect()

    assert list(IMPLAUSIBLE.values()) == [outside for (outside,) in found]
