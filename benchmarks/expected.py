"""What must be in the tables after a fleet has spoken, computed from its numbers.

Of a million readings in seconds, for which the oracle (pipeline.oracle) would take minutes; a test holds the
two against each other.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from pipeline.readings import Reading

__all__ = ["Expected", "Mean", "differences", "expected_of"]

_RULE = "heat-100f"
_WINDOW = timedelta(minutes=5)


class Mean(NamedTuple):
    """One row of averages, temperatures in °C."""

    station_id: str
    window_start: datetime
    mean: float
    least: float
    greatest: float
    readings: int


class Expected(NamedTuple):
    """The rows of a fleet: (station, observed at, rule) of each alert, averages, and readings by station."""

    alerts: frozenset[tuple[str, datetime, str]]
    averages: frozenset[Mean]
    readings: dict[str, int]


def expected_of(readings: Iterable[tuple[Reading, bool]]) -> Expected:
    """Compute the rows of readings, each given with whether it is hot; no two are of one station and time."""
    alerts = set()
    windows: defaultdict[tuple[str, datetime], list[int]] = defaultdict(list)
    counts: defaultdict[str, int] = defaultdict(int)
    for reading, is_hot in readings:
        counts[reading.station_id] += 1
        if is_hot:
            alerts.add((reading.station_id, reading.observed_at, _RULE))
        if reading.temperature_c is not None:
            start = _window_start(reading.observed_at)
            windows[reading.station_id, start].append(round(reading.temperature_c * 1000))
    averages = {
        Mean(station, start, sum(of) / 1000 / len(of), min(of) / 1000, max(of) / 1000, len(of))
        for (station, start), of in windows.items()
    }
    return Expected(frozenset(alerts), frozenset(averages), dict(counts))


def differences(expected: Expected, found: Expected) -> list[str]:
    """Tell in words what is missing and what is too much; empty where both are the same."""
    said = []
    for name in ("alerts", "averages"):
        want, have = getattr(expected, name), getattr(found, name)
        if want != have:
            said.append(f"{name}: {len(want - have)} missing, {len(have - want)} too many or other values")
    want_all, have_all = sum(expected.readings.values()), sum(found.readings.values())
    if expected.readings != found.readings:
        said.append(f"readings: {have_all} instead of {want_all}")
    return said


def _window_start(at: datetime) -> datetime:
    at = at.astimezone(UTC)
    return at.replace(minute=at.minute - at.minute % 5, second=0, microsecond=0)
