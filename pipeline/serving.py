"""Reading from Cassandra what people look at: alerts, averages and readings, by their keys."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self, TypeVar

from cassandra.concurrent import execute_concurrent_with_args

from pipeline._cassandra import session

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import TracebackType

    from pipeline.settings import CassandraSettings

__all__ = ["Alert", "Average", "Latest", "QueryProgress", "Serving", "StoredReading"]

Row = TypeVar("Row")

_DAY = timedelta(days=1)
# A reading may be a few minutes ahead of this clock, so the newest day may be tomorrow.
_AHEAD = timedelta(minutes=10)
_CONCURRENT_READS = 50


@dataclass(frozen=True, slots=True)
class Alert:
    """One rule broken by one reading; value and threshold are in `unit`.

    `raised_at` is when the reading reached the topic, from where its alert is raised within milliseconds.
    """

    station_id: str
    observed_at: datetime
    rule_id: str
    severity: str
    metric: str
    value: float
    threshold: float
    unit: str
    message: str
    source: str
    origin: str
    event_id: str
    revision: int
    raised_at: datetime


@dataclass(frozen=True, slots=True)
class Average:
    """A station's temperature over [window_start, window_end) of event time, from `readings` readings."""

    station_id: str
    window_start: datetime
    window_end: datetime
    temperature_c_mean: float
    temperature_c_min: float
    temperature_c_max: float
    readings: int
    origin: str


@dataclass(frozen=True, slots=True)
class StoredReading:
    """A reading as the stream wrote it."""

    station_id: str
    observed_at: datetime
    source: str
    origin: str
    temperature_c: float | None
    humidity_pct: float | None
    pressure_hpa: float | None
    wind_speed_ms: float | None
    event_id: str
    revision: int
    fetched_at: datetime
    quality: str | None


Latest = StoredReading
"""The newest reading of a station from one source has the same fields."""


@dataclass(frozen=True, slots=True)
class QueryProgress:
    """How far a copy of a query had come in a partition of the topic at `at`: the next offset to read."""

    query: str
    copy: int
    partition: int
    at: datetime
    next_offset: int


class Serving:
    """A session as one role; a context manager that closes it. Every method raises ServingError."""

    def __init__(self, settings: CassandraSettings, keyspace: str = "galewatch") -> None:
        self._stack = ExitStack()
        self._session = self._stack.enter_context(session(settings, keyspace=keyspace))
        self._prepared: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        # The stack turns the driver's errors into ours.
        return self._stack.__exit__(kind, error, trace)

    def close(self) -> None:
        """Close the session."""
        self._stack.close()

    def alerts_of_station(
        self, station_id: str, *, since: datetime | None = None, limit: int = 20
    ) -> list[Alert]:
        """Read a station's alerts observed at or after `since`, the newest first."""
        return self._read(
            Alert,
            "FROM alerts_by_station WHERE station_id = ? AND observed_at >= ? LIMIT ?",
            (station_id, since or _BEGINNING, limit),
        )

    def alerts_of_day(self, day: date, *, since: datetime | None = None, limit: int = 1000) -> list[Alert]:
        """Read all stations' alerts of a UTC day, the newest first."""
        return self._read(
            Alert,
            "FROM alerts_by_day WHERE day = ? AND observed_at >= ? LIMIT ?",
            (day, since or _BEGINNING, limit),
        )

    def latest_alerts(self, *, since: datetime, now: datetime, limit: int = 20) -> list[Alert]:
        """Read all stations' alerts observed at or after `since`, the newest first; one query a day."""
        found: list[Alert] = []
        for day in _days(since, now):
            found += self.alerts_of_day(day, since=since, limit=limit - len(found))
            if len(found) >= limit:
                break
        return found

    def averages(self, station_id: str, *, since: datetime, now: datetime, limit: int = 20) -> list[Average]:
        """Read a station's averages of the windows that start at or after `since`, the newest first."""
        found: list[Average] = []
        for day in _days(since, now):
            found += self._read(
                Average,
                "FROM averages_by_station WHERE station_id = ? AND day = ? AND window_start >= ? LIMIT ?",
                (station_id, day, since, limit - len(found)),
            )
            if len(found) >= limit:
                break
        return found

    def latest(self, station_id: str) -> list[Latest]:
        """Read a station's newest reading from each source."""
        return self._read(Latest, "FROM latest_by_station WHERE station_id = ?", (station_id,))

    def count_alerts(self, day: date) -> int:
        """Count all stations' alerts of a UTC day."""
        statement = self._statement("SELECT count(*) FROM alerts_by_day WHERE day = ?")
        (row,) = self._session.execute(statement, (day,))
        return int(row[0])

    def progress(self) -> list[QueryProgress]:
        """Read how far every copy of every query has come, in no order."""
        return self._read(QueryProgress, "FROM query_progress", ())

    def all_latest(self, *, limit: int = 10_000) -> list[Latest]:
        """Read every station's newest reading from each source, in no order: a walk over a small table."""
        return self._read(Latest, "FROM latest_by_station LIMIT ?", (limit,))

    def readings_since(
        self, station_ids: Iterable[str], since: datetime, *, now: datetime
    ) -> dict[str, list[StoredReading]]:
        """Read what stations observed at or after `since`, many stations at once; the newest first."""
        stations = list(dict.fromkeys(station_ids))
        days = list(_days(since, now))
        found = self._read_many(
            StoredReading,
            "FROM readings_by_station WHERE station_id = ? AND day = ? AND observed_at >= ?",
            [(station, day, since) for station in stations for day in days],
        )
        rows: dict[str, list[StoredReading]] = {station: [] for station in stations}
        for reading in found:
            rows[reading.station_id].append(reading)
        return rows

    def readings_of_day(self, station_id: str, day: date, *, limit: int = 10_000) -> list[StoredReading]:
        """Read a station's readings of a UTC day, the newest first."""
        return self._read(
            StoredReading,
            "FROM readings_by_station WHERE station_id = ? AND day = ? LIMIT ?",
            (station_id, day, limit),
        )

    def _read(self, kind: type[Row], query: str, values: tuple[Any, ...]) -> list[Row]:
        return self._rows(kind, self._session.execute(self._selecting(kind, query), values))

    def _read_many(self, kind: type[Row], query: str, values: Sequence[tuple[Any, ...]]) -> list[Row]:
        statement = self._selecting(kind, query)
        results = execute_concurrent_with_args(
            self._session, statement, values, concurrency=_CONCURRENT_READS
        )
        return [row for _, result in results for row in self._rows(kind, result)]

    def _selecting(self, kind: type[Any], query: str) -> Any:
        return self._statement(f"SELECT {', '.join(field.name for field in fields(kind))} {query}")

    def _statement(self, query: str) -> Any:
        if query not in self._prepared:
            self._prepared[query] = self._session.prepare(query)
        return self._prepared[query]

    @staticmethod
    def _rows(kind: type[Row], rows: Iterable[Any]) -> list[Row]:
        names = [field.name for field in fields(kind)]  # type: ignore[arg-type] # each kind is a dataclass
        return [kind(**{name: _utc(getattr(row, name)) for name in names}) for row in rows]


_BEGINNING = datetime.fromtimestamp(0, UTC)


def _days(since: datetime, now: datetime) -> Iterator[date]:
    """Give the UTC days from now back to `since`."""
    day = (now + _AHEAD).astimezone(UTC).date()
    while day >= since.astimezone(UTC).date():
        yield day
        day -= _DAY


def _utc(value: Any) -> Any:
    """Cassandra's times are UTC; the driver gives them without a zone."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value
