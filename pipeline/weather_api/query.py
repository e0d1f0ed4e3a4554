"""The parameters of /v1/forecast, read as Open-Meteo reads them.

https://open-meteo.com/en/docs: lists are separated by commas; times are full hours of GMT; without a range
of time it is today and the six days that follow. Parameters that are not served are ignored, as there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from pipeline.sources.forecast import VARIABLES
from pipeline.weather_api.weather import hour_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.units import Metric

__all__ = ["BadRequestError", "ForecastQuery", "parse_query"]

_LOCATIONS: Final = 1000
_PAST_DAYS: Final = 92
_FORECAST_DAYS: Final = 16

# What one answer may hold, in values of one variable: some hundred megabytes would come of more.
_SLOTS: Final = 2_000_000

_METRICS: Final[dict[str, Metric]] = {name: metric for metric, name in VARIABLES.items()}

_TEMPERATURE_UNITS: Final = {"celsius": "°C", "fahrenheit": "°F"}
_WIND_SPEED_UNITS: Final = {"kmh": "km/h", "ms": "m/s", "mph": "mph", "kn": "kn"}
_TIME_FORMATS: Final = {"iso8601": "iso8601", "unixtime": "unixtime"}
_ZONES: Final = ("GMT", "UTC", "Etc/UTC", "Etc/GMT")


class BadRequestError(Exception):
    """A parameter is missing, invalid or out of range; the text is the answer's `reason`."""


@dataclass(frozen=True, slots=True)
class ForecastQuery:
    """What was asked: places, metrics of the hourly and the current part, hours, and how to write values."""

    places: tuple[tuple[float, float], ...]
    hourly: tuple[Metric, ...]
    current: tuple[Metric, ...]
    hours: range
    units: Mapping[Metric, str]
    time_format: str


def parse_query(parameters: Mapping[str, str], now: datetime) -> ForecastQuery:
    """Read the parameters of a request made at `now`; raises BadRequestError."""
    places = _places(parameters)
    hours = _hours(parameters, now)
    if len(places) * len(hours) > _SLOTS:
        raise BadRequestError(f"Too much at once: {len(places)} locations times {len(hours)} hours.")
    zone = parameters.get("timezone", "GMT")
    if zone not in _ZONES:
        raise BadRequestError(f"Invalid timezone '{zone}': times are served in GMT.")
    return ForecastQuery(
        places=places,
        hourly=_metrics(parameters, "hourly"),
        current=_metrics(parameters, "current"),
        hours=hours,
        units={
            "temperature": _choice(parameters, "temperature_unit", _TEMPERATURE_UNITS),
            "humidity": "%",
            "pressure": "hPa",
            "wind_speed": _choice(parameters, "wind_speed_unit", _WIND_SPEED_UNITS),
        },
        time_format=_choice(parameters, "timeformat", _TIME_FORMATS),
    )


def _places(parameters: Mapping[str, str]) -> tuple[tuple[float, float], ...]:
    latitudes = _coordinates(parameters, "latitude", 90)
    longitudes = _coordinates(parameters, "longitude", 180)
    if len(latitudes) != len(longitudes):
        raise BadRequestError("Parameter 'latitude' and 'longitude' must have the same number of elements.")
    if len(latitudes) > _LOCATIONS:
        raise BadRequestError(
            f"At most {_LOCATIONS} locations may be asked at once. Given: {len(latitudes)}."
        )
    return tuple(zip(latitudes, longitudes, strict=True))


def _coordinates(parameters: Mapping[str, str], name: str, limit: int) -> list[float]:
    if not parameters.get(name):
        raise BadRequestError(f"Value of type 'String' required for key '{name}'.")
    values = []
    for text in parameters[name].split(","):
        try:
            value = float(text)
        except ValueError:
            raise BadRequestError(f"Invalid value '{text}' for key '{name}'.") from None
        if not -limit <= value <= limit:
            raise BadRequestError(f"{name.title()} must be in range of -{limit} to {limit}°. Given: {text}.")
        values.append(value)
    return values


def _metrics(parameters: Mapping[str, str], name: str) -> tuple[Metric, ...]:
    names = [text for text in parameters.get(name, "").split(",") if text]
    for text in names:
        if text not in _METRICS:
            raise BadRequestError(
                f"Invalid variable '{text}' for key '{name}'. Served: {', '.join(_METRICS)}."
            )
    return tuple(dict.fromkeys(_METRICS[text] for text in names))


def _choice(parameters: Mapping[str, str], name: str, choices: Mapping[str, str]) -> str:
    """Give what the parameter stands for; the first choice is the default."""
    text = parameters.get(name, next(iter(choices)))
    if text not in choices:
        raise BadRequestError(f"Invalid value '{text}' for key '{name}'. Possible: {', '.join(choices)}.")
    return choices[text]


def _hours(parameters: Mapping[str, str], now: datetime) -> range:
    """Give the hours asked: start_hour to end_hour, start_date to end_date, or days around today."""
    given = [key for key in ("start_hour", "start_date", "past_days", "forecast_days") if parameters.get(key)]
    if given and given[0].startswith("start") and len(given) > 1:
        raise BadRequestError(f"Parameter '{given[0]}' is mutually exclusive with '{given[1]}'.")
    if parameters.get("start_hour") or parameters.get("end_hour"):
        first, last = _hour(parameters, "start_hour"), _hour(parameters, "end_hour")
        return _ordered(parameters, "hour", range(first, last + 1))
    if parameters.get("start_date") or parameters.get("end_date"):
        first, last = _midnight(parameters, "start_date"), _midnight(parameters, "end_date")
        return _ordered(parameters, "date", range(first, last + 24))
    past_days = _number(parameters, "past_days", 0, _PAST_DAYS)
    forecast_days = _number(parameters, "forecast_days", 7, _FORECAST_DAYS)
    midnight = hour_of(now.replace(hour=0))
    return range(midnight - 24 * past_days, midnight + 24 * forecast_days)


def _ordered(parameters: Mapping[str, str], kind: str, hours: range) -> range:
    if not hours:
        start, end = parameters[f"start_{kind}"], parameters[f"end_{kind}"]
        raise BadRequestError(f"'end_{kind}' must not be before 'start_{kind}'. Given: {start} to {end}.")
    return hours


def _hour(parameters: Mapping[str, str], name: str) -> int:
    text = parameters.get(name, "")
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}T\d{2}:00", text):
        raise BadRequestError(f"Invalid time '{text}' for key '{name}'. Make sure to use 'YYYY-MM-DDThh:00'.")
    return _moment(text, name)


def _midnight(parameters: Mapping[str, str], name: str) -> int:
    text = parameters.get(name, "")
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        raise BadRequestError(f"Invalid date '{text}' for key '{name}'. Make sure to use 'YYYY-MM-DD'.")
    return _moment(f"{text}T00:00", name)


def _moment(text: str, name: str) -> int:
    try:
        return hour_of(datetime.fromisoformat(f"{text}Z"))
    except ValueError:
        raise BadRequestError(f"Invalid time '{text}' for key '{name}': there is no such time.") from None


def _number(parameters: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = parameters.get(name) or str(default)
    if not re.fullmatch(r"\d{1,4}", text) or int(text) > most:
        raise BadRequestError(f"Parameter '{name}' must be from 0 to {most}. Given: {text}.")
    return int(text)
