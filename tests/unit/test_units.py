"""Units become canonical exactly, in one place."""

from __future__ import annotations

import math

import pytest

from pipeline.units import (
    CANONICAL,
    METRICS,
    Metric,
    UnitError,
    dimension,
    from_canonical,
    to_canonical,
    units_of,
)


@pytest.mark.parametrize(
    ("value", "unit", "metric", "expected"),
    [
        (100, "°F", "temperature", 37.77777777777778),
        (32, "°F", "temperature", 0.0),
        (-40, "°F", "temperature", -40.0),
        (300.15, "K", "temperature", 27.0),
        (273.15, "K", "temperature", 0.0),
        (21.5, "°C", "temperature", 21.5),
        (101325, "Pa", "pressure", 1013.25),
        (1013.25, "hPa", "pressure", 1013.25),
        (36, "km/h", "wind_speed", 10.0),
        (1, "mph", "wind_speed", 0.44704),
        (1, "kn", "wind_speed", 0.5144444444444445),
        (17.2, "m/s", "wind_speed", 17.2),
        (55, "%", "humidity", 55.0),
    ],
)
def test_a_value_becomes_the_nearest_double_of_the_exact_result(
    value: float, unit: str, metric: Metric, expected: float
) -> None:
    assert to_canonical(value, unit, metric) == expected


@pytest.mark.parametrize(
    ("value", "unit", "metric", "expected"),
    [
        (45.0, "°F", "temperature", 113.0),
        (10.0, "km/h", "wind_speed", 36.0),
        (27.0, "K", "temperature", 300.15),
    ],
)
def test_a_canonical_value_is_written_in_another_unit(
    value: float, unit: str, metric: Metric, expected: float
) -> None:
    assert from_canonical(value, unit, metric) == expected


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_finite_number_stays_what_it_is(value: float) -> None:
    assert str(to_canonical(value, "°F", "temperature")) == str(value)
    assert str(from_canonical(value, "°F", "temperature")) == str(value)


def test_an_unknown_unit_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnitError, match="unknown unit '°R'; known are °C, °F, K, %, hPa"):
        to_canonical(1, "°R", "temperature")


def test_a_unit_of_another_dimension_is_refused_with_those_that_fit() -> None:
    with pytest.raises(UnitError, match="unit 'Pa' measures pressure, not temperature; use °C or °F or K"):
        to_canonical(1, "Pa", "temperature")


def test_each_metric_has_a_canonical_unit_that_is_listed_first() -> None:
    assert [CANONICAL[metric] for metric in METRICS] == [units_of(metric)[0] for metric in METRICS]
    assert [dimension(CANONICAL[metric]) for metric in METRICS] == list(METRICS)
