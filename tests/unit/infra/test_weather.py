"""Where the weather comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.infra.errors import InfraError
from pipeline.infra.weather import Weather, choose

if TYPE_CHECKING:
    from pathlib import Path


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
        ({"GALEWATCH_REPLAY": "/nonexistent"}, "GALEWATCH_REPLAY is '/nonexistent', which is no folder"),
    ],
)
def test_a_wrong_choice_is_refused_by_name(environment: dict[str, str], words: str) -> None:
    with pytest.raises(InfraError, match=words):
        choose(environment, None, never)
