"""What Open-Meteo's /v1/forecast answers, turned into readings. Pure: the request is open_meteo's part."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pipeline.config import shown
from pipeline.errors import ContractError, ReadingError
from pipeline.readings import Reading
from pipeline.sources import Fetched
from pipeline.sources._records import by_field, canonical, checked_origin, raw_json, refused
from pipeline.units import CANONICAL, METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.readings import Origin, RejectedReading
    from pipeline.stations import Station
    from pipeline.units import Metric

__all__ = ["SOURCE", "VARIABLES", "parse_forecast"]

SOURCE: Final = "open-meteo"
"""The source's usual name."""

VARIABLES: Final[dict[Metric, str]] = {
    "temperature": "temperature_2m",
    "humidity": "relative_humidity_2m",
    "pressure": "pressure_msl",
    "wind_speed": "wind_speed_10m",
}
"""Open-Meteo's name of each metric."""


class _Location(NamedTuple):
    """One location's answer, checked: the columns in the order of METRICS, by instant."""

    source: str
    station: Station
    origin: Origin
    values: Mapping[datetime, tuple[Any, ...]]


def parse_forecast(
    answer: Any,
    stations: Sequence[Station],
    hours: Sequence[datetime],
    fetched_at: datetime,
    *,
    source: str = SOURCE,
) -> Fetched:
    """Turn the answer for `stations` into one reading, rejected reading or empty slot a station and hour.

    Expects unixtime and the canonical units, and raises ContractError where the answer says something else.
    """
    # One location is answered as an object, several as a bare array in the order asked.
    objects = [answer] if isinstance(answer, dict) else answer
    if not isinstance(objects, list) or not all(isinstance(item, dict) for item in objects):
        raise ContractError(f"{source} answered neither an object nor an array of objects: {shown(answer)}")
    if len(objects) != len(stations):
        raise ContractError(f"{source} answered {len(objects)} locations where {len(stations)} were asked")
    readings: list[Reading] = []
    rejected: list[RejectedReading] = []
    empty = 0
    for station, item in zip(stations, objects, strict=True):
        location = _checked(source, station, item)
        for hour in hours:
            values = location.values.get(hour, ())
            if all(value is None for value in values):
                empty += 1
                continue
            try:
                readings.append(_reading(location, hour, values, fetched_at))
            except ReadingError as error:
                raw = {VARIABLES[metric]: value for metric, value in zip(METRICS, values, strict=True)}
                rejected.append(refused(source, station.id, hour, str(error), raw_json(raw)))
    return Fetched(tuple(readings), tuple(rejected), empty)


def _reading(location: _Location, hour: datetime, values: tuple[Any, ...], fetched_at: datetime) -> Reading:
    measured = zip(METRICS, values, strict=True)
    return Reading.parse(
        {
            "station_id": location.station.id,
            "observed_at": hour,
            "source": location.source,
            "origin": location.origin,
            "fetched_at": fetched_at,
            **by_field({metric: canonical(metric, value, CANONICAL[metric]) for metric, value in measured}),
        }
    )


def _checked(source: str, station: Station, item: Mapping[str, Any]) -> _Location:
    """Check one location against the contract; raises ContractError naming the station and what is wrong."""
    here = f"for station '{station.id}'"
    hourly = item.get("hourly")
    units = item.get("hourly_units")
    if not isinstance(hourly, dict) or not isinstance(units, dict):
        missing = "hourly_units" if isinstance(hourly, dict) else "hourly"
        raise ContractError(f"{source} answered no '{missing}' {here}")
    expected = {"time": "unixtime", **{VARIABLES[metric]: CANONICAL[metric] for metric in METRICS}}
    for name, unit in expected.items():
        if units.get(name) != unit:
            got = shown(units.get(name))
            raise ContractError(f"{source} answered '{name}' in {got} {here}, where '{unit}' was asked")
        if not isinstance(hourly.get(name), list) or len(hourly[name]) != len(hourly["time"]):
            raise ContractError(f"{source} answered no full column '{name}' {here}")
    origin = checked_origin(source, item.get("galewatch_origin", "live"), here)
    times = [_instant(source, value, here) for value in hourly["time"]]
    rows = zip(*(hourly[VARIABLES[metric]] for metric in METRICS), strict=True)
    return _Location(source, station, origin, dict(zip(times, rows, strict=True)))


def _instant(source: str, seconds: Any, here: str) -> datetime:
    try:
        if isinstance(seconds, int) and not isinstance(seconds, bool):
            return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        pass
    raise ContractError(f"{source} answered the time {shown(seconds)} {here}, where unixtime was asked")
