"""From Kafka's rows to readings: what the Java decoder makes of a value, and what of that is no reading.

The decoder (spark/jvm) reads each body with the schema that it was written with. What it cannot read is
poison, and so is a record that no reading can be, such as one from the future: both get a reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F  # noqa: N812 - its usual name

from pipeline.readings import FIELDS, LIMITS, ORIGINS, SLUG
from pipeline.streaming.jvm import DECODER
from pipeline.units import METRICS

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

__all__ = ["FUTURE_SECONDS", "decode", "implausible", "judged", "on_time", "readings"]

FUTURE_SECONDS = 300
"""A reading observed later than this after its append time is dead-lettered: clocks differ by seconds, not by
minutes, and one reading from the future would move the watermark and silence every station."""

_SLUG_LENGTH = 64
# To the very end: Java's `$` lets a line break follow.
_NAME = SLUG.removesuffix("$") + r"\z"
_UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\z"
_EARLIEST = "1900-01-01"
# When a reading was fetched decides nothing; but a time that no client of Cassandra's can show is no time.
_FETCHED_AHEAD_SECONDS = 86_400


def decode(messages: DataFrame) -> DataFrame:
    """Decode Kafka's rows, the decoder being registered: adds `schema_id`, `reading` (a struct) and `reason`.

    `reason` is null for a reading and tells, in words, why any other message is poison.
    """
    return judged(messages.withColumn("decoded", F.call_function(DECODER, F.col("value"))))


def judged(decoded: DataFrame) -> DataFrame:
    """Judge what the decoder gave (column `decoded`) by the limits of a reading; see `decode`."""
    # Nothing here is computed twice: the decoder counts as not deterministic, so Spark keeps its step whole
    # instead of putting it in the place of each of the forty mentions below.
    broken = _contract(F.col("decoded.reading"), F.col("timestamp"))
    return decoded.select(
        *(name for name in decoded.columns if name != "decoded"),
        "decoded.schema_id",
        "decoded.reading",
        F.coalesce(F.col("decoded.reason"), broken).alias("reason"),
    )


def on_time(observed_at: Column, appended_at: Column, allowed_lateness_seconds: int) -> Column:
    """Tell whether a reading reached the topic in time; both times are the record's own, also on a replay."""
    # Not their difference: of a time at the end of all numbers, which poison may have, there is none, and
    # Spark fails for want of it.
    return observed_at >= appended_at - F.expr(f"INTERVAL {allowed_lateness_seconds} SECONDS")


def readings(decoded: DataFrame, allowed_lateness_seconds: int) -> DataFrame:
    """Give the readings among decoded messages.

    A column per field, `appended_at` (the broker's time) and `on_time`.
    """
    appended_at = F.col("timestamp")
    in_time = on_time(F.col("reading.observed_at"), appended_at, allowed_lateness_seconds)
    return decoded.where(F.col("reason").isNull()).select(
        "reading.*", appended_at.alias("appended_at"), in_time.alias("on_time")
    )


def _contract(reading: Column, appended_at: Column) -> Column:
    """Tell what a decoded record is that it must not be (pipeline.readings.Reading's limits), else null."""

    def said(field: str, what: str) -> Column:
        return F.concat(F.lit(f"{field} is "), reading[field].cast("string"), F.lit(what))

    def no_slug(field: str) -> Column:
        return ~(reading[field].rlike(_NAME) & (F.length(reading[field]) <= _SLUG_LENGTH))

    def later(field: str, seconds: int) -> tuple[Column, Column]:
        limit = appended_at + F.expr(f"INTERVAL {seconds} SECONDS")
        reason = F.concat(said(field, ", more than "), F.lit(f"{seconds} s in the future"))
        return reading[field] > limit, reason

    def earlier(field: str) -> tuple[Column, Column]:
        return reading[field] < F.lit(_EARLIEST).cast("timestamp"), said(field, f", before {_EARLIEST}")

    checks = [
        (~reading["event_id"].rlike(_UUID), said("event_id", ", no UUID")),
        *((no_slug(field), said(field, ", no name")) for field in ("station_id", "source")),
        (~reading["origin"].isin(list(ORIGINS)), said("origin", f", none of {', '.join(ORIGINS)}")),
        (reading["revision"] < 1, said("revision", ", less than 1")),
        later("observed_at", FUTURE_SECONDS),
        earlier("observed_at"),
        later("fetched_at", _FETCHED_AHEAD_SECONDS),
        earlier("fetched_at"),
    ]
    for metric in METRICS:
        low, high = LIMITS[metric]
        field = FIELDS[metric]
        checks.append(
            (implausible(reading[field], low, high), said(field, f", outside of {low:g} to {high:g}"))
        )
    return F.coalesce(*(F.when(wrong, reason) for wrong, reason in checks))


def implausible(value: Column, low: float, high: float) -> Column:
    """Tell whether a value is outside of [low, high]; NaN is, null is not (it may be absent)."""
    # In Spark NaN is greater than any number and equal to itself, so the upper bound catches it, as it does
    # infinity.
    return F.coalesce((value < low) | (value > high), F.lit(False))  # noqa: FBT003 - a literal column
