"""What holds of unit conversion for every value."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from pipeline.units import Metric, from_canonical, to_canonical
from tests.strategies import units

values = st.floats(-1e6, 1e6)


@given(units, values)
def test_there_and_back_is_the_same_value(unit: tuple[Metric, str], value: float) -> None:
    metric, name = unit
    back = from_canonical(to_canonical(value, name, metric), name, metric)
    # Two roundings of a double, the first of which the offset of a scale makes coarser for small values.
    assert math.isclose(back, value, rel_tol=1e-14, abs_tol=1e-12)


@given(units, values, values)
def test_the_greater_value_stays_the_greater(unit: tuple[Metric, str], one: float, other: float) -> None:
    metric, name = unit
    low, high = sorted((one, other))
    assert to_canonical(low, name, metric) <= to_canonical(high, name, metric)


@given(st.integers(-10_000, 10_000))
def test_hundredths_of_a_kelvin_become_hundredths_of_a_degree(hundredths: int) -> None:
    kelvin = float(f"{(hundredths + 27315) / 100:.2f}")
    assert to_canonical(kelvin, "K", "temperature") == float(f"{hundredths / 100:.2f}")


@given(st.integers(-200, 300))
def test_whole_fahrenheit_is_the_nearest_double_of_the_fraction(fahrenheit: int) -> None:
    assert to_canonical(fahrenheit, "°F", "temperature") == (fahrenheit - 32) * 5 / 9


@given(units, st.sampled_from([math.nan, math.inf, -math.inf]))
def test_what_is_no_finite_number_never_becomes_one(unit: tuple[Metric, str], value: float) -> None:
    metric, name = unit
    assert not math.isfinite(to_canonical(value, name, metric))
