"""The history's part of the books."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg2
from psycopg2.extras import execute_values

from pipeline.errors import HistoryError
from pipeline.history import connect
from pipeline.reconcile.books import Loads, Rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from psycopg2.extensions import cursor as Cursor  # noqa: N812 - a class in spite of its name

    from pipeline.reconcile.books import Record
    from pipeline.settings import HistorySettings

__all__ = ["HistoryBooks"]

_LOADS = """
SELECT source, sum(fetched), sum(stored), sum(revised), sum(unchanged), sum(rejected), sum(rejected_again),
       sum(to_publish)
FROM loads GROUP BY source
"""
_ROWS = """
SELECT source, count(*), coalesce(sum(revision) FILTER (WHERE streamed), 0),
       count(*) FILTER (WHERE streamed),
       count(*) FILTER (WHERE streamed AND published_revision IS NOT DISTINCT FROM revision),
       count(*) FILTER (WHERE streamed AND published_revision IS DISTINCT FROM revision)
FROM readings GROUP BY source
"""
_REJECTED = "SELECT source, count(*) FROM rejected_readings GROUP BY source"
_PUBLISHED = "SELECT event_id::text FROM readings WHERE published_at >= %s"
_KNOWN = """
SELECT event_id::text FROM readings
JOIN (VALUES %s) AS asked (station_id, observed_at, source) USING (station_id, observed_at, source)
"""


class HistoryBooks:
    """One snapshot of the history, so that a load in between changes nothing; a context manager."""

    def __init__(self, settings: HistorySettings) -> None:
        self._settings = settings

    def sums(self, since: datetime) -> tuple[Mapping[str, Loads], Mapping[str, Rows], frozenset[str]]:
        """Give loads and rows by source, over all times, and the event ids published at or after `since`."""
        try:
            with closing(connect(self._settings)) as connection:
                connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
                with connection.cursor() as cursor:
                    loads = {source: Loads(*map(int, sums)) for source, *sums in _all(cursor, _LOADS)}
                    rejected = {source: int(count) for source, count in _all(cursor, _REJECTED)}
                    counted = {source: counts for source, *counts in _all(cursor, _ROWS)}
                    published = frozenset(event_id for (event_id,) in _all(cursor, _PUBLISHED, since))
        except psycopg2.Error as error:
            raise HistoryError(f"PostgreSQL refused: {str(error).strip().splitlines()[0]}") from None
        rows = {}
        for source in counted.keys() | rejected.keys():
            readings, revisions, streamed, done, waiting = map(int, counted.get(source, (0, 0, 0, 0, 0)))
            rows[source] = Rows(readings, rejected.get(source, 0), revisions, streamed, done, waiting)
        return loads, rows, published

    def unknown(self, records: Iterable[Record]) -> frozenset[str]:
        """Give the event ids of those records that are no row of the history."""
        asked = {
            record.event_id: (record.station_id, record.observed_at, record.source) for record in records
        }
        if not asked:
            return frozenset()
        try:
            with closing(connect(self._settings)) as connection, connection.cursor() as cursor:
                found = execute_values(
                    cursor,
                    _KNOWN,
                    list(asked.values()),
                    template="(%s, %s::timestamptz, %s)",
                    page_size=5000,
                    fetch=True,
                )
        except psycopg2.Error as error:
            raise HistoryError(f"PostgreSQL refused: {str(error).strip().splitlines()[0]}") from None
        return frozenset(asked) - {event_id for (event_id,) in found}


def _all(cursor: Cursor, question: str, *values: Any) -> list[tuple[Any, ...]]:
    cursor.execute(question, values)
    return cursor.fetchall()
