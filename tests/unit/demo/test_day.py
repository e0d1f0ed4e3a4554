"""The day that the demo plays, against the oracle that shares no code with it."""

from __future__ import annotations

from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.config import config_dir
from pipeline.demo.day import Day, fetch
from pipeline.demo.play import play
from pipeline.errors import ConfigError
from pipeline.feeds import load_feeds
from pipeline.rules import load_rules
from pipeline.stations import load_stations, stations_of
from pipeline.weather_api.settings import WeatherApiSettings
from tests.e2e.weather import station_places
from tests.oracle import weather as oracle
from tests.oracle.messages import crossings, outcome_of

RECORDING = Path(__file__).parents[2] / "data" / "synthetic-day"
NOW = datetime(2026, 7, 1, 12, 34, tzinfo=UTC)
END = NOW.replace(minute=0)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration with one device only: the others' days take seconds each, and are alike."""
    directory = tmp_path_factory.mktemp("config")
    for path in config_dir().iterdir():
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if "source: gateway" not in line or "gateway-01" in line]
        (directory / path.name).write_text("".join(kept), encoding="utf-8")
    return directory


@pytest.fixture(scope="module")
def synthetic(config: Path) -> Day:
    return fetch(WeatherApiSettings(now=NOW), config)


@pytest.fixture(scope="module")
def replayed(config: Path) -> Day:
    return fetch(WeatherApiSettings(now=NOW, replay=RECORDING), config)


@pytest.fixture(scope="module")
def recorded() -> list[oracle.Observed]:
    """What the recording says of the hours before END; its last hour is shown at END itself."""
    observed = oracle.recorded(RECORDING, END, 24, station_places())
    return [reading for reading in observed if reading.observed_at < END]


def test_a_recorded_day_gives_the_readings_of_the_recording(
    replayed: Day, recorded: list[oracle.Observed]
) -> None:
    assert (END - timedelta(days=1), END, "replay") == (replayed.start, replayed.end, replayed.origin)
    assert recorded
    assert recorded == sorted(
        oracle.Observed(
            reading.station_id,
            reading.observed_at,
            reading.temperature_c,
            reading.humidity_pct,
            reading.pressure_hpa,
            reading.wind_speed_ms,
        )
        for reading in replayed.fetched["open-meteo"].readings
    )


def test_a_recorded_day_gives_the_alerts_and_averages_of_the_recording(
    replayed: Day,
    recorded: list[oracle.Observed],
) -> None:
    outcome = play(replayed.fetched["open-meteo"].readings, load_rules(config_dir() / "rules.yaml"), 300)
    expected = outcome_of(recorded, "open-meteo", "replay")
    assert crossings(expected) == {
        (alert.station_id, alert.observed_at, alert.rule_id) for alert in outcome.alerts
    }
    assert list(map(astuple, expected.averages)) == list(map(astuple, outcome.averages))


def test_without_a_recording_every_station_has_synthetic_weather_all_day(synthetic: Day) -> None:
    assert "synthetic" == synthetic.origin
    stations = stations_of(load_stations(config_dir() / "stations.yaml"), "open-meteo")
    expected = {(station.id, END - timedelta(hours=hour)) for station in stations for hour in range(1, 25)}
    readings = synthetic.fetched["open-meteo"].readings
    assert expected == {(reading.station_id, reading.observed_at) for reading in readings}


def test_every_source_that_has_stations_takes_part(synthetic: Day) -> None:
    fetched = synthetic.fetched
    assert {feed.facts.id for feed in load_feeds() if feed.stations} == set(fetched)
    assert all(part.readings and not part.rejected for part in fetched.values())


def test_readings_come_in_the_order_of_time(synthetic: Day) -> None:
    times = [reading.observed_at for reading in synthetic.readings]
    assert sorted(times) == times


def test_a_folder_without_recordings_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=str(tmp_path)):
        fetch(WeatherApiSettings(replay=tmp_path), config_dir())
