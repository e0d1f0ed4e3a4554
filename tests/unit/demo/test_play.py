"""What comes of a day, and what of it the demo points at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pipeline.demo.play import play
from pipeline.readings import Reading
from pipeline.rules import Rule

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
HOT = Rule("hot", "temperature", ">", 30.0, "°C", "critical", "Hot")
COLD = Rule("cold", "temperature", "<", 0.0, "°C", "info", "Cold")


def reading(station: str, temperature: float | None, minutes: int = 0) -> Reading:
    return Reading(
        station_id=station,
        observed_at=NOON + timedelta(minutes=minutes),
        source="open-meteo",
        origin="synthetic",
        temperature_c=temperature,
        fetched_at=NOON,
    )


def test_each_rule_is_told_by_its_alert_that_is_furthest_over_the_line() -> None:
    readings = [
        reading("a", 31),
        reading("b", 40, 1),
        reading("a", 35, 2),
        reading("c", -1),
        reading("c", -9, 1),
    ]
    hot, cold = play(readings, [HOT, COLD], 300).crossed
    assert ("hot", 3, 2, 40.0, "b") == (
        hot.rule.id, hot.alerts, hot.stations, hot.worst.value, hot.worst.station_id,
    )  # fmt: skip
    assert ("cold", 2, 1, -9.0) == (cold.rule.id, cold.alerts, cold.stations, cold.worst.value)


def test_a_rule_that_nothing_crosses_is_not_told() -> None:
    assert () == play([reading("a", 20)], [HOT, COLD], 300).crossed


def test_the_notable_stations_have_the_highest_the_lowest_and_the_fullest_average() -> None:
    readings = [reading("mild", 15), reading("hot", 40), reading("cold", -10), reading("none", None)]
    busy = [reading("busy", 15, minutes) for minutes in range(5)]
    assert ("hot", "cold", "busy") == play([*readings, *busy], [HOT], 300).notable


def test_one_station_alone_is_notable_once_and_none_not_at_all() -> None:
    assert ("a",) == play([reading("a", 10), reading("a", 20, 10)], [HOT], 300).notable
    assert () == play([], [HOT], 300).notable


def test_the_widest_averages_come_first() -> None:
    readings = [reading("a", 10), reading("a", 11, 1), reading("b", 10), reading("b", 19, 1), reading("c", 5)]
    assert ["b", "a"] == [average.station_id for average in play(readings, [HOT], 300).widest(2)]
