"""Settings of the weather API: what to serve, and by which clock."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path  # noqa: TC003 - pydantic resolves the annotations at run time
from typing import Literal

from pydantic import AwareDatetime  # noqa: TC002 - the same
from pydantic_settings import SettingsConfigDict

from pipeline.settings import ComponentSettings

__all__ = ["WeatherApiSettings"]


class WeatherApiSettings(ComponentSettings):
    """GALEWATCH_…: all optional, and an empty variable counts as one that is not set.

    `replay` is a directory of recordings, Avro or CSV; without it the climate of `seed` is served.
    `replay_end` is the time at which the last recorded hour is shown (default: when the service starts): set
    it where a restart must not shift the recording anew. `weather_faults` is whether faults may be switched
    on, for tests and demonstrations. `now` stops the clock, for tests.
    """

    model_config = SettingsConfigDict(env_prefix="GALEWATCH_", env_ignore_empty=True)

    replay: Path | None = None
    replay_end: AwareDatetime | None = None
    seed: int = 7
    weather_faults: Literal["on", "off"] = "off"
    now: AwareDatetime | None = None

    def clock(self) -> datetime:
        """Give the current time, or the one that it was stopped at."""
        return datetime.now(UTC) if self.now is None else self.now.astimezone(UTC)
