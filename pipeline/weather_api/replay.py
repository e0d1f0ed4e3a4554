"""Recorded weather as if it were today's.

The recording is shifted by a whole number of hours, fixed when the service starts, so that its last hour is
the current one. Fixed, because an hour's weather must not change once it was told: a shift that moved with
the clock would revise every reading every hour, and the newest hour would always be the same. As time goes
on, the recording goes on with its oldest hours of the same time of year and day. Hours in the future are
not known.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from pipeline.weather_api.weather import NOTHING, Place, Series, Values, instant_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.readings import Origin
    from pipeline.weather_api.recording import Recording

__all__ = ["NEARBY_KM", "Replay", "distance_km"]

NEARBY_KM: Final = 25.0
"""How far from a recorded city a place may be to have its weather."""

_DAY: Final = 24
_YEAR: Final = 8766  # 365.25 days
_EARTH_RADIUS_KM: Final = 6371.0


class Replay:
    """Serves a recording whose last hour is shown at the hour `shown_at` (of the service's start)."""

    origin: Origin = "replay"

    def __init__(self, recording: Recording, shown_at: int) -> None:
        self._recording = recording
        self._shown_at = shown_at
        self._shift = shown_at - recording.last_hour
        self._lap = _lap(recording.last_hour - recording.first_hour + 1)

    def describe(self, now_hour: int) -> Mapping[str, str]:
        """Say what is replayed and how it is shifted."""
        recording = self._recording
        current = self._recorded_hour(now_hour)
        return {
            "Recorded": f"{_text(recording.first_hour)} to {_text(recording.last_hour)}, hourly,"
            f" {len(recording.cities)} cities, without wind",
            "Shift": f"{self._shift} hours: the last recorded hour is shown at {_text(self._shown_at)};"
            f" what comes after it is what was recorded {self._lap} hours earlier",
            "Now": f"{_text(now_hour)} shows "
            + (_text(current) if current is not None else "nothing: the recording has ended"),
            "Range": f"a place has the weather of the nearest recorded city within {NEARBY_KM:g} km",
        }

    def places(self) -> tuple[Place, ...]:
        """List the recorded cities."""
        return tuple(self._recording.cities)

    def series(self, latitude: float, longitude: float, hours: range, now_hour: int) -> Series:
        """Give the weather of the nearest city, if one is near."""
        distance, city = min(
            (distance_km(latitude, longitude, city.latitude, city.longitude), city)
            for city in self._recording.cities
        )
        if distance > NEARBY_KM:
            note = f"no recorded city within {NEARBY_KM:g} km; {city.name} is {distance:.0f} km away"
            return Series((NOTHING,) * len(hours), {"galewatch_note": note})
        about: dict[str, str | int] = {
            "galewatch_recorded_city": city.name,
            "galewatch_shift_hours": self._shift,
        }
        return Series(tuple(self._values(city, hour, now_hour) for hour in hours), about)

    def _values(self, city: Place, hour: int, now_hour: int) -> Values:
        recorded = self._recorded_hour(hour) if hour <= now_hour else None
        return NOTHING if recorded is None else self._recording.at(city, recorded)

    def _recorded_hour(self, hour: int) -> int | None:
        """Tell which recorded hour is shown at `hour`; None after the end of a recording under a day."""
        recorded = hour - self._shift
        beyond = recorded - self._recording.last_hour
        if beyond <= 0:
            return recorded
        return recorded - math.ceil(beyond / self._lap) * self._lap if self._lap else None


def _lap(hours: int) -> int:
    """Give how far to go back at the end: the most whole years, else whole days, that the recording has."""
    years = hours // _YEAR
    return round(years * _YEAR / _DAY) * _DAY if years else hours // _DAY * _DAY


def distance_km(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Give the distance along the surface (haversine formula on a sphere of 6371 km)."""
    phi, other_phi = math.radians(latitude), math.radians(other_latitude)
    half_phi = (other_phi - phi) / 2
    half_lambda = math.radians(other_longitude - longitude) / 2
    h = math.sin(half_phi) ** 2 + math.cos(phi) * math.cos(other_phi) * math.sin(half_lambda) ** 2
    return 2 * _EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, h)))


def _text(hour: int) -> str:
    return f"{instant_of(hour):%Y-%m-%d %H:%M} UTC"
