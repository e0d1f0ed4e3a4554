"""The gateway's contract over HTTP: CSV in the devices' units."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from pipeline.weather_api.app import create_app, open_weather
from pipeline.weather_api.gateway import HEADER
from pipeline.weather_api.settings import WeatherApiSettings
from tests.local_server import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY = Path(__file__).parents[2] / "data" / "synthetic-day"
NOW = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
DEVICES = [f"gateway-{number:02}" for number in range(1, 11)]
CLIENT = httpx.Client()


@pytest.fixture(scope="module")
def synthetic() -> Iterator[str]:
    settings = WeatherApiSettings(now=NOW)
    with serve(create_app(open_weather(settings), settings.clock)) as url:
        yield url


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Give a recording of two devices, the last two of them at the newest instant."""
    (tmp_path / "stations.csv").write_text(
        "station_id,name,latitude,longitude\ngateway-01,Gate,32.8781,-111.7574\ngateway-02,Sub,32.8793,-111.7562\n"
    )
    (tmp_path / "day.csv").write_text(
        "station_id,observed_at,temperature_c,humidity_pct,pressure_hpa,wind_speed_ms\n"
        "gateway-02,2020-01-01T10:00:00.250Z,42.23,5,1013.25,\n"
        "gateway-01,2020-01-01T10:00:10Z,,,,\n"
        "gateway-01,2020-01-01T10:00:00Z,-0.01,99.5,980,10\n"
    )
    return tmp_path


def ask(url: str, **parameters: str) -> httpx.Response:
    """Ask for readings; the five minutes before NOW unless other times are given."""
    times = {"start": "2026-11-21T14:25:00Z", "end": "2026-11-21T14:30:00Z"}
    return CLIENT.get(f"{url}/gateway/readings.csv", params={**times, **parameters})


def rows(response: httpx.Response) -> list[list[str]]:
    """Give the rows of an answer, whose first and last line are as they should be."""
    assert response.status_code == 200, response.text
    header, *lines, last = response.text.splitlines()
    assert header == "device_id,observed_at,temperature_f,humidity_pct,pressure_pa,wind_speed_mph"
    assert last == f"# rows={len(lines)}"
    assert response.text.endswith("\n")
    return list(csv.reader(lines))


def test_each_device_reads_every_ten_seconds_in_the_order_of_time_then_device(synthetic: str) -> None:
    found = rows(ask(synthetic))
    start = NOW - timedelta(minutes=5)
    expected = [
        (f"{start + timedelta(seconds=10 * step):%Y-%m-%dT%H:%M:%SZ}", device)
        for step in range(30)
        for device in DEVICES
    ]
    assert [(row[1], row[0]) for row in found] == expected


def test_the_answer_is_csv_that_says_what_its_values_are(synthetic: str) -> None:
    response = ask(synthetic)
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["x-galewatch-origin"] == "synthetic"
    assert response.text.startswith(f"{HEADER}\n")


def test_values_are_in_the_units_that_the_columns_name(synthetic: str) -> None:
    for row in rows(ask(synthetic)):
        temperature, humidity, pressure, wind = map(float, row[2:])
        assert 20 < temperature < 125
        assert 0 < humidity <= 100
        assert 95_000 < pressure < 106_000
        assert 0 <= wind < 80


def test_the_interval_is_half_open_and_ends_now(synthetic: str) -> None:
    one = {"devices": "gateway-01"}
    assert rows(ask(synthetic, start="2026-11-21T14:29:51Z", end="2026-11-21T14:30:00Z", **one)) == []
    (last,) = rows(ask(synthetic, start="2026-11-21T14:30:00Z", end="2026-11-21T15:30:00Z", **one))
    assert last[1] == "2026-11-21T14:30:00Z"
    assert rows(ask(synthetic, start="2026-11-21T14:30:01Z", end="2026-11-21T15:30:00Z", **one)) == []


def test_a_time_may_have_any_zone(synthetic: str) -> None:
    elsewhere = ask(synthetic, start="2026-11-21T20:10:00+05:45", end="2026-11-21T15:30:00+01:00")
    assert elsewhere.text == ask(synthetic).text


def test_only_the_devices_asked_are_told(synthetic: str) -> None:
    found = rows(ask(synthetic, devices="gateway-07,gateway-02,gateway-07"))
    assert [row[0] for row in found] == ["gateway-02", "gateway-07"] * 30


def test_the_same_seed_gives_the_same_answer_and_another_seed_another(synthetic: str) -> None:
    for seed, same in ((7, True), (8, False)):
        settings = WeatherApiSettings(now=NOW + timedelta(hours=1), seed=seed)
        with serve(create_app(open_weather(settings), settings.clock)) as url:
            assert (ask(url).text == ask(synthetic).text) is same


def test_an_answer_does_not_depend_on_how_the_time_is_cut(synthetic: str) -> None:
    whole = rows(ask(synthetic, start="2026-11-21T14:00:00Z"))
    parts = [
        rows(ask(synthetic, start=f"2026-11-21T14:{m:02}:00Z", end=f"2026-11-21T14:{m + 10:02}:00Z"))
        for m in (0, 10, 20)
    ]
    assert whole == [row for part in parts for row in part]


@pytest.mark.parametrize(
    ("parameters", "status", "detail"),
    [
        ({"start": ""}, 400, "start must be a time such as 2026-01-31T12:00:00Z, got ''"),
        ({"start": "2026-11-21 14:25:00Z"}, 400, "start must be a time"),
        ({"end": "2026-11-21T14:30:00"}, 400, "end must be a time"),
        ({"end": "2026-11-31T14:30:00Z"}, 400, "end must be a time"),
        ({"end": "2026-11-21T14:25:00Z"}, 400, "end must be after start, got '2026-11-21T14:25:00Z'"),
        ({"start": "2026-11-20T14:29:59Z"}, 400, "at most 24 hours may be asked at once"),
        ({"devices": "gateway-01,toaster"}, 404, "the gateway has no device 'toaster'"),
        ({"devices": "phoenix"}, 404, "the gateway has no device 'phoenix'"),
    ],
)
def test_a_wrong_request_is_a_problem_that_names_the_parameter(
    synthetic: str, parameters: dict[str, str], status: int, detail: str
) -> None:
    response = ask(synthetic, **parameters)
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert response.json()["status"] == status
    assert response.json()["detail"].startswith(detail)


def test_a_missing_time_is_named(synthetic: str) -> None:
    response = CLIENT.get(f"{synthetic}/gateway/readings.csv")
    assert response.json()["detail"] == "start is missing: a time such as 2026-01-31T12:00:00Z"


def test_recorded_devices_are_replayed_at_their_times_to_the_digit(recording: Path) -> None:
    settings = WeatherApiSettings(replay=recording, now=NOW)
    with serve(create_app(open_weather(settings), settings.clock)) as url:
        response = ask(url, start="2026-11-21T14:00:00Z")
    assert response.headers["x-galewatch-origin"] == "replay"
    assert rows(response) == [
        ["gateway-01", "2026-11-21T14:00:00Z", "31.982", "99.5", "98000", "22.369"],
        ["gateway-02", "2026-11-21T14:00:00.250Z", "108.014", "5", "101325", ""],
        ["gateway-01", "2026-11-21T14:00:10Z", "", "", "", ""],
    ]


def test_a_recording_without_devices_leaves_them_synthetic_and_says_so() -> None:
    settings = WeatherApiSettings(replay=DAY, now=NOW)
    with serve(create_app(open_weather(settings), settings.clock)) as url:
        response = ask(url)
    assert response.headers["x-galewatch-origin"] == "synthetic"
    assert len(rows(response)) == 300
