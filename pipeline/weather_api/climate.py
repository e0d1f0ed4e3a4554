"""A synthetic climate: plausible weather anywhere on earth, a pure function of seed, place and hour.

It is drawn after textbook climatology, not fitted to data: temperature by latitude, season and solar time;
pressure belts with travelling Rossby-like waves whose gradient makes the wind and whose warm and cold sides
sway the temperature; a dew point that follows the air mass instead of the sun, so that humidity falls in
the afternoon; and heat waves that wander round the subtropics of the summer hemisphere.
"""

from __future__ import annotations

import math
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.weather_api.weather import Observation, Place, Series, Values, hour_of, instant_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pipeline.readings import Origin
    from pipeline.stations import Station

__all__ = ["Climate"]

_YEAR_HOURS: Final = 8766.0
_COLDEST_HOUR_NORTH: Final = 20 * 24  # about 20 January
_WARMEST_SOLAR_HOUR: Final = 15.0
_OBSERVED_MINUTE: Final = 53  # when airports observe: their reports are due at the full hour
_TROPICS: Final = 23.4
_TAU: Final = math.tau

# Magnus's formula for the pressure of saturated vapour, Alduchov and Eskridge 1996: hPa and °C.
_MAGNUS: Final = (6.1094, 17.625, 243.04)


class _Wave(NamedTuple):
    """A travelling wave: crests round the globe, cycles an hour, phase, tilt with latitude, height."""

    number: int
    cycles_per_hour: float
    phase: float
    tilt: float
    height: float

    def angle(self, latitude: float, longitude: float, hour: float) -> float:
        east = self.number * math.radians(longitude)
        return east + self.tilt * math.radians(latitude) - _TAU * self.cycles_per_hour * hour + self.phase


class _Air(NamedTuple):
    """What the waves do: pressure against its mean in hPa; gradient and warmth, both about ±1."""

    pressure: float
    gradient: float
    warmth: float


class Climate:
    """Serves the climate of a seed."""

    origin: Origin = "synthetic"
    about = f"a plausible climate, observed {_OBSERVED_MINUTE} minutes past each hour"

    def __init__(self, seed: int) -> None:
        self._seed = seed
        random = Random(seed)  # noqa: S311 - weather, not secrets
        # Wave numbers 3 to 8 make the weather of the middle latitudes.
        self._waves = tuple(
            _Wave(
                number=number,
                cycles_per_hour=number * random.uniform(0.8, 1.3) / (24 * 30),
                phase=random.uniform(0, _TAU),
                tilt=random.uniform(-3, 3),
                height=1 / math.sqrt(number),
            )
            for number in range(3, 9)
        )
        # Three hot spots round the globe, once round in about twenty days.
        self._heat = _Wave(3, 3 / (24 * 20), random.uniform(0, _TAU), 0.5, 1.0)
        # Where the land is dry: standing waves, for there is no map here.
        self._dryness = tuple(
            _Wave(n, 0.0, random.uniform(0, _TAU), random.uniform(-4, 4), 1 / 3) for n in (1, 4, 7)
        )

    def describe(self, now_hour: int) -> Mapping[str, str]:
        """Say that none of it is real."""
        del now_hour
        return {
            "Synthetic": "no weather that ever was: a plausible climate computed from place and hour",
            "Seed": f"{self._seed} (the same seed gives the same weather)",
        }

    def places(self) -> tuple[Place, ...]:
        """None: it is everywhere."""
        return ()

    def series(self, latitude: float, longitude: float, hours: range, now_hour: int) -> Series:
        """Give the weather of a place, also of hours to come."""
        del now_hour
        return Series(tuple(self.at(latitude, longitude, hour) for hour in hours))

    def observations(
        self, station: Station, start: datetime, end: datetime, now: datetime
    ) -> tuple[Observation, ...]:
        """Give what an airport would have observed in [start, end), once an hour."""
        past_hour = timedelta(minutes=_OBSERVED_MINUTE)
        instants = (
            instant_of(hour) + past_hour for hour in range(hour_of(start), hour_of(min(end, now)) + 1)
        )
        return tuple(
            Observation(at, self.at(station.latitude, station.longitude, at.timestamp() / 3600))
            for at in instants
            if start <= at < end and at <= now
        )

    def at(self, latitude: float, longitude: float, hour: float) -> Values:
        """Give the weather of a place at a time, in hours since 1970; fractions are fine."""
        air = self._air(latitude, longitude, hour)
        dry = self._dry(latitude, longitude)
        heat = self._heat_wave(latitude, longitude, hour)
        daily_mean = _daily_mean(latitude, hour) + 6.0 * dry * _subtropical(latitude) + heat
        daily_mean += 5.0 * _stormy(latitude) * air.warmth
        swing = (4.0 + 5.0 * dry + 0.1 * heat) * math.cos(math.radians(latitude)) + 1.0
        solar_hour = (hour + longitude / 15) % 24
        temperature = daily_mean + swing * math.cos(_TAU * (solar_hour - _WARMEST_SOLAR_HOUR) / 24)
        # Moist air is nearly saturated at night; the drier and hotter it is, the further below.
        dew_point = daily_mean - swing - 12.0 * dry - 0.6 * heat + 2.0 * _stormy(latitude) * air.warmth
        return Values(
            temperature_c=round(temperature, 1),
            humidity_pct=float(round(_humidity(temperature, dew_point))),
            pressure_hpa=round(_belts(latitude) + air.pressure + _tide(latitude, solar_hour), 1),
            wind_speed_ms=round(self._wind(latitude, longitude, hour, air), 1),
        )

    def _air(self, latitude: float, longitude: float, hour: float) -> _Air:
        high = slope = 0.0
        for wave in self._waves:
            angle = wave.angle(latitude, longitude, hour)
            high += wave.height * math.cos(angle)
            slope += wave.height * math.sin(angle)
        scale = 1.5 + 13.0 * _stormy(latitude)
        # East of a low the wind brings warm air from the equator, west of it cold air from the pole.
        return _Air(pressure=scale * high, gradient=math.hypot(high, slope) - 0.6, warmth=-slope / 1.5)

    def _wind(self, latitude: float, longitude: float, hour: float, air: _Air) -> float:
        storm = 3.0 + 11.0 * _stormy(latitude) * max(0.0, air.gradient)
        gust = 1.0 + 0.5 * math.sin(_TAU * (hour / 7.3 + latitude / 3.1 + longitude / 2.3))
        return storm * gust

    def _dry(self, latitude: float, longitude: float) -> float:
        """Tell from 0 (moist) to 1 (desert) how dry a place is."""
        waves = sum(wave.height * math.cos(wave.angle(latitude, longitude, 0.0)) for wave in self._dryness)
        return min(1.0, max(0.0, 0.45 + 0.55 * waves) * (0.35 + 0.65 * _subtropical(latitude)) + 0.15)

    def _heat_wave(self, latitude: float, longitude: float, hour: float) -> float:
        """Give the heat wave's warmth in °C: up to 12, in the subtropics of the summer hemisphere."""
        near = math.exp(-(((abs(latitude) - _TROPICS) / 13.0) ** 2))
        season = 0.65 + 0.35 * math.tanh(3.0 * math.copysign(1.0, latitude) * _summer(hour))
        crest = 0.5 + 0.5 * math.cos(self._heat.angle(latitude, longitude, hour))
        return 12.0 * near * season * math.pow(crest, 1.5)


