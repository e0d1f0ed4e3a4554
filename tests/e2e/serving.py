"""The tables of Cassandra, compared row by row and column by column with what the oracle says."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pipeline.oracle import Alert, Average, Outcome, Record, StoredReading
from tests.e2e.tables import await_equal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pipeline.oracle import Poison
    from tests.e2e.tables import Query

__all__ = ["assert_raised", "assert_served"]

# The newest of a station may be late as well: this table does not tell.
_LATEST = tuple(field.name for field in fields(StoredReading) if field.name != "on_time")
_PARTITIONS = {
    "readings_by_station": ("station_id", "day"),
    "averages_by_station": ("station_id", "day"),
    "alerts_by_station": ("station_id",),
    "latest_by_station": ("station_id",),
    "alerts_by_day": ("day",),
}


def assert_served(query: Query, prefix: str, outcome: Outcome) -> dict[str, int]:
    """Each table of Cassandra has the oracle's rows, column by column."""
    tables: list[tuple[str, str, type[Any], Iterable[Any]]] = [
        ("topic → readings", "readings_by_station", StoredReading, outcome.readings),
        ("readings → alerts", "alerts_by_station", Alert, outcome.alerts),
        ("alerts by day", "alerts_by_day", Alert, outcome.alerts),
        ("readings → averages", "averages_by_station", Average, outcome.averages),
    ]
    counts = {}
    for hop, table, kind, rows in tables:
        expected = set(rows)
        await_equal(
            hop,
            expected,
            lambda table=table, kind=kind: set(_of(kind, _select(query, table, prefix))),  # type: ignore[misc]
        )
        counts[hop] = len(expected)
    latest = {_latest(row) for row in outcome.latest}
    await_equal(
        "the latest of each station",
        latest,
        lambda: {
            tuple(_utc(row[name]) for name in _LATEST) for row in _select(query, "latest_by_station", prefix)
        },
    )
    return {**counts, "latest": len(latest)}


def assert_raised(query: Query, prefix: str, outcome: Outcome, records: Iterable[Record | Poison]) -> None:
    """An alert was raised when a copy of its reading was appended, that of the revision that is shown."""
    appended = {
        (record.event_id, record.revision, record.appended_at)
        for record in records
        if isinstance(record, Record)
    }
    raised = {
        (row["event_id"], row["revision"], _utc(row["raised_at"]))
        for row in _select(query, "alerts_by_station", prefix)
    }
    assert set() == raised - appended
    assert {alert.event_id for alert in outcome.alerts} == {event_id for event_id, _, _ in raised}


def _select(query: Query, table: str, prefix: str) -> list[dict[str, Any]]:
    """Give the rows of the stations of a prefix, whatever partitions they lie in."""
    names = _PARTITIONS[table]
    partitions = query(f"SELECT DISTINCT {', '.join(names)} FROM {table}")  # noqa: S608 - constants
    rows = []
    for found in partitions:
        if found.get("station_id", prefix).startswith(prefix):
            where = " AND ".join(f"{name} = '{found[name]}'" for name in names)
            rows += query(f"SELECT * FROM {table} WHERE {where}")  # noqa: S608 - what the table itself told
    return [row for row in rows if row["station_id"].startswith(f"{prefix}-")]


def _of(kind: type[Any], rows: Iterable[Mapping[str, Any]]) -> Iterator[Any]:
    for row in rows:
        told = {field.name: _utc(row[field.name]) for field in fields(kind) if field.name in row}
        if kind is Alert:
            # No column: the columns that it is made of are compared.
            told["alert_id"] = f"{row['event_id']}/{row['rule_id']}"
        yield kind(**told)


def _latest(row: StoredReading) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in _LATEST)


def _utc(value: Any) -> Any:
    """Give the zone to a time of Cassandra's driver, which has none."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value
