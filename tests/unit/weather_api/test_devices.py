"""The synthetic fleet: plausible, never twice the same, and hot now and then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import mean

import pytest

from pipeline.config import config_dir
from pipeline.rules import load_rules
from pipeline.stations import Station, load_stations, stations_of
from pipeline.weather_api.climate import Climate
from pipeline.weather_api.devices import Devices

FLEET = stations_of(load_stations(config_dir() / "stations.yaml"), "gateway")
DEVICES = Devices(Climate(7), 7, FLEET)
DAWN = datetime(2026, 7, 1, tzinfo=UTC)
FAR = datetime(2100, 1, 1, tzinfo=UTC)
HOT = load_rules(config_dir() / "rules.yaml")[0]


def day(device: Station, start: datetime = DAWN) -> list[tuple[datetime, float]]:
    """Give a day's temperatures."""
    observed = DEVICES.observations(device, start, start + timedelta(days=1), FAR)
    return [(at, values.temperature_c) for at, values in observed if values.temperature_c is not None]


def test_readings_known_for_a_seed_never_change() -> None:
    # Anybody who compares two runs relies on it.
    assert DEVICES.at(FLEET[0], 1_800_000_000) == (1.12, 53.1, 1016.54, 6.0)


def test_a_device_of_another_fleet_observes_nothing() -> None:
    stranger = Station(id="oslo", name="Oslo", latitude=59.91, longitude=10.75)
    assert DEVICES.observations(stranger, DAWN, DAWN + timedelta(hours=1), FAR) == ()


@pytest.mark.parametrize("device", FLEET, ids=lambda device: device.id)
def test_every_device_crosses_100_fahrenheit_for_some_minutes_and_not_for_most_of_a_winter_day(
    device: Station,
) -> None:
    winter = day(device, datetime(2026, 1, 10, tzinfo=UTC))
    hot = [at for at, value in winter if HOT.crossed_by(value)]
    assert len(winter) == 8640
    assert 4 * 12 <= len(hot) <= len(winter) * 0.05
    # In runs of minutes, not scattered by the noise.
    assert sum(1 for one, other in pairwise(hot) if other - one > timedelta(minutes=30)) == 3


def test_somebody_is_hot_in_every_hour() -> None:
    for hour in range(24):
        start = datetime(2026, 1, 10, hour, tzinfo=UTC)
        assert any(
            HOT.crossed_by(values.temperature_c)
            for device in FLEET
            for _, values in DEVICES.observations(device, start, start + timedelta(hours=1), FAR)
        ), start


def test_the_day_has_its_course() -> None:
    # Noon in Arizona is 19 o'clock UTC.
    temperatures = day(FLEET[8])
    afternoon = mean(value for at, value in temperatures if 21 <= at.hour < 23)
    night = mean(value for at, value in temperatures if 10 <= at.hour < 12)
    assert afternoon > night + 5


def test_one_reading_differs_from_the_next_by_noise_and_no_more() -> None:
    steps = [abs(one - other) for (_, one), (_, other) in pairwise(day(FLEET[3]))]
    assert max(steps) < 1.0
    assert 0.02 < mean(steps) < 0.3


def test_devices_side_by_side_agree_but_for_their_errors() -> None:
    at = int(DAWN.timestamp()) + 1300  # no heat wave at either
    one, other = (DEVICES.at(device, at) for device in (FLEET[4], FLEET[5]))
    assert one != other
    for mine, theirs, most in zip(one, other, (1.2, 5, 1, 2), strict=True):
        assert mine == pytest.approx(theirs, abs=most)
