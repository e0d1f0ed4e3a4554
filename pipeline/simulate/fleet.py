"""What the devices of a fleet measure: which device speaks when, and what it says. Pure.

The fleet speaks evenly, one reading every 1/rate seconds, its devices in turn. Everything follows from the
reading's number, so that the same fleet says the same again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pipeline.errors import ConfigError
from pipeline.readings import Reading

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["HOT_C", "ORIGIN", "SOURCE", "Fleet"]

SOURCE: Final = "simulator"
ORIGIN: Final = "synthetic"

HOT_C: Final = 45.0
"""The temperature of a hot reading, above the heat rule's 100 °F; all others stay inside of every rule."""

_MEAN_C: Final = 20.0
_SWING_C: Final = 5.0
_PERIOD_SECONDS: Final = 3600
# Knuth's multiplicative hash: consecutive numbers are spread evenly over 0 to 1, so that a share of them is
# met almost exactly, and not always by the same devices.
_GOLDEN: Final = 2654435761
_HASHES: Final = 2**32
# A reading's time has whole milliseconds, and a device has one reading at a time.
_LEAST_SECONDS: Final = 0.001


@dataclass(frozen=True, slots=True)
class Fleet:
    """`devices` that speak `rate` times a second in all; `hot_percent` of the readings are hot."""

    devices: int
    rate: float
    hot_percent: float = 0.0

    def __post_init__(self) -> None:
        if self.devices < 1 or not math.isfinite(self.rate) or self.rate <= 0:
            raise ConfigError(
                f"a fleet has at least one device and a rate above 0, got {self.devices} and {self.rate}"
            )
        if not 0 <= self.hot_percent <= 100:  # noqa: PLR2004 - per cent
            raise ConfigError(f"hot readings are from 0 to 100 %, got {self.hot_percent}")
        if self.devices / self.rate < _LEAST_SECONDS:
            least = math.ceil(self.rate * _LEAST_SECONDS)
            raise ConfigError(
                f"{self.devices} devices cannot give {self.rate:g} readings a second: "
                f"each gives at most one a millisecond, so take at least {least}"
            )

    def due(self, number: int) -> float:
        """Tell how many seconds after the start the reading of a number (from 0) is due."""
        return number / self.rate

    def is_hot(self, number: int) -> bool:
        """Tell whether the reading of a number is a hot one."""
        return (number * _GOLDEN) % _HASHES < self.hot_percent / 100 * _HASHES

    def reading(self, number: int, start: datetime) -> Reading:
        """Give the reading of a number of a fleet that started at `start`; fetched when it was observed."""
        device = number % self.devices
        observed_at = start + timedelta(seconds=self.due(number))
        phase = math.tau * (self.due(number) / _PERIOD_SECONDS + device / self.devices)
        hot = self.is_hot(number)
        return Reading(
            station_id=f"sim-{device + 1:04d}",
            observed_at=observed_at,
            source=SOURCE,
            origin=ORIGIN,
            temperature_c=HOT_C if hot else round(_MEAN_C + _SWING_C * math.sin(phase), 2),
            humidity_pct=50.0,
            pressure_hpa=1013.0,
            wind_speed_ms=3.0,
            fetched_at=observed_at,
        )