def _summer(hour: float) -> float:
    """Tell the season: 1 in the north's high summer, -1 in the south's."""
    return -math.cos(_TAU * (hour - _COLDEST_HOUR_NORTH) / _YEAR_HOURS)


def _daily_mean(latitude: float, hour: float) -> float:
    polar = math.sin(math.radians(latitude)) ** 2
    annual = 28.0 - 42.0 * polar - (18.0 if latitude < -65 else 0.0)  # noqa: PLR2004 - Antarctica is high up
    # Land, and with it the extremes, lies in the north.
    seasonal = (
        (22.0 if latitude > 0 else 13.0) * math.sin(math.radians(latitude)) * math.sqrt(math.pow(polar, 0.2))
    )
    return annual + seasonal * _summer(hour)


def _subtropical(latitude: float) -> float:
    """Tell how much a latitude belongs to the dry subtropics, from 0 to 1."""
    return math.exp(-(((abs(latitude) - _TROPICS) / 12.0) ** 2))


def _stormy(latitude: float) -> float:
    """Tell how much a latitude belongs to the belt of storms, from 0 to 1."""
    return math.exp(-(((abs(latitude) - 55.0) / 18.0) ** 2))


def _belts(latitude: float) -> float:
    """Give the mean pressure of a latitude: subtropical highs at 30°, subpolar lows at 62°."""
    high = 6.0 * math.exp(-(((abs(latitude) - 30.0) / 12.0) ** 2))
    low = 10.0 * math.exp(-(((abs(latitude) - 62.0) / 10.0) ** 2))
    return 1012.0 + high - low


def _tide(latitude: float, solar_hour: float) -> float:
    """Give the semidiurnal tide of the atmosphere: highest at 10 and 22 o'clock, strongest at the equator."""
    return 1.2 * math.cos(math.radians(latitude)) * math.cos(_TAU * (solar_hour - 10.0) / 12)


def _humidity(temperature: float, dew_point: float) -> float:
    """Give the relative humidity in %, from 2 to 100."""
    return min(100.0, max(2.0, 100.0 * _vapour(min(dew_point, temperature)) / _vapour(temperature)))


def _vapour(temperature: float) -> float:
    base, factor, offset = _MAGNUS
    return base * math.exp(factor * temperature / (temperature + offset))
