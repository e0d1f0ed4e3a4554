"""Cassandra's part of the books: of many partitions, only the columns that are compared."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from cassandra.concurrent import execute_concurrent_with_args

from pipeline._cassandra import session

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipeline.reconcile.books import AlertKey
    from pipeline.settings import CassandraSettings

__all__ = ["ServingBooks", "StationDay"]

StationDay = tuple[str, date]
"""The key of a partition of readings and of averages; the day is that of UTC."""

_AT_ONCE = 50
_ALERT = "station_id, observed_at, rule_id, source"


class ServingBooks:
    """Reads by partitions; every method raises ServingError."""

    def __init__(self, settings: CassandraSettings, keyspace: str) -> None:
        self._settings = settings
        self._keyspace = keyspace

    def event_ids(self, partitions: Iterable[StationDay]) -> frozenset[str]:
        """Give the events of the readings."""
        query = "SELECT event_id FROM readings_by_station WHERE station_id = ? AND day = ?"
        return frozenset(row.event_id for row in self._rows(query, partitions))

    def alerts_of_stations(self, stations: Iterable[str], since: datetime) -> frozenset[AlertKey]:
        """Give the keys of the alerts by station that were observed at or after an instant."""
        query = f"SELECT {_ALERT} FROM alerts_by_station WHERE station_id = ? AND observed_at >= ?"  # noqa: S608
        return self._alerts(query, ((station, since) for station in stations))

    def alerts_of_days(self, days: Iterable[date]) -> frozenset[AlertKey]:
        """Give the keys of the alerts by day."""
        query = f"SELECT {_ALERT} FROM alerts_by_day WHERE day = ?"  # noqa: S608 - a constant of this module
        return self._alerts(query, ((day,) for day in days))

    def averages(
        self, partitions: Iterable[StationDay]
    ) -> dict[tuple[str, datetime], tuple[float, float, float, int]]:
        """Give mean, least, greatest and count by station and start of the window."""
        query = (
            "SELECT station_id, window_start, "
            "temperature_c_mean, temperature_c_min, temperature_c_max, readings "
            "FROM averages_by_station WHERE station_id = ? AND day = ?"
        )
        return {
            (row.station_id, _utc(row.window_start)): (
                row.temperature_c_mean,
                row.temperature_c_min,
                row.temperature_c_max,
                row.readings,
            )
            for row in self._rows(query, partitions)
        }

    def _alerts(self, query: str, values: Iterable[tuple[Any, ...]]) -> frozenset[AlertKey]:
        rows = self._rows(query, values)
        return frozenset((row.station_id, _utc(row.observed_at), row.rule_id, row.source) for row in rows)

    def _rows(self, query: str, values: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
        with session(self._settings, keyspace=self._keyspace) as opened:
            statement = opened.prepare(query)
            done = execute_concurrent_with_args(
                opened, statement, list(values), concurrency=_AT_ONCE, results_generator=True
            )
            for _, rows in done:
                yield from rows


def _utc(value: datetime) -> datetime:
    """Cassandra's times are UTC; the driver gives them without a zone."""
    return value.replace(tzinfo=UTC)
