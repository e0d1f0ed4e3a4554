"""The steps of the ingestion before its stores: asking a real weather API, and what passes through XCom."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from pipeline import ingest
from pipeline.errors import ContractError, SourceUnavailableError
from pipeline.readings import Reading
from pipeline.settings import WeatherSettings
from pipeline.stations import Station
from pipeline.weather_api.app import create_app, open_weather
from pipeline.weather_api.settings import WeatherApiSettings
from tests.local_server import serve
from tests.strategies import instants

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 7, 1, 12, 34, 56, tzinfo=UTC)
HOUR = timedelta(hours=1)
INTERVAL = (datetime(2026, 7, 1, 10, tzinfo=UTC), datetime(2026, 7, 1, 12, tzinfo=UTC))
STATIONS = [
    Station(id=f"station-{index}", name=f"Station {index}", latitude=index / 10, longitude=0)
    for index in range(ingest.BATCH + 1)
]


@pytest.fixture(scope="module")
def weather() -> Iterator[WeatherSettings]:
    settings = WeatherApiSettings(now=NOW)
    with serve(create_app(open_weather(settings), settings.clock)) as url:
        yield WeatherSettings(url=url)


def test_every_hour_of_the_interval_becomes_a_reading_of_each_station(weather: WeatherSettings) -> None:
    extracted = ingest.extract(weather, STATIONS, INTERVAL, fetched_at=NOW)
    readings = [Reading.parse(row) for row in ingest.transform(extracted)["readings"]]
    assert {(station.id, INTERVAL[0] + late) for station in STATIONS for late in (0 * HOUR, HOUR)} == {
        (reading.station_id, reading.observed_at) for reading in readings
    }
    assert {NOW} == {reading.fetched_at for reading in readings}
    assert {"synthetic"} == {reading.origin for reading in readings}


def test_more_stations_than_a_call_takes_are_asked_in_several(weather: WeatherSettings) -> None:
    extracted = ingest.extract(weather, STATIONS, INTERVAL, fetched_at=NOW)
    assert [ingest.BATCH, 1] == [len(batch["stations"]) for batch in extracted["batches"]]


def test_each_step_gives_plain_json_of_a_modest_size(weather: WeatherSettings) -> None:
    extracted = ingest.extract(weather, STATIONS[:100], (INTERVAL[0], INTERVAL[0] + HOUR), fetched_at=NOW)
    assert extracted == json.loads(json.dumps(extracted))
    assert len(json.dumps(extracted)) < 100_000
    transformed = ingest.transform(extracted)
    assert transformed == json.loads(json.dumps(transformed))


def test_the_selftest_is_one_reading_that_says_what_it_is(weather: WeatherSettings) -> None:
    extracted = ingest.extract(
        weather, [ingest.SELFTEST_STATION], ingest.current_hour(NOW), fetched_at=NOW, path="/selftest"
    )
    (reading,) = ingest.transform(extracted)["readings"]
    assert ("galewatch-selftest", "selftest") == (reading["station_id"], reading["origin"])


def test_an_interval_without_a_full_hour_asks_nothing() -> None:
    nobody = WeatherSettings(url="http://127.0.0.1:9")
    extracted = ingest.extract(nobody, STATIONS, (NOW, NOW + timedelta(minutes=5)), fetched_at=NOW)
    assert [] == extracted["batches"]
    assert {"readings": [], "rejected": [], "empty": 0} == {
        key: value for key, value in ingest.transform(extracted).items() if not key.startswith("window")
    }


def test_nobody_at_the_address_is_an_outage() -> None:
    with pytest.raises(SourceUnavailableError, match="cannot be reached"):
        ingest.extract(WeatherSettings(url="http://127.0.0.1:9"), STATIONS, INTERVAL, fetched_at=NOW)


def test_an_answer_too_large_for_xcom_is_an_error_and_no_overflow(
    weather: WeatherSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "_XCOM_LIMIT_BYTES", 1000)
    with pytest.raises(ContractError, match="one run takes at most 1000"):
        ingest.extract(weather, STATIONS, INTERVAL, fetched_at=NOW)


def test_an_answer_that_breaks_the_contract_fails_the_transformation(weather: WeatherSettings) -> None:
    extracted = ingest.extract(weather, STATIONS[:1], INTERVAL, fetched_at=NOW)
    extracted["batches"][0]["answer"] = {"hourly": {}}
    with pytest.raises(ContractError, match="hourly_units"):
        ingest.transform(extracted)


@given(now=instants)
def test_a_run_without_an_interval_takes_the_last_hour_that_is_over(now: datetime) -> None:
    start, end = ingest.window(None, None, now=now)
    assert HOUR == end - start
    assert timedelta(0) <= now - end < HOUR


@given(start=instants)
def test_a_data_interval_stays_as_it_is(start: datetime) -> None:
    assert (start, start + HOUR) == ingest.window(start, start + HOUR, now=NOW)
