"""What is relied on of the history's PostgreSQL: constraints refuse, roles may what they may, locks hold."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import psycopg2
import pytest
from psycopg2 import errors, sql

from pipeline.history import History
from pipeline.platform import load_platform
from pipeline.readings import Reading
from tests.integration.platform_jobs import run_history, run_postgres
from tests.integration.services import history_of
from tests.loads import a_load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg2.extensions import connection as Connection  # noqa: N812 - a class in spite of its name

    from pipeline.settings import HistorySettings
    from tests.integration.containers import Postgres

pytestmark = pytest.mark.engine

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
ONE = "00000000-0000-0000-0000-000000000001"

# A row of each table that it takes. A table that comes to be and is not here fails the first test.
ROWS: Final[dict[str, dict[str, Any]]] = {
    "stations": {"station_id": "a", "name": "A", "latitude": 90.0, "longitude": -180.0},
    "readings": {
        "station_id": "a",
        "observed_at": NOW,
        "source": "open-meteo",
        "origin": "synthetic",
        "event_id": ONE,
        "revision": 2,
        "fetched_at": NOW,
        "ingested_at": NOW,
        "streamed": True,
        "published_revision": 2,
        "published_at": NOW,
    },
    "rejected_readings": {
        "rejection_id": ONE,
        "source": "open-meteo",
        "station_id": "a",
        "reason": "too warm",
        "raw": "{}",
        "ingested_at": NOW,
    },
    "loads": {
        "load_id": ONE,
        "source": "open-meteo",
        "run_id": "a run",
        "window_start": NOW,
        "window_end": NOW,
        "fetched_at": NOW,
        "fetched": 10,
        "stored": 4,
        "revised": 3,
        "unchanged": 2,
        "rejected": 1,
        "rejected_again": 1,
        "empty": 0,
        "to_publish": 7,
        "loaded_at": NOW,
    },
    "schema_migrations": {"version": 1_000, "name": "a", "sha256": "b", "applied_at": NOW},
}

# Of each CHECK, values that it does not take, in the row above. One without values here fails a test.
CHECKS: Final[dict[tuple[str, str], list[dict[str, Any]]]] = {
    ("stations", "stations_latitude_check"): [{"latitude": 90.01}, {"latitude": -90.01}, {"latitude": "NaN"}],
    ("stations", "stations_longitude_check"): [{"longitude": 180.01}, {"longitude": -180.01}],
    ("readings", "readings_station_id_check"): [{"station_id": ""}],
    ("readings", "readings_source_check"): [{"source": ""}],
    ("readings", "readings_origin_check"): [{"origin": "hearsay"}, {"origin": ""}, {"origin": "LIVE"}],
    ("readings", "readings_revision_check"): [
        {"revision": 0, "published_revision": None, "published_at": None}
    ],
    # published_revision and published_at: both or none
    ("readings", "readings_check"): [{"published_revision": None}, {"published_at": None}],
    # no revision is published that there is not
    ("readings", "readings_check1"): [{"published_revision": 3}, {"published_revision": 0}],
    ("loads", "loads_source_check"): [{"source": ""}],
    # every record became one of four things
    ("loads", "loads_check"): [{"fetched": 11}, {"stored": 5}, {"unchanged": 1}],
    ("loads", "loads_check1"): [{"rejected_again": 2}],
    ("loads", "loads_check2"): [{"to_publish": 8}],
}

# What may be unknown; every other column must have a value.
NULLABLE: Final = {
    ("readings", "temperature_c"),
    ("readings", "humidity_pct"),
    ("readings", "pressure_hpa"),
    ("readings", "wind_speed_ms"),
    ("readings", "quality"),
    ("readings", "published_revision"),
    ("readings", "published_at"),
    # of what was stored before loads were recorded
    ("readings", "load_id"),
    ("rejected_readings", "load_id"),
    ("rejected_readings", "fetched_at"),
    # a record whose time is what is wrong with it
    ("rejected_readings", "observed_at"),
}


@pytest.fixture(scope="module")
def history(postgres: Postgres) -> HistorySettings:
    """The history as the jobs make it, as its owner."""
    run_postgres(postgres)
    run_history(postgres)
    return history_of(postgres)


@pytest.fixture
def owner(postgres: Postgres, history: HistorySettings) -> Iterator[Connection]:
    """A connection whose changes are undone."""
    with closing(
        psycopg2.connect(
            host=postgres.host,
            port=postgres.port,
            dbname=history.database,
            user="history",
            password=postgres.password("history"),
        )
    ) as connection:
        yield connection
        connection.rollback()


def ask(connection: Connection, question: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(question, values)
        return cursor.fetchall()


def insert(connection: Connection, table: str, **changed: Any) -> None:
    row = ROWS[table] | changed
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join([sql.Placeholder()] * len(row)),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, list(row.values()))


def refusal(connection: Connection, table: str, **changed: Any) -> psycopg2.Error:
    """Insert a row that must not be taken, and give the reason why it is not."""
    with connection.cursor() as cursor:
        cursor.execute("SAVEPOINT before")
    try:
        insert(connection, table, **changed)
    except psycopg2.Error as error:
        with connection.cursor() as cursor:
            cursor.execute("ROLLBACK TO before")
        return error
    pytest.fail(f"{table} takes {changed}")


def constraints(connection: Connection, kind: str) -> set[tuple[str, str]]:
    """Give table and name of all constraints of a kind, as the catalogue has them."""
    found = ask(
        connection,
        "SELECT conrelid::regclass::text, conname FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace AND contype = %s",
        (kind,),
    )
    return {(table, name) for table, name in found}


def test_every_table_has_a_row_here(owner: Connection) -> None:
    assert {(table,) for table in ROWS} == set(
        ask(owner, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    )
    for table in ROWS:
        insert(owner, table, **{"station_id": "of this test"} if table == "readings" else {})


def test_every_check_refuses_what_it_is_there_for(owner: Connection) -> None:
    assert set(CHECKS) == constraints(owner, "c")
    for (table, name), wrong in CHECKS.items():
        for changed in wrong:
            error = refusal(owner, table, **changed)
            assert isinstance(error, errors.CheckViolation), (name, changed, error)
            assert (table, name) == (error.diag.table_name, error.diag.constraint_name), changed


def test_every_column_that_must_have_a_value_refuses_to_have_none(owner: Connection) -> None:
    columns = ask(
        owner,
        "SELECT attrelid::regclass::text, attname, attnotnull FROM pg_attribute JOIN pg_tables "
        "ON attrelid = tablename::regclass AND schemaname = 'public' WHERE attnum > 0 AND NOT attisdropped",
    )
    assert {(table, column) for table, column, wanted in columns if not wanted} == NULLABLE
    for table, column in [(table, column) for table, column, wanted in columns if wanted]:
        error = refusal(owner, table, **{column: None})
        assert isinstance(error, errors.NotNullViolation), (table, column, error)
        assert (table, column) == (error.diag.table_name, error.diag.column_name)


def test_every_key_refuses_a_second_row_and_there_are_no_other_constraints(owner: Connection) -> None:
    keys = constraints(owner, "p") | constraints(owner, "u")
    assert {(table, f"{table}_pkey") for table in ROWS} == keys
    # Foreign keys, exclusions, triggers: one that comes to be wants a test.
    assert set() == {found for kind in "fxt" for found in constraints(owner, kind)}
    for table, name in sorted(keys):
        insert(owner, table)
        error = refusal(owner, table)
        assert isinstance(error, errors.UniqueViolation), (table, error)
        assert name == error.diag.constraint_name


# Rights

STATEMENTS: Final = {
    "select": "SELECT 1 FROM {table} WHERE false",
    "insert": "INSERT INTO {table} SELECT * FROM {table} WHERE false",
    "update": "UPDATE {table} SET {column} = {column} WHERE false",
    "delete": "DELETE FROM {table} WHERE false",
    "lock": "SELECT 1 FROM {table} WHERE false FOR UPDATE",
    "truncate": "TRUNCATE {table}",
    "alter": "ALTER TABLE {table} ADD COLUMN more integer",
    "index": "CREATE INDEX ON {table} ({column})",
    "grant": "GRANT SELECT ON {table} TO PUBLIC",
    "drop": "DROP TABLE {table}",
}


def allowed(connection: Connection, statement: str, **names: str) -> bool:
    """Tell whether a role may do it; nothing of it stays.

    Who grants what he may not is warned, and no more.
    """
    made = sql.SQL(statement).format(**{name: sql.Identifier(value) for name, value in names.items()})
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '20s'")
        connection.notices.clear()
        try:
            cursor.execute(made)
        except errors.InsufficientPrivilege:
            return False
        finally:
            connection.rollback()
    return not any("no privileges were granted" in notice for notice in connection.notices)


def test_a_reader_selects_and_the_owner_does_everything_on_every_table(
    postgres: Postgres, history: HistorySettings
) -> None:
    readers = load_platform().postgres.databases["history"].readers
    may = {"history": set(STATEMENTS), **{reader: {"select"} for reader in readers}}
    wanted = {
        (role, table, what): what in rights
        for role, rights in may.items()
        for table in ROWS
        for what in STATEMENTS
    }
    found = {}
    for role in may:
        with postgres.connect(role, history.database) as connection:
            connection.autocommit = False
            for table, row in ROWS.items():
                for what, statement in STATEMENTS.items():
                    names = {"table": table} | (
                        {"column": next(iter(row))} if "{column}" in statement else {}
                    )
                    found[role, table, what] = allowed(connection, statement, **names)
    assert wanted == found


# The outbox


def test_two_publishers_at_once_take_every_reading_once_each_its_own_under_lock(
    postgres: Postgres, history: HistorySettings
) -> None:
    waiting = [
        Reading(
            station_id=f"both-{number}",
            observed_at=NOW,
            source="open-meteo",
            origin="synthetic",
            temperature_c=20.0,
            fetched_at=NOW,
        )
        for number in range(300)
    ]
    with History(history) as opened:
        opened.load(a_load(run_id="both"), waiting, horizon=timedelta(hours=1), now=NOW)
        already = opened.waiting() - len(waiting)
    taken: list[list[str]] = [[], []]
    both_hold = threading.Barrier(2, timeout=30)

    def publish(number: int) -> None:
        with History(history) as opened:
            while True:
                with opened.unpublished(7) as outbox:
                    if not outbox.readings:
                        return
                    if not taken[number]:
                        both_hold.wait()
                        for reading in outbox.readings:
                            assert not lockable(postgres, reading)
                    taken[number] += [reading.event_id for reading in outbox.readings]
                    outbox.acknowledge(reading.event_id for reading in outbox.readings)

    threads = [threading.Thread(target=publish, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    times = Counter(taken[0] + taken[1])
    assert all(taken)
    assert {1} == set(times.values())
    assert len(waiting) + already == len(times)
    assert {reading.event_id for reading in waiting} <= set(times)
    with History(history) as opened:
        assert 0 == opened.waiting()
    assert lockable(postgres, waiting[0])


def lockable(postgres: Postgres, reading: Reading) -> bool:
    """Tell whether somebody else could take a reading's row just now."""
    with postgres.connect("history", "history") as connection, connection.cursor() as cursor:
        try:
            cursor.execute(
                "SELECT 1 FROM readings WHERE event_id = %s FOR UPDATE NOWAIT", (reading.event_id,)
            )
        except errors.LockNotAvailable:
            return False
        return True
