"""Where the weather comes from."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from pipeline.infra import weather
from pipeline.infra.errors import InfraError
from pipeline.infra.weather import Weather, choose
from tests.local_server import serve

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request


def never() -> bool:
    raise AssertionError("Open-Meteo was asked")


def test_live_weather_where_it_answers() -> None:
    assert choose({}, None, lambda: True) == Weather("live")


def test_a_synthetic_climate_where_nothing_answers_and_nothing_is_recorded() -> None:
    chosen = choose({}, None, lambda: False)
    assert (chosen, str(chosen)) == (Weather("local"), "synthetic")


def test_a_recording_is_replayed(tmp_path: Path) -> None:
    chosen = choose({"GALEWATCH_REPLAY": str(tmp_path)}, None, lambda: False)
    assert chosen == Weather("local", str(tmp_path))
    assert str(chosen) == f"replayed from {tmp_path}"


@pytest.mark.parametrize("source", ["live", "local"])
def test_the_users_word_is_final(source: str) -> None:
    assert choose({"WEATHER": source}, Weather("live"), never).source == source


@pytest.mark.parametrize("running", [Weather("live"), Weather("local")])
def test_a_running_environment_keeps_what_it_has(running: Weather) -> None:
    assert choose({}, running, never) == running


def test_another_recording_is_taken_by_an_environment_that_replays(tmp_path: Path) -> None:
    chosen = choose({"GALEWATCH_REPLAY": str(tmp_path)}, Weather("local"), never)
    assert chosen == Weather("local", str(tmp_path))


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"WEATHER": "sunny"}, "WEATHER must be live or local, not 'sunny'"),
        ({"GALEWATCH_REPLAY": "/proc/none"}, "GALEWATCH_REPLAY is '/proc/none', which is no folder"),
    ],
)
def test_a_wrong_choice_is_refused_by_name(environment: dict[str, str], words: str) -> None:
    with pytest.raises(InfraError, match=words):
        choose(environment, None, never)


ANSWERS = {
    "weather": ({"current": {"temperature_2m": 7.0}}, 200, 0.0, True),
    "an error": ({"error": True, "reason": "Daily API request limit exceeded."}, 429, 0.0, False),
    "something else": ({"login": "please"}, 200, 0.0, False),
    "nothing in time": ({"current": {}}, 200, 2.0, False),
}


@pytest.mark.parametrize(("answer", "code", "delay_s", "live"), ANSWERS.values(), ids=ANSWERS.keys())
def test_only_weather_that_comes_in_time_and_directly_is_live(
    monkeypatch: pytest.MonkeyPatch, answer: Any, code: int, delay_s: float, *, live: bool
) -> None:
    async def forecast(_: Request) -> JSONResponse:
        await asyncio.sleep(delay_s)
        return JSONResponse(answer, code)

    monkeypatch.setattr(weather, "_PROBE_S", 0.5)
    # The containers know of no proxy, so that a way over one does not count.
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with serve(Starlette(routes=[Route("/v1/forecast", forecast)])) as url:
        monkeypatch.setattr(weather, "_PROBE", f"{url}/v1/forecast")
        assert weather.open_meteo_answers() is live


def test_no_name_service_is_a_quick_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weather, "_PROBE", "https://open-meteo.invalid/v1/forecast")
    assert not weather.open_meteo_answers()
