"""What a fleet's devices say, and when."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.config import config_dir
from pipeline.errors import ConfigError
from pipeline.rules import evaluate, load_rules
from pipeline.simulate.fleet import Fleet

START = datetime(2026, 7, 1, 12, tzinfo=UTC)
RULES = load_rules(config_dir() / "rules.yaml")


def test_readings_are_due_evenly_and_devices_take_turns() -> None:
    fleet = Fleet(devices=3, rate=2.0)
    readings = [fleet.reading(number, START) for number in range(4)]
    assert ["sim-0001", "sim-0002", "sim-0003", "sim-0001"] == [one.station_id for one in readings]
    assert [START + timedelta(seconds=number / 2) for number in range(4)] == [
        one.observed_at for one in readings
    ]


@pytest.mark.parametrize(("devices", "rate"), [(1, 1000), (7, 333.3), (100, 20_000), (1, 0.1)])
def test_no_two_readings_are_the_same_observation(devices: int, rate: float) -> None:
    fleet = Fleet(devices, rate)
    ids = {fleet.reading(number, START).event_id for number in range(3000)}
    assert 3000 == len(ids)


def test_the_same_fleet_says_the_same_again() -> None:
    first, second = ([Fleet(5, 10.0, 20).reading(number, START) for number in range(100)] for _ in range(2))
    assert first == second


@pytest.mark.parametrize("percent", [0, 0.1, 1, 50, 100])
def test_the_share_of_hot_readings_is_met_within_a_few(percent: float) -> None:
    fleet = Fleet(100, 300.0, percent)
    hot = sum(fleet.is_hot(number) for number in range(10_000))
    assert abs(hot - 100 * percent) <= 3


def test_hot_readings_are_not_always_of_the_same_devices() -> None:
    fleet = Fleet(100, 300.0, 1)
    devices = Counter(fleet.reading(n, START).station_id for n in range(10_000) if fleet.is_hot(n))
    assert len(devices) > 50


def test_a_hot_reading_raises_the_heat_alert_and_no_other_reading_any() -> None:
    fleet = Fleet(10, 1.0, 30)
    for number in range(5000):
        raised = [alert.rule_id for alert in evaluate(RULES, fleet.reading(number, START))]
        assert raised == (["heat-100f"] if fleet.is_hot(number) else [])


@pytest.mark.parametrize(
    ("devices", "rate", "hot", "reason"),
    [
        (0, 1.0, 0.0, "at least one device"),
        (1, 0.0, 0.0, "a rate above 0"),
        (1, float("nan"), 0.0, "a rate above 0"),
        (1, 1.0, 100.1, "from 0 to 100 %"),
        (19, 20_000.0, 0.0, "take at least 20"),
    ],
)
def test_a_fleet_that_cannot_be_is_refused_with_the_reason(
    devices: int, rate: float, hot: float, reason: str
) -> None:
    with pytest.raises(ConfigError, match=reason):
        Fleet(devices, rate, hot)
