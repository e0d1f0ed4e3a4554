"""The rules as columns against the rules in Python."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from pipeline.readings import FIELDS, Reading
from pipeline.rules import Rule, evaluate
from pipeline.schemas import avro_schema
from pipeline.streaming.alerts import ALERT_FIELDS, alerts, crossed
from pipeline.streaming.decode import judged
from tests import profiles, strategies
from tests.unit.streaming.frames import decoded, record

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from pipeline.rules import Comparison

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
# Later than any of the readings, or they would be from the future.
APPENDED = datetime(2101, 1, 1, tzinfo=UTC)
HEAT = Rule("heat", "temperature", ">", 30.0, "°C", "critical", "Hot")


def reading(**values: Any) -> Reading:
    return Reading.parse(
        {
            "station_id": "oslo",
            "observed_at": NOON,
            "source": "open-meteo",
            "origin": "live",
            "fetched_at": NOON,
            **values,
        }
    )


def raised(spark: SparkSession, rules: list[Rule], *records: dict[str, Any]) -> list[dict[str, Any]]:
    messages = judged(decoded(spark, [(one, APPENDED) for one in records]))
    found = [alert for row in alerts(messages, rules).collect() for alert in row["alerts"] or []]
    assert {APPENDED} >= {alert["raised_at"].astimezone(UTC) for alert in found}
    return [
        {name: value for name, value in alert.asDict().items() if name != "raised_at"}
        | {"observed_at": alert["observed_at"].astimezone(UTC)}
        for alert in found
    ]


@profiles.SPARK_FEW
@given(
    rules=st.lists(strategies.rules(), min_size=1, max_size=6, unique_by=lambda rule: rule.id),
    readings=st.lists(strategies.readings(), min_size=10, max_size=30),
)
def test_columns_raise_the_same_alerts_as_the_rules(
    spark: SparkSession, rules: list[Rule], readings: list[Reading]
) -> None:
    expected = [alert.model_dump() for one in readings for alert in evaluate(rules, one)]

    assert expected == raised(spark, rules, *map(record, readings))


def test_at_the_line(spark: SparkSession) -> None:
    above, below = math.nextafter(30.0, 31.0), math.nextafter(30.0, 29.0)
    comparisons: tuple[Comparison, ...] = (">", ">=", "<", "<=")
    rules = [
        Rule(f"is-{number}", "temperature", comparison, 30.0, "°C", "info", comparison)
        for number, comparison in enumerate(comparisons)
    ]
    values = [below, 30.0, above, math.nan, None]

    found = raised(spark, rules, *(record(reading()) | {"temperature_c": value} for value in values))

    assert [(below, "<"), (below, "<="), (30.0, ">="), (30.0, "<="), (above, ">"), (above, ">=")] == [
        (alert["value"], alert["message"]) for alert in found
    ]


def test_what_is_no_number_crosses_no_line_whoever_let_it_through(spark: SparkSession) -> None:
    """NaN is poison already; should it ever be none, it still is greater than everything to Spark."""
    rows = spark.createDataFrame([(math.nan,), (None,), (31.0,)], "temperature_c double")

    found = rows.select(crossed(HEAT, F.struct("temperature_c"))).collect()

    assert [False, False, True] == [row[0] for row in found]


def test_one_reading_raises_one_alert_for_each_rule_that_it_crosses(spark: SparkSession) -> None:
    gale = Rule("gale", "wind_speed", ">=", 17.2, "m/s", "warning", "Gale")

    found = raised(spark, [HEAT, gale], record(reading(temperature_c=31.0, wind_speed_ms=20.0)))

    assert [("heat", 31.0, "°C"), ("gale", 20.0, "m/s")] == [
        (alert["rule_id"], alert["value"], alert["unit"]) for alert in found
    ]


def test_every_message_gives_a_row_with_its_offset_and_only_alerts_an_array(spark: SparkSession) -> None:
    hot, mild = record(reading(temperature_c=31.0)), record(reading(temperature_c=1.0))
    messages = judged(decoded(spark, [(mild, NOON), ("no value", NOON), (hot, NOON)]))

    found = alerts(messages, [HEAT]).collect()

    assert [(0, 0, None), (0, 1, None), (0, 2, 1)] == [
        (row["partition"], row["offset"], row["alerts"] and len(row["alerts"])) for row in found
    ]


def test_poison_raises_nothing_though_it_crosses_a_line(spark: SparkSession) -> None:
    assert [] == raised(spark, [HEAT], record(reading(temperature_c=31.0)) | {"event_id": "7"})


def test_the_fields_are_those_of_the_schema() -> None:
    assert tuple(field["name"] for field in avro_schema("alert.v1.avsc")["fields"]) == ALERT_FIELDS


def test_every_metric_has_a_column(spark: SparkSession) -> None:
    rules = [Rule(metric.replace("_", "-"), metric, "<", 1e9, "x", "info", "Any") for metric in FIELDS]
    one = reading(temperature_c=1.0, humidity_pct=2.0, pressure_hpa=900.0, wind_speed_ms=4.0)

    assert [1.0, 2.0, 900.0, 4.0] == [alert["value"] for alert in raised(spark, rules, record(one))]
