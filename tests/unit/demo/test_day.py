"""The day that the demo plays, against the oracle that shares no code with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.config import config_dir
from pipeline.demo.day import Day, fetch
from pipeline.demo.play import play
from pipeline.errors import ConfigError
from pipeline.rules import load_rules
from pipeline.stations import load_stations, stations_of
from pipeline.weather_api.settings import WeatherApiSettings
from tests.e2e.weather import station_places, thresholds
from tests.oracle import weather as oracle

RECORDING = Path(__file__).parents[2] / "data" / "synthetic-day"
NOW = datetime(2026, 7, 1, 12, 34, tzinfo=UTC)
END = NOW.replace(minute=0)


def day(**settings: object) -> Day:
    return fetch(WeatherApiSettings.model_validate({"now": NOW, **settings}), config_dir())


@pytest.fixture(scope="module")
def recorded() -> list[oracle.Observed]:
    """What the recording says of the hours before END; its last hour is shown at END itself."""
    observed = oracle.recorded(RECORDING, END, 24, station_places())
    return [reading for reading in observed if reading.observed_at < END]


def test_a_recorded_day_gives_the_readings_of_the_recording(recorded: list[oracle.Observed]) -> None:
    played = day(replay=RECORDING)
    assert (END - timedelta(days=1), END, "replay") == (played.start, played.end, played.origin)
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
        for reading in played.readings
    )


def test_a_recorded_day_gives_the_alerts_and_averages_of_the_recording(
    recorded: list[oracle.Observed],
) -> None:
    outcome = play(day(replay=RECORDING).readings, load_rules(config_dir() / "rules.yaml"), 300)
    assert oracle.alerts(recorded, thresholds()) == {
        (alert.station_id, alert.observed_at, alert.rule_id) for alert in outcome.alerts
    }
    assert oracle.averages(recorded) == [
        oracle.Mean(
            average.station_id,
            average.window_start,
            average.window_end,
            average.temperature_c_mean,
            average.temperature_c_min,
            average.temperature_c_max,
            average.readings,
        )
        for average in outcome.averages
    ]


def test_without_a_recording_every_station_has_synthetic_weather_all_day() -> None:
    played = day()
    assert "synthetic" == played.origin
    stations = stations_of(load_stations(config_dir() / "stations.yaml"), "open-meteo")
    expected = {(station.id, END - timedelta(hours=hour)) for station in stations for hour in range(1, 25)}
    readings = played.fetched["open-meteo"].readings
    assert expected == {(reading.station_id, reading.observed_at) for reading in readings}


def test_readings_come_in_the_order_of_time() -> None:
    times = [reading.observed_at for reading in day().readings]
    assert sorted(times) == times


def test_a_folder_without_recordings_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=str(tmp_path)):
        day(replay=tmp_path)
