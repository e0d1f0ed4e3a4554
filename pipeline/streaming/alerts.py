"""The rules as columns: each reading that crosses one gives an alert."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F  # noqa: N812 - its usual name
from pyspark.sql.avro.functions import to_avro

from pipeline.readings import FIELDS
from pipeline.streaming.decode import frame

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyspark.sql import Column, DataFrame

    from pipeline.rules import Comparison, Rule

__all__ = ["ALERT_FIELDS", "alerts", "crossed", "messages"]

ALERT_FIELDS = (
    "alert_id",
    "rule_id",
    "severity",
    "station_id",
    "observed_at",
    "source",
    "origin",
    "event_id",
    "revision",
    "metric",
    "value",
    "threshold",
    "unit",
    "message",
    "raised_at",
)
"""The fields of alert.v1.avsc, in its order."""

_COMPARE: dict[Comparison, Callable[[Column, Column], Column]] = {
    ">": lambda value, threshold: value > threshold,
    ">=": lambda value, threshold: value >= threshold,
    "<": lambda value, threshold: value < threshold,
    "<=": lambda value, threshold: value <= threshold,
}


def crossed(rule: Rule) -> Column:
    """Tell whether a reading crosses the rule's line; neither an absent value nor NaN ever does."""
    value = F.col(FIELDS[rule.metric])
    # In Spark NaN is greater than every number: without the check it would cross every upper line.
    over = _COMPARE[rule.comparison](value, F.lit(rule.threshold)) & ~F.isnan(value)
    return F.coalesce(over, F.lit(False))  # noqa: FBT003 - a literal column


def alerts(readings: DataFrame, rules: Sequence[Rule]) -> DataFrame:
    """Give one row for each reading and each rule that it crosses; `raised_at` is the time of the batch.

    All that the row holds comes from the event, and the batch's time is in the checkpoint: a replayed batch
    gives the very same rows.
    """
    raised = F.array_compact(F.array(*(F.when(crossed(rule), _raised(rule)) for rule in rules)))
    return (
        readings.withColumn("rule", F.explode(raised))
        .withColumn("raised_at", F.current_timestamp())
        .select("*", "rule.*")
        .select(F.concat_ws("/", "event_id", "rule_id").alias("alert_id"), *ALERT_FIELDS[1:])
    )


def messages(alerts: DataFrame, schema_id: int, schema: str) -> DataFrame:
    """Give the alerts as rows for Kafka's sink: keyed by station, in Avro framed with `schema_id`."""
    body = to_avro(F.struct(*ALERT_FIELDS), schema)
    return alerts.select(
        F.col("station_id").cast("binary").alias("key"), frame(schema_id, body).alias("value")
    )


def _raised(rule: Rule) -> Column:
    return F.struct(
        F.lit(rule.id).alias("rule_id"),
        F.lit(rule.severity).alias("severity"),
        F.lit(rule.metric).alias("metric"),
        F.col(FIELDS[rule.metric]).alias("value"),
        F.lit(rule.threshold).alias("threshold"),
        F.lit(rule.unit).alias("unit"),
        F.lit(rule.message).alias("message"),
    )
