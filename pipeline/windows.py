"""The reference of the averages: what Spark's query must give, computed plainly; and the trailing mean.

Windows are [start, start + length) of event time, aligned with the epoch. An event counts once, with its
first revision: the one that a stream keyed by station brings first, on every replay. Sums are of integer
thousandths of °C, so the result does not depend on the order of addition.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.readings import Origin, Reading

__all__ = ["Average", "Trailing", "averages", "thousandths", "trailing", "window_start"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Average:
    """Mean, least and greatest temperature of one station in one window, and how many readings it had.

    `origin` is the alphabetically last of the readings' origins, which is what SQL's max() gives.
    """

    station_id: str
    window_start: datetime
    window_end: datetime
    temperature_c_mean: float
    temperature_c_min: float
    temperature_c_max: float
    readings: int
    origin: Origin


@dataclass(frozen=True, slots=True)
class Trailing:
    """Mean, least and greatest of the temperatures, in °C, of the readings in (since, until]."""

    since: datetime
    until: datetime
    temperature_c_mean: float
    temperature_c_min: float
    temperature_c_max: float
    readings: int


def window_start(observed_at: datetime, window_seconds: int) -> datetime:
    """Give the start of the window that an instant lies in."""
    length = timedelta(seconds=window_seconds)
    return _EPOCH + (observed_at - _EPOCH) // length * length


def thousandths(temperature_c: float) -> int:
    """Round to thousandths of a degree, halves to even: rint(t * 1000.0), the same in Java and SQL."""
    return round(temperature_c * 1000.0)


def averages(readings: Iterable[Reading], window_seconds: int) -> tuple[Average, ...]:
    """Average the readings that have a temperature by station and window, sorted by both.

    The mean is (sum / 1000) / count and the extremes are thousandths / 1000, each quotient a double.
    """
    first: dict[str, Reading] = {}
    for reading in readings:
        if reading.temperature_c is None:
            continue
        known = first.setdefault(reading.event_id, reading)
        if _version(reading) < _version(known):
            first[reading.event_id] = reading

    groups: defaultdict[tuple[str, datetime], list[Reading]] = defaultdict(list)
    for reading in first.values():
        groups[reading.station_id, window_start(reading.observed_at, window_seconds)].append(reading)
    return tuple(
        _average(station_id, start, start + timedelta(seconds=window_seconds), groups[station_id, start])
        for station_id, start in sorted(groups)
    )


def trailing(
    temperatures: Iterable[tuple[datetime, float | None]], now: datetime, window_seconds: int
) -> Trailing | None:
    """Average what one station observed in the window that ends now; None without any temperature.

    `temperatures` are (observed at, °C), each observation once. Computed as `averages` are; what was observed
    after `now`, by a clock that is ahead, counts later.
    """
    since = now - timedelta(seconds=window_seconds)
    values = [thousandths(value) for at, value in temperatures if since < at <= now and value is not None]
    if not values:
        return None
    return Trailing(
        since=since,
        until=now,
        temperature_c_mean=sum(values) / 1000 / len(values),
        temperature_c_min=min(values) / 1000,
        temperature_c_max=max(values) / 1000,
        readings=len(values),
    )


def _version(reading: Reading) -> tuple[int, datetime, int, str]:
    """Order the versions of an event: by revision, and totally, so that arrival decides nothing."""
    return reading.revision, reading.fetched_at, thousandths(reading.temperature_c or 0.0), reading.origin


def _average(station_id: str, start: datetime, end: datetime, readings: list[Reading]) -> Average:
    values = [thousandths(value) for reading in readings if (value := reading.temperature_c) is not None]
    return Average(
        station_id=station_id,
        window_start=start,
        window_end=end,
        temperature_c_mean=sum(values) / 1000 / len(values),
        temperature_c_min=min(values) / 1000,
        temperature_c_max=max(values) / 1000,
        readings=len(values),
        origin=max(reading.origin for reading in readings),
    )
