"""Recorded weather as if it were today's.

The recording is shifted by a whole number of hours, fixed when the service starts, so that its last hour is
the current one. Fixed, because an hour's weather must not change once it was told: a shift that moved with
the clock would revise every reading every hour, and the newest hour would always be the same. As time goes
on, the recording goes on with its oldest hours of the same time of year and day. Hours in the future are
not known.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from pipeline.weather_api.weather import NOTHING, Observation, Place, Series, Values, hour_of, instant_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from pipeline.readings import Origin
    from pipeline.stations import Station

__all__ = ["NEARBY_KM", "Recorded", "RecordedDevices", "Replay", "distance_km"]

NEARBY_KM: Final = 25.0
"""How far from a recorded city a place may be to have its weather."""

_DAY: Final = 24
_YEAR: Final = 8766  # 365.25 days
_EARTH_RADIUS_KM: Final = 6371.0


class Recorded(Protocol):
    """A recording, in whatever format it was kept."""

    @property
    def first_hour(self) -> int:
        """The hour of the first observation."""

    @property
    def last_hour(self) -> int:
        """The hour of the last one."""

    @property
    def about(self) -> str:
        """Say to people what was recorded."""

    @property
    def places(self) -> tuple[Place, ...]:
        """List where it was observed."""

    def within(self, place: Place, hour: int) -> Sequence[tuple[int, Values]]:
        """Give what was observed in an hour as (milliseconds past the hour, values), in the order of time."""


class Replay:
    """Serves a recording whose last hour is shown at the hour `shown_at` (of the service's start)."""

    origin: Origin = "replay"
    about = "recorded weather, at the times at which it was observed"

    def __init__(self, recording: Recorded, shown_at: int) -> None:
        self._recording = recording
        self._by_station = {place.station_id: place for place in recording.places if place.station_id}
        self._shown_at = shown_at
        self._shift = shown_at - recording.last_hour
        self._lap = _lap(recording.last_hour - recording.first_hour + 1)

    def describe(self, now_hour: int) -> Mapping[str, str]:
        """Say what is replayed and how it is shifted."""
        recording = self._recording
        current = self._recorded_hour(now_hour)
        return {
            "Recorded": f"{_text(recording.first_hour)} to {_text(recording.last_hour)}, {recording.about}",
            "Shift": f"{self._shift} hours: the last recorded hour is shown at {_text(self._shown_at)};"
            f" what comes after it is what was recorded {self._lap} hours earlier",
            "Now": f"{_text(now_hour)} shows "
            + (_text(current) if current is not None else "nothing: the recording has ended"),
            "Range": f"a place has the weather of the nearest recorded place within {NEARBY_KM:g} km",
        }

    def places(self) -> tuple[Place, ...]:
        """List the recorded places."""
        return self._recording.places

    def records(self, station: Station) -> bool:
        """Tell whether the station itself was recorded, by its id."""
        return station.id in self._by_station

    def observations(
        self, station: Station, start: datetime, end: datetime, now: datetime
    ) -> tuple[Observation, ...]:
        """Give what was recorded of the station, else of the nearest place if one is near."""
        place = self._by_station.get(station.id)
        if place is None:
            distance, place = self._nearest(station.latitude, station.longitude)
            if distance > NEARBY_KM:
                return ()
        found = []
        for hour in range(hour_of(start), hour_of(min(end, now)) + 1):
            recorded = self._recorded_hour(hour)
            for millis, values in () if recorded is None else self._recording.within(place, recorded):
                at = instant_of(hour) + timedelta(milliseconds=millis)
                if start <= at < end and at <= now:
                    found.append(Observation(at, values))
        return tuple(found)

    def series(self, latitude: float, longitude: float, hours: range, now_hour: int) -> Series:
        """Give the weather of the nearest place, if one is near: of an hour, the first that was observed."""
        distance, city = self._nearest(latitude, longitude)
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
        observed = () if recorded is None else self._recording.within(city, recorded)
        return observed[0][1] if observed else NOTHING

    def _nearest(self, latitude: float, longitude: float) -> tuple[float, Place]:
        return min(
            (distance_km(latitude, longitude, place.latitude, place.longitude), place)
            for place in self._recording.places
        )

    def _recorded_hour(self, hour: int) -> int | None:
        """Tell which recorded hour is shown at `hour`; None after the end of a recording under a day."""
        recorded = hour - self._shift
        beyond = recorded - self._recording.last_hour
        if beyond <= 0:
            return recorded
        return recorded - math.ceil(beyond / self._lap) * self._lap if self._lap else None


class RecordedDevices:
    """The stations of a replay that were recorded themselves: no device measures what another one did."""

    origin: Origin = "replay"
    about = Replay.about

    def __init__(self, replay: Replay) -> None:
        self._replay = replay

    def observations(
        self, station: Station, start: datetime, end: datetime, now: datetime
    ) -> tuple[Observation, ...]:
        """Give what was recorded of the station; nothing where it was not."""
        return self._replay.observations(station, start, end, now) if self._replay.records(station) else ()


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
