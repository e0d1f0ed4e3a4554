"""The US weather service's contract over HTTP: GeoJSON in the shape of a real answer."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from pipeline.weather_api.app import create_app, open_weather
from pipeline.weather_api.settings import WeatherApiSettings
from tests.local_server import serve
from tests.oracle import weather as oracle

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
DAY = ROOT / "tests" / "data" / "synthetic-day"
SHARED = Path(os.environ.get("GALEWATCH_SHARED", ROOT.parent / "shared"))
REAL = SHARED / "data" / "nws-observation-latest.json"
NOW = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
THIS_HOUR = NOW.replace(minute=0)
CLIENT = httpx.Client()


@pytest.fixture(scope="module")
def synthetic() -> Iterator[str]:
    settings = WeatherApiSettings(now=NOW)
    with serve(create_app(open_weather(settings), settings.clock)) as url:
        yield url


@pytest.fixture(scope="module")
def replay() -> Iterator[str]:
    settings = WeatherApiSettings(replay=DAY, now=NOW)
    with serve(create_app(open_weather(settings), settings.clock)) as url:
        yield url


def get(url: str, path: str, **parameters: str) -> Any:
    """Get an answer to a fine request."""
    response = CLIENT.get(f"{url}/stations/{path}", params=parameters)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/geo+json"
    return response.json()


def shape(value: Any, path: str = "") -> set[tuple[str, str]]:
    """List what a client may rely on: each path with its type, and the units; a null fits any number."""
    if isinstance(value, dict):
        return {pair for key, item in value.items() for pair in shape(item, f"{path}.{key}")}
    if path.endswith(".unitCode"):
        return {(path, value)}
    kinds = {int: "number", float: "number", type(None): "number"}
    return {(path, kinds.get(type(value), type(value).__name__))}


def test_the_latest_observation_has_the_shape_of_a_real_one(synthetic: str) -> None:
    if not REAL.is_file():
        pytest.skip("the US weather service's recorded answer is not on this machine (GALEWATCH_SHARED)")
    real = json.loads(REAL.read_text(encoding="utf-8"))
    answer = get(synthetic, "KMIA/observations/latest")
    assert answer["properties"].pop("galewatch_origin") == "synthetic"
    # No icon is drawn here: null, as the service itself answers when it has none.
    assert answer["properties"].pop("icon") is None
    del real["properties"]["icon"], real["@context"], answer["@context"]
    assert shape(answer) == shape(real)
    for name in ("temperature", "relativeHumidity", "barometricPressure", "windSpeed"):
        mine, theirs = (body["properties"][name] for body in (answer, real))
        assert mine["qualityControl"] == theirs["qualityControl"] == "V"
        # The same magnitude: not kelvin, not hPa, not a fraction of one.
        assert theirs["value"] / 6 < mine["value"] < theirs["value"] * 6
    assert answer["properties"]["windGust"] == real["properties"]["windGust"]


def test_the_newest_observation_is_of_the_minute_before_the_hour(synthetic: str) -> None:
    properties = get(synthetic, "KJFK/observations/latest")["properties"]
    assert properties["timestamp"] == "2026-11-21T13:53:00+00:00"
    assert properties["station"] == f"{synthetic}/stations/KJFK"


def test_a_collection_holds_the_half_open_interval_newest_first(synthetic: str) -> None:
    answer = get(
        synthetic, "KJFK/observations", start="2026-11-21T10:53:00Z", end="2026-11-21T13:53:00+00:00"
    )
    assert answer["type"] == "FeatureCollection"
    assert [feature["properties"]["timestamp"] for feature in answer["features"]] == [
        "2026-11-21T12:53:00+00:00",
        "2026-11-21T11:53:00+00:00",
        "2026-11-21T10:53:00+00:00",
    ]
    assert {feature["type"] for feature in answer["features"]} == {"Feature"}


def test_a_collection_without_times_is_the_week_until_now(synthetic: str) -> None:
    features = get(synthetic, "KPHX/observations")["features"]
    assert len(features) == 7 * 24
    latest = get(synthetic, "KPHX/observations/latest")
    del latest["@context"]
    assert features[0] == latest


def test_recorded_weather_is_told_in_the_units_of_the_service(replay: str) -> None:
    features = get(replay, "KPHX/observations", start="2026-11-20T00:00:00Z")["features"]
    expected = oracle.recorded(DAY, THIS_HOUR, 24, {"phoenix": (33.44838, -112.074043)})
    found = [
        (
            datetime.fromisoformat(properties["timestamp"]),
            properties["temperature"]["value"],
            properties["relativeHumidity"]["value"],
            properties["barometricPressure"]["value"],
        )
        for properties in (feature["properties"] for feature in reversed(features))
    ]
    assert len(expected) > 20
    assert found == [
        (o.observed_at, o.temperature_c, o.humidity_pct, o.pressure_hpa and round(o.pressure_hpa * 100, 3))
        for o in expected
    ]
    speeds = {json.dumps(feature["properties"]["windSpeed"]) for feature in features}
    assert speeds == {'{"unitCode": "wmoUnit:km_h-1", "value": null, "qualityControl": "Z"}'}
    assert {feature["properties"]["galewatch_origin"] for feature in features} == {"replay"}


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("KXXX/observations/latest", 404, "there is no station 'KXXX'"),
        ("phoenix/observations", 404, "there is no station 'phoenix'"),
        ("nws-kjfk/observations", 404, "there is no station 'nws-kjfk'"),
        ("KBOS/observations/latest", 404, "KBOS has observed nothing for a day"),
        ("KJFK/observations?start=yesterday", 400, "start must be a time"),
        ("KJFK/observations?start=2026-10-21T14:29:59Z", 400, "at most 744 hours may be asked at once"),
    ],
)
def test_what_cannot_be_answered_is_a_problem(replay: str, path: str, status: int, detail: str) -> None:
    response = CLIENT.get(f"{replay}/stations/{path}")
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert response.json()["detail"].startswith(detail)


def test_a_station_that_was_not_recorded_has_observed_nothing(replay: str) -> None:
    assert get(replay, "KBOS/observations")["features"] == []


@pytest.mark.parametrize("path", ["observations", "observations/latest"])
def test_who_does_not_say_who_asks_is_refused(synthetic: str, path: str) -> None:
    with httpx.Client() as nameless:
        del nameless.headers["user-agent"]
        response = nameless.get(f"{synthetic}/stations/KJFK/{path}")
    assert (response.status_code, response.json()["title"]) == (403, "Forbidden")
    assert "User-Agent" in response.json()["detail"]
