"""Where the weather comes from: live Open-Meteo where it answers, else the platform's own weather API.

The latter replays recorded files from the folder in GALEWATCH_REPLAY, or makes up a synthetic climate.
"""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx

from pipeline.infra.errors import InfraError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["CHOICE_VARIABLE", "REPLAY_VARIABLE", "Weather", "choose", "open_meteo_answers"]

CHOICE_VARIABLE: Final = "WEATHER"
REPLAY_VARIABLE: Final = "GALEWATCH_REPLAY"
_PROBE: Final = "https://api.open-meteo.com/v1/forecast?latitude=52.52&longitude=13.41&current=temperature_2m"
_PROBE_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Weather:
    """The variables `weather_source` (live or local) and `replay_dir` (empty: synthetic)."""

    source: str
    replay_dir: str = ""

    def __str__(self) -> str:
        if self.source == "live":
            return "live from Open-Meteo (CC BY 4.0)"
        return f"replayed from {self.replay_dir}" if self.replay_dir else "synthetic"


def choose(environment: Mapping[str, str], running: Weather | None, answers: Callable[[], bool]) -> Weather:
    """Decide where the weather comes from; raises InfraError for a wrong choice or folder.

    WEATHER=live or WEATHER=local is the user's word. Without it, an environment that is `running` keeps what
    it has, so that a network that comes and goes replaces no container; a new one asks Open-Meteo.
    """
    wanted = environment.get(CHOICE_VARIABLE, "")
    if wanted not in {"", "live", "local"}:
        raise InfraError(f"{CHOICE_VARIABLE} must be live or local, not '{wanted}'.")
    replay_dir = _replay_dir(environment.get(REPLAY_VARIABLE, ""))
    if wanted == "live":
        return Weather("live", replay_dir)
    if not wanted and running is not None and (running.source == "live" or running.replay_dir == replay_dir):
        return running
    if not wanted and running is None and answers():
        return Weather("live", replay_dir)
    return Weather("local", replay_dir)


def open_meteo_answers() -> bool:
    """Ask Open-Meteo for one place's temperature; 3 s at most."""
    try:
        # Without a proxy, for the containers that will fetch know of none; with this machine's own
        # authorities.
        answer = httpx.get(_PROBE, timeout=_PROBE_S, trust_env=False, verify=ssl.create_default_context())
        return answer.is_success and "current" in answer.json()
    except (httpx.HTTPError, OSError, ValueError):
        return False


def _replay_dir(named: str) -> str:
    if not named:
        return ""
    folder = Path(named).expanduser().resolve()
    if not folder.is_dir():
        raise InfraError(
            f"{REPLAY_VARIABLE} is '{named}', which is no folder: name one with recordings, or unset it."
        )
    if not os.access(folder, os.R_OK | os.X_OK):
        raise InfraError(f"{REPLAY_VARIABLE} is '{named}', which this user may not read.")
    return str(folder)
