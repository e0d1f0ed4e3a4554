"""The weather API over HTTP, as its clients see it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from pipeline.config import config_dir
from pipeline.sources.asking import Asker
from pipeline.sources.open_meteo import OpenMeteo
from pipeline.stations import DEFAULT_SOURCE, load_stations, stations_of
from pipeline.weather_api.app import create_app, open_weather
from pipeline.weather_api.settings import WeatherApiSettings
from tests.local_server import serve
from tests.oracle import weather as oracle

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY = Path(__file__).parents[2] / "data" / "synthetic-day"
NOW = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
THIS_HOUR = NOW.replace(minute=0)
HOUR = timedelta(hours=1)
STATIONS = stations_of(load_stations(config_dir() / "stations.yaml"), DEFAULT_SOURCE)
VARIABLES = "temperature_2m,relative_humidity_2m,pressure_msl,wind_speed_10m"
CLIENT = httpx.Client()


@pytest.fixture(scope="module")
def replay() -> Iterator[str]:
    settings = WeatherApiSettings(replay=DAY, now=NOW)
    with serve(create_app(open_weather(settings), settings.clock)) as url:
        yield url


@pytest.fixture(scope="module")
def synthetic() -> Iterator[str]:
    settings = WeatherApiSettings(now=NOW)
    with serve(create_app(open_weather(settings), settings.clock)) as url:
        yield url


def get(url: str, path: str = "/v1/forecast", **parameters: str) -> Any:
    """Get an answer to a fine request."""
    response = CLIENT.get(f"{url}{path}", params=parameters)
    assert response.status_code == 200, response.text
    return response.json()


def test_one_place_is_an_object_in_the_shape_of_the_contract(replay: str) -> None:
    answer = get(
        replay,
        latitude="33.44838",
        longitude="-112.074043",
        hourly="temperature_2m,wind_speed_10m",
        current="temperature_2m",
        start_hour="2026-11-21T13:00",
        end_hour="2026-11-21T15:00",
    )
    assert answer["hourly_units"] == {"time": "iso8601", "temperature_2m": "°C", "wind_speed_10m": "km/h"}
    assert answer["hourly"]["time"] == ["2026-11-21T13:00", "2026-11-21T14:00", "2026-11-21T15:00"]
    before, now, future = answer["hourly"]["temperature_2m"]
    assert isinstance(before, float)
    assert future is None
    assert answer["hourly"]["wind_speed_10m"] == [None, None, None]
    assert answer["current_units"] == {"time": "iso8601", "interval": "seconds", "temperature_2m": "°C"}
    assert answer["current"] == {"time": "2026-11-21T14:00", "interval": 3600, "temperature_2m": now}
    assert (answer["timezone"], answer["utc_offset_seconds"]) == ("GMT", 0)
    # A grid cell, not what was asked.
    assert (answer["latitude"], answer["longitude"]) == (33.4375, -112.0625)
    assert answer["galewatch_origin"] == "replay"
    assert answer["galewatch_recorded_city"] == "Phoenix"


def test_several_places_are_a_bare_array_in_the_order_asked(synthetic: str) -> None:
    answers = get(
        synthetic, latitude="10,-50,70", longitude="20,-60,90", current=VARIABLES, timeformat="unixtime"
    )
    assert [answer["latitude"] for answer in answers] == [10.0, -50.0, 70.0]
    assert [answer.get("location_id") for answer in answers] == [None, 1, 2]
    assert {answer["galewatch_origin"] for answer in answers} == {"synthetic"}
    assert {answer["current"]["time"] for answer in answers} == {int(THIS_HOUR.timestamp())}


def test_values_are_written_in_the_units_asked(synthetic: str) -> None:
    place = {"latitude": "50", "longitude": "5", "current": "temperature_2m,wind_speed_10m"}
    metric = get(synthetic, **place, wind_speed_unit="ms")
    imperial = get(synthetic, **place, temperature_unit="fahrenheit", wind_speed_unit="mph")
    assert imperial["current_units"]["temperature_2m"] == "°F"
    assert imperial["current_units"]["wind_speed_10m"] == "mp/h"
    assert imperial["current"]["temperature_2m"] == round(metric["current"]["temperature_2m"] * 1.8 + 32, 2)
    assert imperial["current"]["wind_speed_10m"] == round(metric["current"]["wind_speed_10m"] / 0.44704, 2)


def test_a_list_may_be_given_by_repeating_its_parameter(synthetic: str) -> None:
    response = CLIENT.get(
        f"{synthetic}/v1/forecast?latitude=1&longitude=2&latitude=3&longitude=4&current=pressure_msl"
    )
    assert [answer["latitude"] for answer in response.json()] == [1.0, 3.0]


@pytest.mark.parametrize("path", ["/v1/forecast", "/selftest/v1/forecast"])
def test_a_wrong_request_is_answered_as_the_service_does(replay: str, path: str) -> None:
    response = CLIENT.get(f"{replay}{path}", params={"latitude": "91", "longitude": "0"})
    assert response.status_code == 400
    assert response.json() == {"error": True, "reason": "Latitude must be in range of -90 to 90°. Given: 91."}


def test_the_source_reads_exactly_what_was_recorded(replay: str) -> None:
    with Asker(replay, CLIENT) as asker:
        fetched = asker.fetch(OpenMeteo(), STATIONS, THIS_HOUR - 23 * HOUR, THIS_HOUR + HOUR, fetched_at=NOW)
    expected = oracle.recorded(DAY, THIS_HOUR, 24, {s.id: (s.latitude, s.longitude) for s in STATIONS})
    found = [
        oracle.Observed(reading.station_id, reading.observed_at, *reading.measures.values())
        for reading in fetched.readings
    ]
    assert len(expected) == 6 * 24 - 2
    assert sorted(found, key=lambda o: (o.station_id, o.observed_at)) == expected
    assert {reading.origin for reading in fetched.readings} == {"replay"}
    assert fetched.rejected == ()
    assert fetched.empty == len(STATIONS) * 24 - len(expected)


def test_the_source_reads_the_synthetic_climate_everywhere(synthetic: str) -> None:
    with Asker(synthetic, CLIENT) as asker:
        fetched = asker.fetch(OpenMeteo(), STATIONS, THIS_HOUR - 2 * HOUR, THIS_HOUR, fetched_at=NOW)
    assert (len(fetched.readings), fetched.rejected, fetched.empty) == (2 * len(STATIONS), (), 0)
    assert {reading.origin for reading in fetched.readings} == {"synthetic"}


@pytest.mark.parametrize("back", [0, 1, 24 * 365])
def test_the_selftest_is_one_hot_hour_and_says_what_it_is(replay: str, back: int) -> None:
    end = THIS_HOUR - back * HOUR
    with Asker(f"{replay}/selftest", CLIENT) as asker:
        fetched = asker.fetch(OpenMeteo(), STATIONS[:2], end - 3 * HOUR, end + HOUR, fetched_at=NOW)
    found = [(reading.observed_at, reading.temperature_c, reading.origin) for reading in fetched.readings]
    assert found == [(end, 45.0, "selftest")] * 2
    assert fetched.empty == 6


def test_health_says_what_is_served(replay: str, synthetic: str) -> None:
    assert get(replay, "/healthz") == {"status": "ok", "origin": "replay"}
    assert get(synthetic, "/healthz") == {"status": "ok", "origin": "synthetic"}


def test_the_page_says_what_is_replayed_and_how_it_is_shifted(replay: str) -> None:
    page = CLIENT.get(replay).text
    for text in (
        "Recorded weather, shown as if it were today",
        "2001-07-01 01:00 UTC to 2001-07-02 00:00 UTC",
        "the last recorded hour is shown at 2026-11-21 14:00 UTC",
        "Minneapolis",
        "/selftest/v1/forecast?",
    ):
        assert text in page


def test_the_page_says_that_synthetic_weather_is_not_real(synthetic: str) -> None:
    page = CLIENT.get(synthetic).text
    assert "none of it is real" in page
    assert "Recorded places" not in page
    assert page.count('<span class="label">synthetic</span>') == 5


def test_the_page_shows_devices_and_stations_with_their_newest_values(replay: str) -> None:
    page = CLIENT.get(replay).text
    # Hourly cities tell nothing of devices; Las Vegas was recorded, and Boston was not.
    assert 'Devices of the gateway <span class="label">synthetic</span>' in page
    assert 'Stations of the US weather service <span class="label">replay</span>' in page
    assert '<th scope="row">gateway-01</th><td>Gate</td><td>14:30:00</td><td class="number">' in page
    assert '<th scope="row">KLAS</th><td>Las Vegas Reid</td><td>14:00:00</td><td class="number">' in page
    assert '<th scope="row">KBOS</th><td>Boston Logan</td><td>\N{EN DASH}</td>' in page


@pytest.mark.parametrize("url", ["replay", "synthetic"])
def test_the_page_links_only_to_what_answers(request: pytest.FixtureRequest, url: str) -> None:
    root = request.getfixturevalue(url)
    page = CLIENT.get(root).text
    links = [part.split('"')[0].replace("&amp;", "&") for part in page.split('href="')[1:]]
    assert len(links) == 6
    assert [CLIENT.get(f"{root}{link}").status_code for link in links] == [200] * 6


def test_an_unknown_path_is_not_found(replay: str) -> None:
    assert CLIENT.get(f"{replay}/v2/forecast").status_code == 404


def started(port: int, **variables: str) -> subprocess.Popen[str]:
    """Start the service as its container does."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GALEWATCH_")}
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline.weather_api", "--host", "127.0.0.1", "--port", str(port)],
        env={**kept, **variables},
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def healthy(process: subprocess.Popen[str], url: str) -> Any:
    """Wait until the service answers, and give its health."""
    until = time.monotonic() + 20
    while time.monotonic() < until and process.poll() is None:
        try:
            return get(url, "/healthz")
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail("the service did not start")


def test_the_service_starts_and_sigterm_stops_it() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with started(port, GALEWATCH_REPLAY=str(DAY), GALEWATCH_SEED="") as process:
        try:
            assert healthy(process, f"http://127.0.0.1:{port}") == {"status": "ok", "origin": "replay"}
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=10)
        finally:
            process.kill()
    assert process.returncode == 0, output
    assert "healthz" not in output


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"GALEWATCH_REPLAY": "/nowhere"}, "GALEWATCH_REPLAY: '/nowhere' is not a directory\n"),
        ({"GALEWATCH_SEED": "seven"}, "GALEWATCH_SEED: input should be a valid integer"),
        ({"GALEWATCH_WEATHER_FAULTS": "yes"}, "GALEWATCH_WEATHER_FAULTS: input should be 'on' or 'off', got"),
    ],
)
def test_a_wrong_setting_is_one_line_and_exit_code_2(variables: dict[str, str], message: str) -> None:
    with started(0, **variables) as process:
        output, _ = process.communicate(timeout=20)
    assert process.returncode == 2
    assert output.startswith(message)
    assert output.count("\n") == 1
