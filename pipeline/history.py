"""The history in PostgreSQL: every reading ever stored, and in the same table the outbox for Kafka."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import psycopg2
from psycopg2.extras import execute_values

from pipeline._history_rows import (
    MARK,
    MEASURED,
    SELECT,
    UNPUBLISHED,
    UPSERT,
    WAITING,
    from_row,
    rounds,
    store_rejected,
    to_row,
)
from pipeline.errors import HistoryError
from pipeline.loads import LoadReport, store_load

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime, timedelta
    from types import TracebackType

    from psycopg2.extensions import connection as Connection  # noqa: N812 - a class in spite of its name
    from psycopg2.extensions import cursor as Cursor  # noqa: N812 - the same

    from pipeline.loads import Load
    from pipeline.readings import Reading, RejectedReading
    from pipeline.settings import HistorySettings
    from pipeline.stations import Station
    from pipeline.units import Metric

__all__ = ["History", "HistoryRow", "Outbox", "connect"]

_CONNECT_TIMEOUT_SECONDS = 5
# A load waits for a publisher that holds the same rows until the broker has answered (at most 30 s), no
# longer.
_LOCK_TIMEOUT_MS = 60_000
# A publisher that hangs between reading the outbox and marking it is cut off, and its rows are free again.
_IDLE_TRANSACTION_TIMEOUT_MS = 120_000


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """A stored reading and what became of it; `published_at` is that of the last acknowledged revision.

    `load_id` names the load that brought this revision; None for one stored before loads were recorded.
    """

    reading: Reading
    load_id: str | None
    ingested_at: datetime
    streamed: bool
    published_at: datetime | None


@dataclass(slots=True)
class Outbox:
    """Some readings that wait to be published, locked against every other publisher while they are held."""

    readings: tuple[Reading, ...]
    acknowledged: set[str] = field(default_factory=set)

    def acknowledge(self, event_ids: Iterable[str]) -> None:
        """Note what the broker has acknowledged: this is marked as published when the outbox is let go."""
        self.acknowledged.update(event_ids)


def connect(settings: HistorySettings) -> Connection:
    """Open a connection whose times are UTC; raises HistoryError naming server, database and user."""
    try:
        connection = psycopg2.connect(
            host=settings.host,
            port=settings.port,
            dbname=settings.database,
            user=settings.user,
            password=settings.password.get_secret_value(),
            connect_timeout=_CONNECT_TIMEOUT_SECONDS,
            application_name="galewatch",
            options=f"-c timezone=UTC -c lock_timeout={_LOCK_TIMEOUT_MS} "
            f"-c idle_in_transaction_session_timeout={_IDLE_TRANSACTION_TIMEOUT_MS}",
        )
    except psycopg2.OperationalError as error:
        raise HistoryError(
            f"PostgreSQL at {settings.host}:{settings.port} let user '{settings.user}' not into database "
            f"'{settings.database}': {_first_line(error)}"
        ) from None
    return connection


class History:
    """One connection to the history; a context manager that closes it."""

    def __init__(self, settings: HistorySettings) -> None:
        self._connection = connect(settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; what was not committed is undone."""
        self._connection.close()

    def load(
        self,
        load: Load,
        readings: Sequence[Reading],
        rejected: Sequence[RejectedReading] = (),
        *,
        horizon: timedelta,
        now: datetime,
    ) -> LoadReport:
        """Store readings, rejected records and what became of them in one transaction.

        Storing the same again changes nothing.

        Other values for a stored observation raise its revision. A reading observed less than `horizon`
        before its fetch is to be published, an older one is history only; what was once to be published stays
        so when it is revised, however late, so that no reader keeps the old values. `now` is written as the
        time of storing.
        """
        written: list[tuple[int, bool]] = []
        with self._transaction() as cursor:
            for rows in rounds(readings):
                values = [to_row(reading, load.load_id, horizon, now) for reading in rows]
                written += execute_values(cursor, UPSERT, values, page_size=1000, fetch=True)
            stored = sum(revision == 1 for revision, _ in written)
            report = LoadReport(
                stored=stored,
                revised=len(written) - stored,
                unchanged=len(readings) - len(written),
                rejected=len(rejected),
                rejected_again=len(rejected) - store_rejected(cursor, rejected, load, now),
                to_publish=sum(streamed for _, streamed in written),
            )
            store_load(cursor, load, report, now)
        return report

    @contextmanager
    def unpublished(self, limit: int) -> Iterator[Outbox]:
        """Hold up to `limit` of the oldest readings that wait for Kafka, and mark the acknowledged ones.

        The rows are locked until then and two publishers never hold the same ones. What the caller
        acknowledged is marked even if it raises: the broker has it. When the process dies instead, nothing is
        marked and the rows are published again, under the same event ids.
        """
        with self._transaction() as cursor:
            cursor.execute(UNPUBLISHED, (limit,))
            outbox = Outbox(tuple(from_row(row) for row in cursor.fetchall()))
            try:
                yield outbox
            except BaseException:
                self._mark(cursor, outbox)
                self._connection.commit()
                raise
            self._mark(cursor, outbox)

    def waiting(self) -> int:
        """Count the readings that are to be published and not yet acknowledged."""
        with self._transaction() as cursor:
            cursor.execute(WAITING)
            (count,) = cursor.fetchone() or (0,)
        return int(count)

    def readings(
        self,
        *,
        station_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
    ) -> list[HistoryRow]:
        """Read stored readings observed in [since, until), the latest first."""
        with self._transaction() as cursor:
            cursor.execute(SELECT, {"station": station_id, "since": since, "until": until, "limit": limit})
            return [HistoryRow(from_row(row[:-4]), *row[-4:]) for row in cursor.fetchall()]

    def measured(
        self, station_id: str, metric: Metric, *, since: datetime, until: datetime
    ) -> list[tuple[datetime, float]]:
        """Read what a station measured of one metric in [since, until), the oldest first.

        In the metric's canonical unit; a month of five-minute values takes some tens of milliseconds.
        """
        with self._transaction() as cursor:
            cursor.execute(MEASURED[metric], (station_id, since, until))
            return cursor.fetchall()

    def store_stations(self, stations: Sequence[Station]) -> int:
        """Write name and place of the stations; returns how many were new or changed."""
        with self._transaction() as cursor:
            changed = execute_values(
                cursor,
                "INSERT INTO stations AS stored (station_id, name, latitude, longitude) VALUES %s "
                "ON CONFLICT (station_id) DO UPDATE SET (name, latitude, longitude) = "
                "(EXCLUDED.name, EXCLUDED.latitude, EXCLUDED.longitude) "
                "WHERE (stored.name, stored.latitude, stored.longitude) "
                "IS DISTINCT FROM (EXCLUDED.name, EXCLUDED.latitude, EXCLUDED.longitude) RETURNING 1",
                [(station.id, station.name, station.latitude, station.longitude) for station in stations],
                fetch=True,
            )
        return len(changed)

    @contextmanager
    def _transaction(self) -> Iterator[Cursor]:
        try:
            with self._connection, self._connection.cursor() as cursor:
                yield cursor
        except psycopg2.Error as error:
            # A connection that broke cannot be rolled back either; the first of the two errors says why.
            first = error.__context__ if isinstance(error.__context__, psycopg2.Error) else error
            raise HistoryError(f"PostgreSQL refused: {_first_line(first)}") from error

    @staticmethod
    def _mark(cursor: Cursor, outbox: Outbox) -> None:
        keys = [
            (reading.station_id, reading.observed_at, reading.source)
            for reading in outbox.readings
            if reading.event_id in outbox.acknowledged
        ]
        if keys:
            execute_values(cursor, MARK, keys, template="(%s, %s::timestamptz, %s)", page_size=1000)


def _first_line(error: psycopg2.Error) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
