"""What holds of the synthetic climate anywhere, at any time, for any seed."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from pipeline.readings import LIMITS
from pipeline.units import METRICS
from pipeline.weather_api.climate import Climate
from pipeline.weather_api.weather import Values

latitudes = st.floats(-90, 90)
longitudes = st.floats(-180, 180)
hours = st.integers(0, 130 * 8766)
seeds = st.integers(0, 2**32)


@given(seeds, latitudes, longitudes, hours)
def test_the_weather_is_within_what_was_ever_measured(
    seed: int, latitude: float, longitude: float, hour: int
) -> None:
    values = Climate(seed).at(latitude, longitude, hour)
    for metric, value in zip(METRICS, values, strict=True):
        low, high = LIMITS[metric]
        assert value is not None
        assert low <= value <= high
    temperature, humidity, pressure, wind = (value or 0.0 for value in values)
    assert -90 <= temperature <= 58
    assert 2 <= humidity <= 100
    assert 900 <= pressure <= 1085
    assert wind <= 70


@given(seeds, latitudes, longitudes, hours)
def test_the_same_seed_place_and_hour_is_the_same_weather(
    seed: int, latitude: float, longitude: float, hour: int
) -> None:
    assert Climate(seed).at(latitude, longitude, hour) == Climate(seed).at(latitude, longitude, hour)


@given(seeds, latitudes, longitudes, st.integers(0, 130 * 365))
def test_the_warmest_hour_of_a_day_is_in_the_afternoon(
    seed: int, latitude: float, longitude: float, day: int
) -> None:
    climate = Climate(seed)
    offset = longitude / 15

    def around(solar_hour: float) -> float:
        at = climate.at(latitude, longitude, day * 24 + solar_hour - offset)
        return at.temperature_c or 0.0

    # A front may make any single day an exception; the mean of a fortnight is the sun's.
    days = range(0, 14 * 24, 24)
    assert math.fsum(around(15.0 + d) for d in days) > math.fsum(around(3.0 + d) for d in days)


@given(latitudes, hours)
def test_the_date_line_is_no_border(latitude: float, hour: int) -> None:
    west, east = (Climate(7).at(latitude, longitude, hour) for longitude in (-180.0, 180.0))
    # The solar day is 24 hours on, so all but the phase of gusts is the same.
    assert math.isclose(west.temperature_c or 0, east.temperature_c or 0, abs_tol=0.11)
    assert math.isclose(west.pressure_hpa or 0, east.pressure_hpa or 0, abs_tol=0.11)


def test_values_have_a_place_for_each_metric() -> None:
    assert len(Values._fields) == len(METRICS)
