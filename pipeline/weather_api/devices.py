"""A synthetic fleet of devices: the climate where they stand, measured every 10 seconds.

A pure function of seed, device and second: the climate of the place (with the day's course), a small bias of
each device, a small noise of each reading, and a heat wave that rolls over the fleet every six hours, one
device after the other, so that readings cross the line of 100 °F again and again, each time for minutes.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from pipeline.weather_api.weather import Observation, Values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.readings import Origin
    from pipeline.stations import Station
    from pipeline.weather_api.climate import Climate

__all__ = ["STEP_SECONDS", "Devices"]

STEP_SECONDS: Final = 10
"""From one reading of a device to its next."""

_ROUND_SECONDS: Final = 6 * 3600  # the heat wave comes to each device once in this time
_WAVE_SECONDS: Final = 20 * 60  # and stays so long
_CREST_C: Final = 43.0

# What a sensor of this class promises: the greatest error of one reading, and of a device against others.
_NOISE: Final = Values(temperature_c=0.15, humidity_pct=0.8, pressure_hpa=0.05, wind_speed_ms=0.6)
_BIAS: Final = Values(temperature_c=0.4, humidity_pct=1.5, pressure_hpa=0.2, wind_speed_ms=0.2)

# Warmed without gain of moisture, air is relatively drier by so much a degree (Clausius and Clapeyron).
_DRIER_PER_DEGREE: Final = 0.06


class Devices:
    """Serves the fleet; of a device that is not in it, nothing."""

    origin: Origin = "synthetic"
    about = f"a plausible climate with the noise of sensors, every {STEP_SECONDS} seconds"

    def __init__(self, climate: Climate, seed: int, fleet: Sequence[Station]) -> None:
        self._climate = climate
        self._seed = seed
        self._turns = {device.id: index / len(fleet) for index, device in enumerate(fleet)}

    def observations(
        self, station: Station, start: datetime, end: datetime, now: datetime
    ) -> tuple[Observation, ...]:
        """Give what a device measured in [start, end) and until `now`."""
        if station.id not in self._turns:
            return ()
        first = math.ceil(start.timestamp() / STEP_SECONDS) * STEP_SECONDS
        # The end is none of the interval, now is.
        stop = min(math.ceil(end.timestamp()), math.floor(now.timestamp()) + 1)
        return tuple(
            Observation(datetime.fromtimestamp(second, UTC), self.at(station, second))
            for second in range(first, stop, STEP_SECONDS)
        )

    def at(self, station: Station, second: int) -> Values:
        """Give what a device measures, in seconds since 1970."""
        weather = self._climate.at(station.latitude, station.longitude, second / 3600)
        noise = self._errors(f"{station.id}|{second}", _NOISE)
        bias = self._errors(station.id, _BIAS)
        temperature, humidity, pressure, wind = (
            math.fsum(part or 0.0 for part in parts) for parts in zip(weather, noise, bias, strict=True)
        )
        warming = self._heat(station, second) * max(0.0, _CREST_C - temperature)
        return Values(
            temperature_c=round(temperature + warming, 2),
            humidity_pct=round(min(100.0, max(1.0, humidity * math.exp(-_DRIER_PER_DEGREE * warming))), 1),
            pressure_hpa=round(pressure, 2),
            wind_speed_ms=round(max(0.0, wind), 1),
        )

    def _heat(self, station: Station, second: int) -> float:
        """Tell how much of the heat wave is there, from 0 to 1."""
        since = (second - self._turns[station.id] * _ROUND_SECONDS) % _ROUND_SECONDS
        return math.sin(math.pi * since / _WAVE_SECONDS) ** 2 if since < _WAVE_SECONDS else 0.0

    def _errors(self, key: str, most: Values) -> Values:
        """Give the error of each metric, evenly spread between its most below and its most above."""
        digest = blake2b(f"{self._seed}|{key}".encode(), digest_size=4 * len(most)).digest()
        parts = (digest[index : index + 4] for index in range(0, len(digest), 4))
        return Values(
            *(
                (int.from_bytes(part) / 2**31 - 1) * (limit or 0.0)
                for part, limit in zip(parts, most, strict=True)
            )
        )
