"""The contract of the US National Weather Service: the observations of a station as GeoJSON.

`GET /stations/{id}/observations?start=…&end=…` gives a FeatureCollection, the newest first, and
`GET /stations/{id}/observations/latest` one Feature: https://www.weather.gov/documentation/services-web-api.
Temperature is in °C, wind in km/h, pressure in Pa, each with its unit and the flag of its quality control; a
property that is not observed here has the value null. `galewatch_origin` says what the values are.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from pipeline.units import from_canonical
from pipeline.weather_api.interval import parse_interval
from pipeline.weather_api.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pipeline.readings import Origin
    from pipeline.stations import Station
    from pipeline.units import Metric
    from pipeline.weather_api.weather import Observation, Observer

__all__ = ["MEDIA_TYPE", "collection", "latest"]

MEDIA_TYPE: Final = "application/geo+json"

# Verified, and not checked, in the service's own letters.
_VERIFIED: Final = "V"
_UNCHECKED: Final = "Z"

# What is asked without a time: the days that the service itself keeps. And the most that may be asked.
_KEPT: Final = timedelta(days=7)
_LONGEST: Final = timedelta(days=31)
# Older than this, an observation is not the latest one any more.
_LATEST_WITHIN: Final = timedelta(days=1)

_CONTEXT: Final = [
    "https://geojson.org/geojson-ld/geojson-context.jsonld",
    {
        "@version": "1.1",
        "wx": "https://api.weather.gov/ontology#",
        "unit": "http://codes.wmo.int/common/unit/",
        "@vocab": "https://api.weather.gov/ontology#",
    },
]

# Decimals of a value that had to be converted.
_DECIMALS: Final = 3


def collection(
    observer: Observer, station: Station, parameters: Mapping[str, str], now: datetime, base: str
) -> dict[str, Any]:
    """Build the FeatureCollection of [start, end); raises ProblemError. `base` is the service's URL."""
    start, end = parse_interval(parameters, _LONGEST, (now - _KEPT, now))
    observed = observer.observations(station, start, end, now)
    return {
        "@context": _CONTEXT,
        "type": "FeatureCollection",
        "features": [
            _feature(station, observation, observer.origin, base) for observation in reversed(observed)
        ],
    }


def latest(observer: Observer, station: Station, now: datetime, base: str) -> dict[str, Any]:
    """Build the Feature of the newest observation; raises ProblemError (404) when there is none of a day."""
    observed = observer.observations(station, now - _LATEST_WITHIN, now + timedelta(seconds=1), now)
    if not observed:
        raise ProblemError(404, f"{station.source_code} has observed nothing for a day")
    return {"@context": _CONTEXT, **_feature(station, observed[-1], observer.origin, base)}


def _feature(station: Station, observation: Observation, origin: Origin, base: str) -> dict[str, Any]:
    at = observation.at.isoformat(timespec="seconds")
    url = f"{base}/stations/{station.source_code}"
    temperature, humidity, pressure, wind = observation.values
    sea_level = _measure("Pa", _converted(pressure, "Pa", "pressure"))
    return {
        "id": f"{url}/observations/{at}",
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [station.longitude, station.latitude]},
        "properties": {
            "@id": f"{url}/observations/{at}",
            "@type": "wx:ObservationStation",
            "elevation": {"unitCode": "wmoUnit:m", "value": None},
            "station": url,
            "timestamp": at,
            "rawMessage": "",
            "textDescription": "",
            "icon": None,
            "presentWeather": [],
            "temperature": _measure("degC", temperature),
            "dewpoint": _measure("degC", None),
            "windDirection": _measure("degree_(angle)", None),
            "windSpeed": _measure("km_h-1", _converted(wind, "km/h", "wind_speed")),
            "windGust": _measure("km_h-1", None),
            # Reduced to sea level, as everywhere here: no elevation is known.
            "barometricPressure": sea_level,
            "seaLevelPressure": sea_level,
            "visibility": _measure("m", None),
            "maxTemperatureLast24Hours": {"unitCode": "wmoUnit:degC", "value": None},
            "minTemperatureLast24Hours": {"unitCode": "wmoUnit:degC", "value": None},
            "precipitationLastHour": _measure("m", None),
            "precipitationLast3Hours": _measure("m", None),
            "precipitationLast6Hours": _measure("m", None),
            "relativeHumidity": _measure("percent", humidity),
            "windChill": _measure("degC", None),
            "heatIndex": _measure("degC", None),
            "cloudLayers": [],
            "galewatch_origin": origin,
        },
    }


def _measure(unit: str, value: float | None) -> dict[str, Any]:
    flag = _UNCHECKED if value is None else _VERIFIED
    return {"unitCode": f"wmoUnit:{unit}", "value": value, "qualityControl": flag}


def _converted(value: float | None, unit: str, metric: Metric) -> float | None:
    return None if value is None else round(from_canonical(value, unit, metric), _DECIMALS)
