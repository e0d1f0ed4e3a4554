"""The synthetic climate over the committed stations and a whole year."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from statistics import mean

import pytest

from pipeline.config import config_dir
from pipeline.readings import Reading
from pipeline.rules import evaluate, load_rules
from pipeline.stations import DEFAULT_SOURCE, Station, load_stations, stations_of
from pipeline.weather_api.climate import Climate
from pipeline.weather_api.weather import hour_of, instant_of

CLIMATE = Climate(7)
STATIONS = {
    station.id: station
    for station in stations_of(load_stations(config_dir() / "stations.yaml"), DEFAULT_SOURCE)
}
NEW_YEAR = hour_of(datetime(2026, 1, 1, tzinfo=UTC))
YEAR = range(NEW_YEAR, NEW_YEAR + 365 * 24)


def temperatures(station: Station, hours: range) -> list[float]:
    """Give a station's temperatures."""
    found = (CLIMATE.at(station.latitude, station.longitude, hour).temperature_c for hour in hours)
    return [value for value in found if value is not None]


def monthly(station_id: str, month: int) -> float:
    """Give the mean temperature of a month."""
    start = hour_of(datetime(2026, month, 1, tzinfo=UTC))
    return mean(temperatures(STATIONS[station_id], range(start, start + 28 * 24, 3)))


def test_weather_known_for_a_seed_never_changes() -> None:
    # Anybody who compares two runs relies on it.
    assert CLIMATE.at(33.45, -112.07, NEW_YEAR) == (13.2, 27.0, 1014.6, 4.2)


def test_summer_is_warmer_than_winter_on_both_hemispheres() -> None:
    assert monthly("chicago", 7) > monthly("chicago", 1) + 15
    assert monthly("alice-springs", 1) > monthly("alice-springs", 7) + 4
    assert monthly("yakutsk", 7) - monthly("yakutsk", 1) > monthly("khartoum", 7) - monthly("khartoum", 1)


def test_it_is_colder_towards_the_poles() -> None:
    means = [
        mean(temperatures(STATIONS[name], YEAR[::37])) for name in ("khartoum", "boston", "longyearbyen")
    ]
    assert means == sorted(means, reverse=True)


@pytest.mark.parametrize("name", ["phoenix", "tel-aviv-district", "marble-bar", "new-york"])
def test_afternoons_are_warmer_than_mornings_and_drier(name: str) -> None:
    station = STATIONS[name]
    offset = round(station.longitude / 15)
    for day in range(0, 365, 15):
        morning, afternoon = (
            CLIMATE.at(station.latitude, station.longitude, NEW_YEAR + day * 24 + solar - offset)
            for solar in (4, 15)
        )
        assert morning.temperature_c is not None
        assert afternoon.temperature_c is not None
        assert morning.humidity_pct is not None
        assert afternoon.humidity_pct is not None
        assert afternoon.temperature_c > morning.temperature_c
        assert afternoon.humidity_pct <= morning.humidity_pct


def test_weather_changes_smoothly_from_hour_to_hour() -> None:
    for station in list(STATIONS.values())[::4]:
        values = [CLIMATE.at(station.latitude, station.longitude, hour) for hour in YEAR[: 30 * 24]]
        for before, after in pairwise(values):
            assert abs((after.temperature_c or 0) - (before.temperature_c or 0)) < 6
            assert abs((after.pressure_hpa or 0) - (before.pressure_hpa or 0)) < 6


def test_each_day_somewhere_it_is_over_100_fahrenheit_in_the_afternoon() -> None:
    rules = load_rules(config_dir() / "rules.yaml")[:1]
    assert rules[0].id == "heat-100f"
    for day in range(0, 365, 9):
        hot = {
            (station.id, hour)
            for station in STATIONS.values()
            for hour in range(NEW_YEAR + day * 24, NEW_YEAR + day * 24 + 24, 2)
            if rules[0].crossed_by(CLIMATE.at(station.latitude, station.longitude, hour).temperature_c)
        }
        assert hot, f"nobody is hot on day {day}"


def reading(station: Station, hour: int) -> Reading:
    """Give the reading of a station."""
    values = CLIMATE.at(station.latitude, station.longitude, hour)
    return Reading(
        station_id=station.id,
        observed_at=instant_of(hour),
        source="open-meteo",
        origin="synthetic",
        fetched_at=instant_of(hour),
        **values._asdict(),
    )


def test_every_rule_is_crossed_somewhere_in_a_year_but_none_always() -> None:
    rules = load_rules(config_dir() / "rules.yaml")
    readings = [reading(station, hour) for station in STATIONS.values() for hour in YEAR[::97]]
    counts = dict.fromkeys((rule.id for rule in rules), 0)
    for item in readings:
        for alert in evaluate(rules, item):
            counts[alert.rule_id] += 1
    assert all(count < len(readings) / 3 for count in counts.values()), counts
    assert all(counts[name] for name in ("heat-100f", "frost", "extreme-cold", "gale", "deep-low")), counts


def test_another_seed_is_another_weather() -> None:
    assert Climate(8).at(50, 5, NEW_YEAR) != CLIMATE.at(50, 5, NEW_YEAR)
