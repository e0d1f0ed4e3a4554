"""The steps of the ingestion before its stores: asking a real weather API, and what passes through XCom."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import ingest
from pipeline.errors import ContractError, SourceUnavailableError
from pipeline.feeds import Feed, SourceFacts, interval_around
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
    for index in range(101)
]
HOURLY = SourceFacts(id="open-meteo", kind="open-meteo", interval="1h", catch_up="1d")
FEED = Feed(HOURLY, tuple(STATIONS))


def extract(
    weather: WeatherSettings, feed: Feed = FEED, interval: tuple[datetime, datetime] = INTERVAL
) -> ingest.Extracted:
    return ingest.extract(weather, feed, interval, run_id="a run", fetched_at=NOW)


@pytest.fixture(scope="module")
def weather() -> Iterator[WeatherSettings]:
    settings = WeatherApiSettings(now=NOW)
    with serve(create_app(open_weather(settings), settings.clock)) as url:
        yield WeatherSettings(url=url)


def test_every_hour_of_the_interval_becomes_a_reading_of_each_station(weather: WeatherSettings) -> None:
    extracted = extract(weather)
    readings = [Reading.parse(row) for row in ingest.transform(extracted)["readings"]]
    assert {(station.id, INTERVAL[0] + late) for station in STATIONS for late in (0 * HOUR, HOUR)} == {
        (reading.station_id, reading.observed_at) for reading in readings
    }
    assert {NOW} == {reading.fetched_at for reading in readings}
    assert {"synthetic"} == {reading.origin for reading in readings}


def test_more_stations_than_a_call_takes_are_asked_in_several(weather: WeatherSettings) -> None:
    extracted = extract(weather)
    assert [100, 1] == [len(answer["stations"]) for answer in extracted["answers"]]


def test_each_step_gives_plain_json_of_a_modest_size(weather: WeatherSettings) -> None:
    extracted = extract(weather, Feed(HOURLY, tuple(STATIONS[:100])), (INTERVAL[0], INTERVAL[0] + HOUR))
    assert extracted == json.loads(json.dumps(extracted))
    assert len(json.dumps(extracted)) < 100_000
    transformed = ingest.transform(extracted)
    assert transformed == json.loads(json.dumps(transformed))


def test_the_selftest_is_one_reading_that_says_what_it_is(weather: WeatherSettings) -> None:
    selftest = WeatherSettings(url=f"{weather.url}/selftest")
    extracted = extract(selftest, ingest.SELFTEST, interval_around(NOW, HOUR))
    (reading,) = ingest.transform(extracted)["readings"]
    assert ("galewatch-selftest", "selftest") == (reading["station_id"], reading["origin"])


def test_an_interval_without_a_full_hour_asks_nothing() -> None:
    nobody = WeatherSettings(url="http://127.0.0.1:9")
    extracted = extract(nobody, interval=(NOW, NOW + timedelta(minutes=5)))
    assert [] == extracted["answers"]
    transformed = ingest.transform(extracted)
    assert ([], [], 0) == (transformed["readings"], transformed["rejected"], transformed["empty"])


def test_nobody_at_the_address_is_an_outage() -> None:
    with pytest.raises(SourceUnavailableError, match="cannot be reached"):
        extract(WeatherSettings(url="http://127.0.0.1:9"))


def test_an_answer_too_large_for_xcom_is_an_error_and_no_overflow(
    weather: WeatherSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "_XCOM_LIMIT_BYTES", 1000)
    with pytest.raises(ContractError, match="one run takes at most 1000"):
        extract(weather)


def test_an_answer_that_breaks_the_contract_fails_the_transformation(weather: WeatherSettings) -> None:
    extracted = extract(weather)
    extracted["answers"][1]["content"] = {"hourly": {}}
    with pytest.raises(ContractError, match="hourly_units"):
        ingest.transform(extracted)


def test_the_lookback_is_asked_again_before_the_interval(weather: WeatherSettings) -> None:
    looking_back = Feed(HOURLY.model_copy(update={"lookback": "2h"}), (STATIONS[0],))
    extracted = extract(weather, looking_back)
    assert "2026-07-01T08:00:00Z" == extracted["window_start"]
    hours = [reading["observed_at"] for reading in ingest.transform(extracted)["readings"]]
    assert [f"2026-07-01T{hour:02}:00:00Z" for hour in (8, 9, 10, 11)] == hours


@given(now=instants, length=st.sampled_from([timedelta(minutes=5), HOUR, timedelta(days=1)]))
def test_a_run_without_an_interval_takes_the_last_one_that_is_over(now: datetime, length: timedelta) -> None:
    start, end = ingest.window(None, None, length, now=now)
    assert length == end - start
    assert timedelta(0) <= now - end < length
    assert (start - start.replace(hour=0, minute=0)) % length == timedelta(0)


@given(start=instants)
def test_a_data_interval_stays_as_it_is(start: datetime) -> None:
    assert (start, start + HOUR) == ingest.window(start, start + HOUR, HOUR, now=NOW)
