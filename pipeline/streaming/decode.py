"""From Kafka's bytes to readings, in the JVM: framing, Avro by the writer's schema, and what is poison.

A framed message is one byte 0, the writer's schema id as four big-endian bytes, and the Avro body. Avro has
no field tags: a body read with another schema than its writer's gives junk, not an error. So each known id
has its own decoder.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.sql import functions as F  # noqa: N812 - its usual name
from pyspark.sql.avro.functions import from_avro

from pipeline.readings import FIELDS, LIMITS, ORIGINS, SLUG
from pipeline.units import METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import Column, DataFrame

__all__ = [
    "FUTURE_SECONDS",
    "UNKNOWN_SCHEMA",
    "WriterSchemas",
    "decode",
    "frame",
    "framed_schema_id",
    "implausible",
    "readings",
    "refused",
]

FUTURE_SECONDS = 300
"""A reading observed later than this after its append time is dead-lettered: clocks differ by seconds, not by
minutes, and one reading from the future would move the watermark and silence every station."""

UNKNOWN_SCHEMA = "unknown writer schema"
"""Begins the text of the error that stops a query at an id that was not known when it started."""

_HEADER_BYTES = 5
_SLUG_LENGTH = 64
_UUID = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
_EARLIEST = "1900-01-01"


@dataclass(frozen=True, slots=True)
class WriterSchemas:
    """What a query knows when it starts: `reader` and `by_id` are Avro schemas as JSON text.

    `rejected` are ids that the registry was asked for and that are no schema of the topic: their messages
    are poison. Any other id stops the query. It may be a version registered a moment ago, so it must
    neither be guessed nor lost: the driver then asks the registry, and its restart knows the id in the one
    way or the other. A restart happens at most once for each id.
    """

    reader: str
    by_id: Mapping[int, str]
    rejected: frozenset[int] = frozenset()


def framed_schema_id(value: Column) -> Column:
    """Give the schema id of a framed message (bigint), or null where it is not framed."""
    framed = (F.octet_length(value) >= _HEADER_BYTES) & (F.substring(value, 1, 1) == F.lit(bytearray([0])))
    return F.when(framed, F.conv(F.hex(F.substring(value, 2, 4)), 16, 10).cast("bigint"))


def frame(schema_id: int, body: Column) -> Column:
    """Put the magic byte and the schema id before an Avro body."""
    return F.concat(_header(schema_id), body)


def decode(messages: DataFrame, schemas: WriterSchemas) -> DataFrame:
    """Decode Kafka's rows: adds `schema_id`, `reading` (a struct) and `reason`.

    `reason` is null for a reading and tells, in words, why any other message is poison.
    Raises, when it runs, an error that begins with UNKNOWN_SCHEMA at an id that `schemas` does not tell of.
    """
    value, schema_id = F.col("value"), framed_schema_id(F.col("value"))
    header = F.substring(value, 1, _HEADER_BYTES)
    body = F.expr(f"substring(value, {_HEADER_BYTES + 1})")
    options = {"mode": "PERMISSIVE", "avroSchema": schemas.reader}
    # The first branch only gives the column its type, whatever the registry knows.
    reading = F.when(F.lit(False), from_avro(body, schemas.reader, options))  # noqa: FBT003 - a literal column
    for known, writer in sorted(schemas.by_id.items()):
        reading = reading.when(header == _header(known), from_avro(body, writer, options))
    reading = reading.when(schema_id.isNull() | schema_id.isin(sorted(schemas.rejected)), None)
    reading = reading.otherwise(
        F.raise_error(F.concat(F.lit(f"{UNKNOWN_SCHEMA} "), schema_id.cast("string")))
    )

    # Through an array of one, which the optimizer does not look into: else it pushes each condition on a
    # field below this step and puts the whole decoding in its place, forty times over.
    decoded = messages.withColumn("reading", F.explode(F.array(reading)))
    return decoded.withColumn("schema_id", schema_id).withColumn("reason", _reason(schemas.rejected))


def readings(decoded: DataFrame) -> DataFrame:
    """Give the readings among decoded messages: a column per field, and `appended_at`, the broker's time."""
    return decoded.where(F.col("reason").isNull()).select(
        "reading.*", F.col("timestamp").alias("appended_at")
    )


def refused(decoded: DataFrame) -> DataFrame:
    """Give the poison among decoded messages, as it came, with `schema_id` and `reason`."""
    return decoded.where(F.col("reason").isNotNull()).drop("reading")


def _reason(rejected: frozenset[int]) -> Column:
    value, schema_id = F.col("value"), F.col("schema_id")
    checks = [
        (value.isNull(), F.lit("no value")),
        (F.octet_length(value) < _HEADER_BYTES, F.lit("shorter than a framed message")),
        (
            schema_id.isNull(),
            F.concat(F.lit("magic byte 0x"), F.hex(F.substring(value, 1, 1)), F.lit(" is not 0x00")),
        ),
        (
            schema_id.isin(sorted(rejected)),
            F.concat(
                F.lit("schema id "), schema_id.cast("string"), F.lit(" is no version of this topic's schema")
            ),
        ),
        # PERMISSIVE gives a struct of nulls for a body that cannot be decoded; a required field tells it
        # apart.
        (F.col("reading.event_id").isNull(), F.lit("cannot be decoded with its writer schema")),
        *_contract(F.col("reading"), F.col("timestamp")),
    ]
    return F.coalesce(*(F.when(wrong, reason) for wrong, reason in checks))


def _contract(reading: Column, appended_at: Column) -> list[tuple[Column, Column]]:
    """List what a decoded record must not be: the limits of pipeline.readings.Reading, as columns."""

    def said(field: str, what: str) -> Column:
        return F.concat(F.lit(f"{field} is "), reading[field].cast("string"), F.lit(what))

    def no_slug(field: str) -> Column:
        return ~(reading[field].rlike(SLUG) & (F.length(reading[field]) <= _SLUG_LENGTH))

    observed_at = reading["observed_at"]
    limit = appended_at + F.expr(f"INTERVAL {FUTURE_SECONDS} SECONDS")
    checks = [
        (~reading["event_id"].rlike(_UUID), said("event_id", ", no UUID")),
        *((no_slug(field), said(field, ", no name")) for field in ("station_id", "source")),
        (~reading["origin"].isin(list(ORIGINS)), said("origin", f", none of {', '.join(ORIGINS)}")),
        (reading["revision"] < 1, said("revision", ", less than 1")),
        (
            observed_at > limit,
            F.concat(said("observed_at", ", more than "), F.lit(f"{FUTURE_SECONDS} s in the future")),
        ),
        (observed_at < F.lit(_EARLIEST).cast("timestamp"), said("observed_at", f", before {_EARLIEST}")),
    ]
    for metric in METRICS:
        low, high = LIMITS[metric]
        field = FIELDS[metric]
        checks.append(
            (implausible(reading[field], low, high), said(field, f", outside of {low:g} to {high:g}"))
        )
    return checks


def implausible(value: Column, low: float, high: float) -> Column:
    """Tell whether a value is outside of [low, high]; NaN is, null is not (it may be absent)."""
    # In Spark NaN is greater than any number and equal to itself, so the upper bound catches it, as it does
    # infinity.
    return F.coalesce((value < low) | (value > high), F.lit(False))  # noqa: FBT003 - a literal column


def _header(schema_id: int) -> Column:
    return F.lit(bytearray([0]) + schema_id.to_bytes(4, "big"))
