"""A recording shown as if it were today's."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.config import config_dir
from pipeline.stations import DEFAULT_SOURCE, load_stations, stations_of
from pipeline.weather_api.recording import Recording, load_recording
from pipeline.weather_api.replay import NEARBY_KM, Replay, distance_km
from pipeline.weather_api.weather import NOTHING, Place, Values, hour_of

DAY = Path(__file__).parents[2] / "data" / "synthetic-day"
PHOENIX = Place("Phoenix", 33.44838, -112.074043)
NOW = hour_of(datetime(2026, 11, 21, 14, tzinfo=UTC))


@pytest.fixture(scope="module")
def recording() -> Recording:
    return load_recording(DAY)


@pytest.fixture(scope="module")
def replay(recording: Recording) -> Replay:
    return Replay(recording, NOW)


def shown(replay: Replay, hours: range, now: int) -> tuple[Values, ...]:
    """Give what is shown of Phoenix."""
    return replay.series(PHOENIX.latitude, PHOENIX.longitude, hours, now).values


def test_the_last_recorded_hour_is_the_current_one(replay: Replay, recording: Recording) -> None:
    expected = tuple(recording.at(PHOENIX, recording.last_hour - back) for back in (2, 1, 0))
    assert shown(replay, range(NOW - 2, NOW + 1), NOW) == expected


def test_an_hour_that_was_told_never_changes(replay: Replay) -> None:
    hours = range(NOW - 5, NOW + 1)
    assert shown(replay, hours, NOW) == shown(replay, hours, NOW + 1) == shown(replay, hours, NOW + 100)


def test_the_future_is_not_known_and_neither_is_what_was_before(replay: Replay) -> None:
    assert shown(replay, range(NOW, NOW + 3), NOW)[1:] == (NOTHING, NOTHING)
    assert shown(replay, range(NOW - 25, NOW - 23), NOW) == (NOTHING, NOTHING)


def test_after_its_end_the_recording_goes_on_at_the_same_time_of_day(replay: Replay) -> None:
    later = NOW + 100
    today = shown(replay, range(NOW - 23, NOW + 1), later)
    assert NOTHING not in today
    for days in (1, 2, 3):
        assert shown(replay, range(NOW - 23 + 24 * days, NOW + 1 + 24 * days), later) == today


def test_a_recording_of_years_goes_on_at_the_same_time_of_the_year() -> None:
    last = hour_of(datetime(2017, 11, 30, tzinfo=UTC))
    first = hour_of(datetime(2012, 10, 1, 12, tzinfo=UTC))
    replay = Replay(Recording(first, last, {}), NOW)
    assert replay._recorded_hour(NOW + 1) == hour_of(datetime(2012, 11, 30, 1, tzinfo=UTC))
    assert replay._recorded_hour(NOW + 43824) == last
    assert replay._recorded_hour(NOW + 43825) == hour_of(datetime(2012, 11, 30, 1, tzinfo=UTC))


def test_a_recording_under_a_day_ends(recording: Recording) -> None:
    short = Replay(Recording(recording.first_hour, recording.first_hour + 3, recording.cities), NOW)
    assert shown(short, range(NOW - 3, NOW + 2), NOW + 1)[-1] == NOTHING
    assert "the recording has ended" in short.describe(NOW + 1)["Now"]


def test_a_place_has_the_weather_of_the_nearest_city_and_says_which(replay: Replay) -> None:
    beside = replay.series(33.5, -112.0, range(NOW - 1, NOW), NOW)
    assert beside.values == shown(replay, range(NOW - 1, NOW), NOW)
    assert beside.about["galewatch_recorded_city"] == "Phoenix"
    assert isinstance(beside.about["galewatch_shift_hours"], int)


def test_a_place_without_a_city_nearby_has_no_weather_and_says_so(replay: Replay) -> None:
    far = replay.series(59.91, 10.75, range(NOW - 3, NOW), NOW)
    assert far.values == (NOTHING,) * 3
    assert far.about == {"galewatch_note": "no recorded city within 25 km; Jerusalem is 3612 km away"}


def test_distances_are_along_the_surface() -> None:
    # New York to London, and half of the way round the globe.
    assert distance_km(40.7128, -74.006, 51.5074, -0.1278) == pytest.approx(5570, abs=5)
    assert distance_km(0, 0, 0, 180) == pytest.approx(20015, abs=1)
    assert distance_km(10, 179.9, 10, -179.9) == pytest.approx(21.9, abs=0.1)
    assert distance_km(33.44838, -112.074043, 33.44838, -112.074043) == 0


def test_no_committed_station_has_the_weather_of_another(recording: Recording) -> None:
    for station in stations_of(load_stations(config_dir() / "stations.yaml"), DEFAULT_SOURCE):
        for city in recording.cities:
            here = (station.latitude, station.longitude) == (city.latitude, city.longitude)
            near = (
                distance_km(station.latitude, station.longitude, city.latitude, city.longitude) <= NEARBY_KM
            )
            assert here == near, (station.id, city.name)
