"""What the API serves: a place's weather by the hour, and what a station observed and when.

Hours are counted from 1970-01-01T00:00Z, so that a range of hours is a `range`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.readings import Origin
    from pipeline.stations import Station

__all__ = [
    "NOTHING",
    "Observation",
    "Observer",
    "Place",
    "SelfTest",
    "Series",
    "Values",
    "Weather",
    "hour_of",
    "instant_of",
]

_SECONDS = 3600


class Values(NamedTuple):
    """The weather of one hour in canonical units; None is "not known"."""

    temperature_c: float | None = None
    humidity_pct: float | None = None
    pressure_hpa: float | None = None
    wind_speed_ms: float | None = None


NOTHING = Values()


@dataclass(frozen=True, slots=True)
class Series:
    """One place's weather, a value for each hour asked; `about` are the extra keys of its location object."""

    values: tuple[Values, ...]
    about: Mapping[str, str | int] = field(default_factory=dict)


class Observation(NamedTuple):
    """What a station measured at an instant."""

    at: datetime
    values: Values


class Place(NamedTuple):
    """A place that the weather is known at; `station_id` where the recording names one."""

    name: str
    latitude: float
    longitude: float
    station_id: str = ""


class Weather(Protocol):
    """A source of values."""

    @property
    def origin(self) -> Origin:
        """What its values are."""

    def describe(self, now_hour: int) -> Mapping[str, str]:
        """Say to people what is served, as terms and their descriptions."""

    def places(self) -> tuple[Place, ...]:
        """List the places it is limited to; empty where it knows the whole world."""

    def series(self, latitude: float, longitude: float, hours: range, now_hour: int) -> Series:
        """Give the weather of one place in those hours, as known in the hour `now_hour`."""


class Observer(Protocol):
    """A source of observations."""

    @property
    def origin(self) -> Origin:
        """What its values are."""

    @property
    def about(self) -> str:
        """Say to people in one sentence what is observed."""

    def observations(
        self, station: Station, start: datetime, end: datetime, now: datetime
    ) -> tuple[Observation, ...]:
        """Give what the station observed in [start, end) and until `now`, in the order of time."""


class SelfTest:
    """One hot hour, to prove the path with: the latest of those asked that is not in the future."""

    origin: Origin = "selftest"

    HOT = Values(temperature_c=45.0, humidity_pct=20.0, pressure_hpa=1010.0, wind_speed_ms=3.0)

    def describe(self, now_hour: int) -> Mapping[str, str]:
        """Say what it is."""
        del now_hour
        return {"Self-test": "one hour of 45 °C wherever and whenever one asks, labelled selftest"}

    def places(self) -> tuple[Place, ...]:
        """None: everywhere is the same."""
        return ()

    def series(self, latitude: float, longitude: float, hours: range, now_hour: int) -> Series:
        """Give nothing but the hot hour."""
        del latitude, longitude
        hot = max((hour for hour in hours if hour <= now_hour), default=hours[0])
        return Series(tuple(self.HOT if hour == hot else NOTHING for hour in hours))


def hour_of(instant: datetime) -> int:
    """Number the hour that an instant lies in."""
    return int(instant.timestamp() // _SECONDS)


def instant_of(hour: int) -> datetime:
    """Give the instant that an hour begins at."""
    return datetime.fromtimestamp(hour * _SECONDS, UTC)
