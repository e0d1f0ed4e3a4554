"""Taking one row from a store by hand, which reconcile is to miss, and putting it back."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg2.extensions import connection as Connection  # noqa: N812 - a class in spite of its name

__all__ = ["SERVING_TABLES", "without_a_row", "without_a_serving_row"]

SERVING_TABLES: Final = {
    "readings_by_station": ("station_id", "day", "observed_at", "source"),
    "alerts_by_station": ("station_id", "observed_at", "rule_id", "source"),
    "alerts_by_day": ("day", "observed_at", "station_id", "rule_id", "source"),
    "averages_by_station": ("station_id", "day", "window_start"),
}
"""Cassandra's tables that reconcile compares, with their primary keys."""


@contextmanager
def without_a_row(connection: Connection, table: str, condition: str) -> Iterator[None]:
    """Take a row that fulfils the condition from PostgreSQL, through a connection that commits by itself."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE kept (LIKE {table})")
        cursor.execute(
            f"WITH gone AS (DELETE FROM {table} WHERE ctid = "  # noqa: S608 - names of the tests
            f"(SELECT ctid FROM {table} WHERE {condition} LIMIT 1) RETURNING *) "
            "INSERT INTO kept SELECT * FROM gone"
        )
        assert 1 == cursor.rowcount
        try:
            yield
        finally:
            cursor.execute(f"INSERT INTO {table} SELECT * FROM kept")  # noqa: S608 - the same


@contextmanager
def without_a_serving_row(session: Any, table: str, stations: str) -> Iterator[None]:
    """Take a row from one of Cassandra's tables, of a station whose id begins so."""
    texts = [text for (text,) in session.execute(f"SELECT JSON * FROM {table}")]  # noqa: S608 - the same
    row = next(row for row in map(json.loads, texts) if row["station_id"].startswith(stations))
    where = " AND ".join(f"{key} = '{row[key]}'" for key in SERVING_TABLES[table])
    session.execute(f"DELETE FROM {table} WHERE {where}")  # noqa: S608 - the same
    try:
        yield
    finally:
        session.execute(f"INSERT INTO {table} JSON %s", (json.dumps(row),))
