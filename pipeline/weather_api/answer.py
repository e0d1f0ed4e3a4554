"""The answer of /v1/forecast, in Open-Meteo's shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipeline.sources.forecast import VARIABLES
from pipeline.units import METRICS, from_canonical
from pipeline.weather_api.weather import hour_of, instant_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pipeline.units import Metric
    from pipeline.weather_api.query import ForecastQuery
    from pipeline.weather_api.weather import Series, Values, Weather

__all__ = ["build_answer"]

# Open-Meteo's own name of a unit, where it has one.
_UNIT_NAMES: Final = {"mph": "mp/h"}

# The service answers with the coordinates of its model's grid cell. So does this one, on a grid of 1/16
# degree, lest anybody comes to match stations by them.
_CELLS_PER_DEGREE: Final = 16

# Decimals of a value that had to be converted; canonical ones are given as they are.
_DECIMALS: Final = 2


def build_answer(weather: Weather, query: ForecastQuery, now: datetime) -> Any:
    """Give one object for one place, a bare array in the order asked for several."""
    locations = [_location(weather, query, now, index) for index in range(len(query.places))]
    return locations[0] if len(locations) == 1 else locations


def _location(weather: Weather, query: ForecastQuery, now: datetime, index: int) -> dict[str, Any]:
    latitude, longitude = query.places[index]
    now_hour = hour_of(now)
    series = weather.series(latitude, longitude, query.hours, now_hour)
    location: dict[str, Any] = {
        "latitude": _cell(latitude),
        "longitude": _cell(longitude),
        "generationtime_ms": 0.0,
        "utc_offset_seconds": 0,
        "timezone": "GMT",
        "timezone_abbreviation": "GMT",
        "elevation": 0.0,
        "galewatch_origin": weather.origin,
        **series.about,
    }
    if index:
        location["location_id"] = index
    if query.current:
        values = weather.series(latitude, longitude, range(now_hour, now_hour + 1), now_hour).values[0]
        location["current_units"] = {"interval": "seconds", **_units(query, query.current)}
        location["current"] = {
            "time": _time(query, now_hour),
            "interval": 3600,
            **{VARIABLES[metric]: _value(query, metric, values) for metric in query.current},
        }
    if query.hourly:
        location["hourly_units"] = _units(query, query.hourly)
        location["hourly"] = _hourly(query, series)
    return location


def _hourly(query: ForecastQuery, series: Series) -> dict[str, list[Any]]:
    return {
        "time": [_time(query, hour) for hour in query.hours],
        **{
            VARIABLES[metric]: [_value(query, metric, values) for values in series.values]
            for metric in query.hourly
        },
    }


def _units(query: ForecastQuery, metrics: Sequence[Metric]) -> dict[str, str]:
    names = {VARIABLES[metric]: query.units[metric] for metric in metrics}
    return {"time": query.time_format, **{name: _UNIT_NAMES.get(unit, unit) for name, unit in names.items()}}


def _value(query: ForecastQuery, metric: Metric, values: Values) -> float | None:
    value = values[METRICS.index(metric)]
    unit = query.units[metric]
    if value is None:
        return None
    converted = from_canonical(value, unit, metric)
    return value if converted == value else round(converted, _DECIMALS)


def _time(query: ForecastQuery, hour: int) -> str | int:
    instant = instant_of(hour)
    return int(instant.timestamp()) if query.time_format == "unixtime" else f"{instant:%Y-%m-%dT%H:%M}"


def _cell(degrees: float) -> float:
    return round(degrees * _CELLS_PER_DEGREE) / _CELLS_PER_DEGREE
