"""The plain consumer's way into Cassandra: prepared inserts, an unlogged batch for each partition."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from cassandra.query import BatchStatement, BatchType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipeline.rules import Rule

__all__ = ["Writer"]

_READING: Final = (
    "event_id", "origin", "revision", "temperature_c", "humidity_pct", "pressure_hpa", "wind_speed_ms",
    "fetched_at", "quality",
)  # fmt: skip
_COLUMNS: Final = {
    "alerts_by_station": (
        "station_id", "observed_at", "rule_id", "source", "severity", "origin", "event_id", "revision",
        "metric", "value", "threshold", "unit", "message", "raised_at",
    ),
    "readings_by_station": ("station_id", "day", "observed_at", "source", *_READING),
    "latest_by_station": ("station_id", "source", "observed_at", *_READING),
    "averages_by_station": (
        "station_id", "day", "window_start", "window_end", "temperature_c_mean", "temperature_c_min",
        "temperature_c_max", "readings", "origin",
    ),
}  # fmt: skip
_COLUMNS_BY_DAY: Final = ("day", *_COLUMNS["alerts_by_station"])
_WINDOW: Final = timedelta(minutes=5)
# A batch above Cassandra's batch_size_fail_threshold (50 KiB) is refused; a reading's row is some 200 bytes.
_ROWS_A_BATCH: Final = 100

Row = tuple[Any, ...]


class Writer:
    """Writes rows and returns when Cassandra has them; the session is in the keyspace."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._insert = {
            table: session.prepare(_insert(table, columns))
            for table, columns in (*_COLUMNS.items(), ("alerts_by_day", _COLUMNS_BY_DAY))
        }

    def alerts(self, alerts: Iterable[tuple[Mapping[str, Any], Rule, float]]) -> None:
        """Write alerts: reading, rule and value of each."""
        now = datetime.now(UTC)
        rows = [
            (
                reading["station_id"], reading["observed_at"], rule.id, reading["source"], rule.severity,
                reading["origin"], reading["event_id"], reading["revision"], rule.metric, value,
                rule.threshold, rule.unit, rule.message, now,
            )
            for reading, rule, value in alerts
        ]  # fmt: skip
        by_day = [(row[1].date(), *row) for row in rows]
        self._write(("alerts_by_station", rows, 1), ("alerts_by_day", by_day, 1))

    def readings(self, readings: Sequence[Mapping[str, Any]]) -> None:
        """Write readings, and of each station and source the newest as its latest."""
        rows, latest = [], {}
        for reading in readings:
            station, at, source = reading["station_id"], reading["observed_at"], reading["source"]
            measured = tuple(reading[name] for name in _READING)
            rows.append((station, at.date(), at, source, *measured))
            latest[station, source] = (station, source, at, *measured)
        self._write(("readings_by_station", rows, 2), ("latest_by_station", list(latest.values()), 1))

    def averages(self, windows: Mapping[tuple[str, datetime], Sequence[tuple[int, str]]]) -> None:
        """Write averages: by station and window start, thousandths of a degree and origin of each event."""
        rows = []
        for (station, start), events in windows.items():
            values = [value for value, _ in events]
            rows.append(
                (
                    station, start.date(), start, start + _WINDOW, sum(values) / 1000 / len(values),
                    min(values) / 1000, max(values) / 1000, len(values), max(origin for _, origin in events),
                )
            )  # fmt: skip
        self._write(("averages_by_station", rows, 2))

    def _write(self, *tables: tuple[str, Sequence[Row], int]) -> None:
        """Write the rows of tables, each given with how many first columns are its partition."""
        futures = []
        for table, rows, key_columns in tables:
            partitions: defaultdict[Row, list[Row]] = defaultdict(list)
            for row in rows:
                partitions[row[:key_columns]].append(row)
            for of_one in partitions.values():
                for begin in range(0, len(of_one), _ROWS_A_BATCH):
                    batch = self._batch(table, of_one[begin : begin + _ROWS_A_BATCH])
                    futures.append(self._session.execute_async(batch))
        for future in futures:
            future.result()

    def _batch(self, table: str, rows: Sequence[Row]) -> Any:
        insert = self._insert[table]
        if len(rows) == 1:
            return insert.bind(rows[0])
        batch = BatchStatement(batch_type=BatchType.UNLOGGED)
        for row in rows:
            batch.add(insert, row)
        return batch


def _insert(table: str, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608
