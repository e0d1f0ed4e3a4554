"""What holds of every rule and reading."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from pipeline.readings import FIELDS, Reading
from pipeline.rules import Rule, evaluate, nearest
from pipeline.units import METRICS, Metric, to_canonical
from tests.strategies import readings, rules, units

if TYPE_CHECKING:
    from pipeline.rules import Comparison

OPPOSITE: dict[Comparison, Comparison] = {">": "<=", ">=": "<", "<": ">=", "<=": ">"}


@given(rules(), readings())
def test_of_a_rule_and_its_opposite_exactly_one_is_crossed_by_a_value(rule: Rule, reading: Reading) -> None:
    opposite = replace(rule, comparison=OPPOSITE[rule.comparison])
    crossed = len(evaluate([rule, opposite], reading))
    assert crossed == (0 if reading.value(rule.metric) is None else 1)


@given(rules(), st.sampled_from([math.nan, None]))
def test_nan_and_nothing_cross_no_line(rule: Rule, value: float | None) -> None:
    assert not rule.crossed_by(value)


@given(rules(), readings())
def test_only_values_at_the_threshold_tell_strict_from_inclusive(rule: Rule, reading: Reading) -> None:
    at = reading.model_copy(update={FIELDS[rule.metric]: rule.threshold})
    assert [alert.value for alert in evaluate([rule], at)] == [rule.threshold] * (len(rule.comparison) - 1)


@given(st.lists(rules(), max_size=6, unique_by=lambda rule: rule.id), readings())
def test_alerts_are_in_the_order_of_the_rules_and_have_ids_of_their_own(
    some: list[Rule], reading: Reading
) -> None:
    alerts = evaluate(some, reading)
    order = [rule.id for rule in some]
    assert [alert.rule_id for alert in alerts] == sorted((a.rule_id for a in alerts), key=order.index)
    assert len({alert.alert_id for alert in alerts}) == len(alerts)
    assert alerts == evaluate(some, reading)


@given(units, st.integers(-500, 1500), st.integers(-500, 1500))
def test_a_line_is_crossed_by_the_same_quantities_in_whatever_unit_it_was_drawn(
    unit: tuple[Metric, str], threshold: int, value: int
) -> None:
    metric, name = unit
    line = to_canonical(threshold, name, metric)
    rule = Rule("r", metric, ">", line, "", "info", "over")
    assert rule.crossed_by(to_canonical(value, name, metric)) == (value > threshold)


@given(st.lists(rules(), min_size=1, max_size=4), st.lists(readings(), max_size=6))
def test_the_nearest_is_at_distance_nought_where_an_alert_is_raised(
    some: list[Rule], many: list[Reading]
) -> None:
    found = nearest(some, many)
    measured = any(reading.value(rule.metric) is not None for rule in some for reading in many)
    assert (found is None) == (not measured)
    if any(evaluate(some, reading) for reading in many):
        assert found is not None
        assert found.distance == 0
    if found is not None:
        assert found.distance >= 0
        assert found.value == found.reading.value(found.rule.metric)


def test_every_metric_has_a_field() -> None:
    assert list(FIELDS) == list(METRICS)
