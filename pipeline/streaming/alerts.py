"""The rules as columns: each reading that crosses one gives an alert."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F  # noqa: N812 - its usual name

from pipeline.readings import FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyspark.sql import Column, DataFrame

    from pipeline.rules import Comparison, Rule

__all__ = ["ALERT_FIELDS", "alerts", "crossed"]

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
"""The fields of alert.v1.avsc, in its order; the writer (galewatch.spark.Alert) takes them by place."""

_COMPARE: dict[Comparison, Callable[[Column, Column], Column]] = {
    ">": lambda value, threshold: value > threshold,
    ">=": lambda value, threshold: value >= threshold,
    "<": lambda value, threshold: value < threshold,
    "<=": lambda value, threshold: value <= threshold,
}


def crossed(rule: Rule, reading: Column) -> Column:
    """Tell whether a reading crosses the rule's line; neither an absent value nor NaN ever does."""
    value = reading[FIELDS[rule.metric]]
    # In Spark NaN is greater than every number: without the check it would cross every upper line.
    over = _COMPARE[rule.comparison](value, F.lit(rule.threshold)) & ~F.isnan(value)
    return F.coalesce(over, F.lit(False))  # noqa: FBT003 - a literal column


def alerts(decoded: DataFrame, rules: Sequence[Rule]) -> DataFrame:
    """Give for each message a row (partition, offset, alerts): an alert for each rule that it crosses.

    `alerts` is null where none is, poison included: such a row only tells the writer how far the query has
    come. Stateless, without a Python function and without `explode`, as Real-Time Mode wants it; and all of
    it comes from the message, so that each copy and each replay gives the very same rows.
    """
    reading = F.col("reading")
    crossings = [crossed(rule, reading) for rule in rules]
    raised = F.array_compact(
        F.array(*(F.when(over, _alert(rule, reading)) for rule, over in zip(rules, crossings, strict=True)))
    )
    # Hardly any reading crosses a line: for the others no array is made at all.
    some = crossings[0]
    for over in crossings[1:]:
        some |= over
    return decoded.select(
        "partition", "offset", F.when(F.col("reason").isNull() & some, raised).alias("alerts")
    )


def _alert(rule: Rule, reading: Column) -> Column:
    values = {
        "alert_id": F.concat_ws("/", reading["event_id"], F.lit(rule.id)),
        "rule_id": F.lit(rule.id),
        "severity": F.lit(rule.severity),
        "metric": F.lit(rule.metric),
        "value": reading[FIELDS[rule.metric]],
        "threshold": F.lit(rule.threshold),
        "unit": F.lit(rule.unit),
        "message": F.lit(rule.message),
        # When the reading reached the topic, from where an alert is raised within milliseconds; a clock of
        # the query's would give each copy and each replay another time.
        "raised_at": F.col("timestamp"),
    }
    return F.struct(
        *((values[name] if name in values else reading[name]).alias(name) for name in ALERT_FIELDS)
    )
