"""The benches' fleets: devices of their own, and a backlog in which nothing is late."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from benchmarks.expected import differences, expected_of
from benchmarks.fleet import Backlog, Load, NewFleet, first_device
from pipeline.oracle import judge
from tests.oracle.messages import RULES, crossings, record_of

NOW = datetime(2026, 11, 21, 15, 2, 3, tzinfo=UTC)


def test_two_runs_never_share_a_device() -> None:
    stations = [
        {
            NewFleet(50, 50.0, 1.0, first_device(NOW.timestamp() + later)).reading(number, NOW).station_id
            for number in range(50)
        }
        for later in (0, 1, 2)
    ]
    assert 150 == len(set.union(*stations))


def test_a_load_watches_about_one_average_a_second_each_of_another_device() -> None:
    load = Load(rate=300, seconds=10, hot_percent=1, devices=300)
    watched = range(0, load.total, load.every)
    assert len(watched) == 10
    assert len({number % load.devices for number in watched}) == 10


def test_a_backlog_ends_now_and_nothing_of_it_is_late() -> None:
    for events in (1000, 50_000):
        backlog = Backlog.ending(NOW, events, 1.0)
        assert events == backlog.events
        newest = backlog.fleet.reading(events - 1, backlog.start).observed_at
        assert NOW - timedelta(seconds=1) < newest < NOW
    # A million readings span less than the lateness that the policy allows, by an hour for the sending.
    largest = Backlog.ending(NOW, 1_500_000, 1.0)
    assert NOW - largest.start <= timedelta(hours=3)


def test_a_backlog_holds_no_reading_twice() -> None:
    readings = Backlog.ending(NOW, 2000, 1.0).readings()
    assert 2000 == len({(reading.station_id, reading.observed_at) for reading in readings})


def test_what_is_expected_is_what_the_oracle_says() -> None:
    """A short computation for a million readings, and the one of the data contract."""
    backlog = Backlog.ending(NOW, 3000, 5.0)
    readings = backlog.readings()
    expected = expected_of((reading, backlog.fleet.is_hot(number)) for number, reading in enumerate(readings))
    outcome = judge([record_of(reading) for reading in readings], RULES)
    assert crossings(outcome) == expected.alerts
    assert len(expected.alerts) > 100
    assert {
        (
            mean.station_id,
            mean.window_start,
            mean.temperature_c_mean,
            mean.temperature_c_min,
            mean.temperature_c_max,
            mean.readings,
        )
        for mean in outcome.averages
    } == expected.averages
    assert Counter(row.station_id for row in outcome.readings) == expected.readings


def test_a_lost_a_doubled_and_a_wrong_row_are_told() -> None:
    backlog = Backlog.ending(NOW, 1000, 5.0)
    readings = backlog.readings()
    marked = [(reading, backlog.fleet.is_hot(number)) for number, reading in enumerate(readings)]
    expected = expected_of(marked)
    assert [] == differences(expected, expected_of(marked))
    lost = expected._replace(alerts=frozenset(list(expected.alerts)[1:]))
    assert ["alerts: 1 missing, 0 too many or other values"] == differences(expected, lost)
    some = next(iter(expected.averages))
    wrong = expected._replace(averages=expected.averages - {some} | {some._replace(mean=some.mean + 0.001)})
    assert ["averages: 1 missing, 1 too many or other values"] == differences(expected, wrong)
    station = readings[0].station_id
    fewer = expected._replace(readings=expected.readings | {station: expected.readings[station] - 1})
    assert ["readings: 999 instead of 1000"] == differences(expected, fewer)
