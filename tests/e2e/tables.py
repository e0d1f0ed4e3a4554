"""What Cassandra holds of some stations, as the oracle writes it, and waiting until it is what it must be."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from pipeline.oracle import Average

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from tests.oracle.weather import Observed

    Rows = list[dict[str, Any]]
    Query = Callable[[str], Rows]

__all__ = [
    "DELIVERED_WITHIN_S",
    "Stored",
    "alerts_of",
    "all_alerts",
    "all_averages",
    "averages_of",
    "await_agreement",
    "await_equal",
    "readings_of",
    "stored",
]

# After a driver was killed: its restart, Spark's start, the replay of the last batch. Half a minute on two
# idle cores, and more than two minutes were seen on very busy ones.
DELIVERED_WITHIN_S = 480


class Stored(NamedTuple):
    """One row of readings_by_station."""

    station_id: str
    observed_at: datetime
    source: str
    temperature_c: float | None
    humidity_pct: float | None
    pressure_hpa: float | None
    wind_speed_ms: float | None
    revision: int
    quality: str | None
    on_time: bool


def await_equal(what: str, expected: set[Any], found: Callable[[], set[Any]]) -> None:
    """Wait until what is found is what is expected, and say what differs where it never is."""
    await_agreement(what, lambda: expected, found)


def await_agreement(what: str, expected: Callable[[], set[Any]], found: Callable[[], set[Any]]) -> None:
    """Wait until two that go on growing are asked within a moment in which nothing came, and are the same."""
    end = time.monotonic() + DELIVERED_WITHIN_S
    while (seen := found()) != (wanted := expected()) and time.monotonic() < end:
        time.sleep(1)
    missing, unexpected = sorted(map(str, wanted - seen)), sorted(map(str, seen - wanted))
    assert ([], []) == (missing[:5], unexpected[:5]), (
        f"{what}: {len(missing)} missing, {len(unexpected)} too many"
    )


def stored(
    observed: Observed, source: str, *, revision: int = 1, quality: str | None = None, on_time: bool = True
) -> Stored:
    """Give the row that an observation must become."""
    return Stored(
        station_id=observed.station_id,
        observed_at=observed.observed_at,
        source=source,
        temperature_c=observed.temperature_c,
        humidity_pct=observed.humidity_pct,
        pressure_hpa=observed.pressure_hpa,
        wind_speed_ms=observed.wind_speed_ms,
        revision=revision,
        quality=quality,
        on_time=on_time,
    )


def alerts_of(query: Query, stations: Collection[str]) -> set[tuple[str, datetime, str]]:
    """Give station, time and rule of the stations' alerts."""
    return {alert for alert in all_alerts(query) if alert[0] in stations}


def all_alerts(query: Query) -> set[tuple[str, datetime, str]]:
    """Give the same of every station."""
    return {
        (row["station_id"], _utc(row["observed_at"]), row["rule_id"])
        for row in query("SELECT station_id, observed_at, rule_id FROM alerts_by_station")
    }


def averages_of(query: Query, stations: Collection[str]) -> set[Average]:
    """Give the stations' averages."""
    return {mean for mean in all_averages(query) if mean.station_id in stations}


def all_averages(query: Query) -> set[Average]:
    """Give every station's averages."""
    return {
        Average(
            row["station_id"],
            _utc(row["window_start"]),
            _utc(row["window_end"]),
            row["temperature_c_mean"],
            row["temperature_c_min"],
            row["temperature_c_max"],
            row["readings"],
            row["origin"],
        )
        for row in query("SELECT * FROM averages_by_station")
    }


def readings_of(query: Query, stations: Collection[str]) -> set[Stored]:
    """Give the stations' readings."""
    return {
        Stored(**{**{name: row[name] for name in Stored._fields}, "observed_at": _utc(row["observed_at"])})
        for row in query("SELECT * FROM readings_by_station")
        if row["station_id"] in stations
    }


def _utc(value: datetime) -> datetime:
    """Give the zone to a time of Cassandra's driver, which has none."""
    return value.replace(tzinfo=UTC)
