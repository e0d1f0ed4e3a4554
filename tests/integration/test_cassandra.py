"""What is relied on of Cassandra: keys made of the event, write times that decide, lives that end, roles."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from cassandra import InvalidRequest, Unauthorized
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable
from cassandra.policies import WhiteListRoundRobinPolicy

from pipeline.platform import load_platform
from tests.integration.clients import CassandraSession
from tests.integration.platform_jobs import run_cassandra
from tests.integration.streaming import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cassandra.cluster import Session

    from tests.integration.containers import Cassandra
    from tests.integration.stack import Stack

pytestmark = pytest.mark.engine

FACTS = load_platform().cassandra
KEYSPACE = FACTS.keyspace
NOW = datetime(2026, 7, 1, 12)  # noqa: DTZ001 - the driver gives UTC without saying so
# The write time of an event, in microseconds since 1970.
WRITTEN = int(NOW.replace(tzinfo=UTC).timestamp() * 1_000_000)
YEAR_AND_A_MONTH, MONTH, DAY = (int(timedelta(days=days).total_seconds()) for days in (400, 30, 1))

# Of each table: partition key, clustering columns with their order, and how long a row lives (0: for good).
TABLES: Final[dict[str, tuple[tuple[str, ...], tuple[tuple[str, str], ...], int]]] = {
    "alerts_by_station": (
        ("station_id",),
        (("observed_at", "desc"), ("rule_id", "asc"), ("source", "asc")),
        YEAR_AND_A_MONTH,
    ),
    "alerts_by_day": (
        ("day",),
        (("observed_at", "desc"), ("station_id", "asc"), ("rule_id", "asc"), ("source", "asc")),
        YEAR_AND_A_MONTH,
    ),
    "averages_by_station": (("station_id", "day"), (("window_start", "desc"),), YEAR_AND_A_MONTH),
    "latest_by_station": (("station_id",), (("source", "asc"),), 0),
    "query_progress": (("query",), (("copy", "asc"), ("partition", "asc")), DAY),
    "readings_by_station": (("station_id", "day"), (("observed_at", "desc"), ("source", "asc")), MONTH),
}
SAMPLES: Final[Mapping[str, Any]] = {
    "text": "t",
    "timestamp": NOW,
    "date": date(2026, 7, 1),
    "int": 1,
    "bigint": 1,
    "double": 20.5,
    "boolean": True,
}


@pytest.fixture(scope="module")
def cassandra(stack: Stack) -> Iterator[Cassandra]:
    """The stack's node, made ready; its built-in superuser is let in again for the tests that follow."""
    node = stack.cassandra
    run_cassandra(node)
    yield node
    with CassandraSession(node, "admin") as admin:
        wait_until(lambda: _let_in_again(admin), "Cassandra lets its password be changed again")


def _let_in_again(admin: Session) -> bool:
    try:
        admin.execute(
            "ALTER ROLE cassandra WITH SUPERUSER = true AND LOGIN = true AND PASSWORD = 'cassandra'"
        )
    except NoHostAvailable as error:
        # A single test may be over within the five seconds.
        if "can only be changed every" not in str(error):
            raise
        return False
    return True


@pytest.fixture(scope="module")
def admin(cassandra: Cassandra) -> Iterator[Session]:
    with CassandraSession(cassandra, "admin") as opened:
        opened.set_keyspace(KEYSPACE)
        yield opened


@pytest.fixture(scope="module")
def spark(cassandra: Cassandra) -> Iterator[Session]:
    """A session with the rights that Spark has."""
    with CassandraSession(cassandra, "spark") as opened:
        opened.set_keyspace(KEYSPACE)
        yield opened


@pytest.fixture
def name() -> str:
    """A name of the test's own, for what it writes."""
    return f"t-{uuid.uuid4().hex[:8]}"


def schema(admin: Session, what: str) -> list[Any]:
    return list(
        admin.execute(f"SELECT * FROM system_schema.{what} WHERE keyspace_name = %s", (KEYSPACE,))  # noqa: S608 - this module's
    )


def row_of(admin: Session, table: str, name: str) -> dict[str, Any]:
    """Give a row with a value in every column, whose texts are this name."""
    columns = [column for column in schema(admin, "columns") if column.table_name == table]
    return {column.column_name: name if column.type == "text" else SAMPLES[column.type] for column in columns}


def write(session: Session, table: str, row: Mapping[str, Any], using: str = "") -> None:
    session.execute(
        f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))}) {using}",  # noqa: S608 - names of this module
        tuple(row.values()),
    )


def where(table: str) -> str:
    partition, clustering, _ = TABLES[table]
    return " AND ".join(
        f"{column} = %({column})s" for column in (*partition, *(key for key, _ in clustering))
    )


def stored(session: Session, table: str, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the row with this one's key, if there is one."""
    found = session.execute(f"SELECT * FROM {table} WHERE {where(table)}", row)  # noqa: S608 - the same
    return [one._asdict() | {"day": one.day.date()} if "day" in row else one._asdict() for one in found]


def values_of(table: str, row: Mapping[str, Any]) -> list[str]:
    """Name the columns that are no part of the key."""
    partition, clustering, _ = TABLES[table]
    return [column for column in row if column not in {*partition, *(key for key, _ in clustering)}]


# Keys and lives


def test_every_table_has_its_documented_key(admin: Session) -> None:
    keys: dict[str, tuple[list[Any], list[Any]]] = {
        table.table_name: ([], []) for table in schema(admin, "tables")
    }
    for column in sorted(schema(admin, "columns"), key=lambda column: column.position):
        partition, clustering = keys[column.table_name]
        if column.kind == "partition_key":
            partition.append(column.column_name)
        elif column.kind == "clustering":
            clustering.append((column.column_name, column.clustering_order))
    assert {table: (partition, clustering) for table, (partition, clustering, _) in TABLES.items()} == {
        table: (tuple(partition), tuple(clustering)) for table, (partition, clustering) in keys.items()
    }


def test_every_row_lives_as_long_as_its_table_says(admin: Session, spark: Session, name: str) -> None:
    assert {table: lives for table, (_, _, lives) in TABLES.items()} == {
        table.table_name: table.default_time_to_live for table in schema(admin, "tables")
    }
    for table, (_, _, lives) in TABLES.items():
        row = row_of(admin, table, name)
        write(spark, table, row)
        for column in values_of(table, row):
            asked = f"SELECT TTL({column}) AS left_ FROM {table} WHERE {where(table)}"  # noqa: S608 - this module's
            left = spark.execute(asked, row).one().left_
            assert left is None if lives == 0 else lives - 60 <= left <= lives, (table, column)


def test_a_row_with_a_life_of_its_own_is_gone_when_it_is_over(
    admin: Session, spark: Session, name: str
) -> None:
    rows = {table: row_of(admin, table, name) for table in TABLES}
    for table, row in rows.items():
        write(spark, table, row, "USING TTL 2")
    assert {1} == {len(stored(spark, table, row)) for table, row in rows.items()}
    deadline = time.monotonic() + 30
    while any(stored(spark, table, row) for table, row in rows.items()):
        assert time.monotonic() < deadline
        time.sleep(0.2)


# Replays


def test_what_is_written_again_is_one_row_and_the_write_time_decides_whatever_the_order(
    admin: Session, spark: Session, name: str
) -> None:
    for table in TABLES:
        row = row_of(admin, table, name)
        older, newer = dict(row), dict(row)
        for column in values_of(table, row):
            value = row[column]
            if isinstance(value, bool):
                older[column] = not value
            elif isinstance(value, str):
                older[column], newer[column] = f"{value}-older", f"{value}-newer"
            elif isinstance(value, datetime):
                older[column], newer[column] = value - timedelta(hours=1), value + timedelta(hours=1)
            else:
                older[column], newer[column] = value - 1, value + 1

        for given, micros, wanted in (
            (row, 0, row),
            (row, 0, row),
            # A zombie's, or what was produced long ago and comes only now.
            (older, -1, row),
            (newer, 1, newer),
            (row, 0, newer),
        ):
            write(spark, table, given, f"USING TIMESTAMP {WRITTEN + micros}")
            assert [wanted] == stored(spark, table, row), (table, micros)


# Roles

SCRATCH: Final = "t_scratch"
READING: Final = {"select": "SELECT * FROM {table} LIMIT 1"}
MODIFYING: Final = {
    "insert": "INSERT INTO {table} ({key}) VALUES ({marks})",
    "update": "UPDATE {table} SET {value} = null WHERE {where}",
    "delete": "DELETE FROM {table} WHERE {where}",
}
# Of what exists they would take too much: where they are allowed they are tried on a table of the test's own.
EMPTYING: Final = {"truncate": "TRUNCATE {table}"}
CHANGING: Final = {
    "alter": "ALTER TABLE {table} ADD more text",
    "index": "CREATE INDEX ON {table} ({value})",
    "grant": "GRANT SELECT ON {table} TO reader",
    "drop": "DROP TABLE {table}",
}
ELSEWHERE: Final = {
    "read password hashes": "SELECT salted_hash FROM system_auth.roles",
    "make a table": "CREATE TABLE IF NOT EXISTS t_scratch (station_id text PRIMARY KEY, value int)",
    "make a keyspace": "CREATE KEYSPACE IF NOT EXISTS t_made WITH replication = "
    "{'class': 'NetworkTopologyStrategy', 'dc1': 1}",
    "change the keyspace": f"ALTER KEYSPACE {KEYSPACE} WITH durable_writes = true",
    "make a role": "CREATE ROLE IF NOT EXISTS t_made",
    "let the built-in superuser in": "ALTER ROLE cassandra WITH LOGIN = false",
    "take a right": f"GRANT ALL ON KEYSPACE {KEYSPACE} TO reader",
    "drop a role": "DROP ROLE IF EXISTS t_made",
    "drop a keyspace": "DROP KEYSPACE IF EXISTS t_made",
}
ON_TABLES: Final = READING | MODIFYING | EMPTYING | CHANGING


def may(role: str, what: str) -> bool:
    """Tell what platform.yaml lets a role do in the keyspace; without a flag it may only select."""
    facts = FACTS.roles[role]
    return facts.superuser or what in READING or (facts.modify and what in MODIFYING | EMPTYING)


def attempted(session: Session, statement: str, values: Mapping[str, Any] | None = None) -> bool:
    try:
        session.execute(statement, values)
    except Unauthorized:
        return False
    return True


def on_table(session: Session, what: str, table: str, row: Mapping[str, Any]) -> bool:
    if table == SCRATCH:
        keys, value = "station_id = %(station_id)s", "value"
    else:
        keys, value = where(table), values_of(table, row)[0]
    columns = [part.split(" ")[0] for part in keys.split(" AND ")]
    statement = ON_TABLES[what].format(
        table=table,
        where=keys,
        value=value,
        key=", ".join(columns),
        marks=", ".join(f"%({column})s" for column in columns),
    )
    return attempted(session, statement, row if "%(" in statement else None)


def test_every_role_may_do_what_platform_yaml_says_and_nothing_else(
    cassandra: Cassandra, admin: Session, name: str
) -> None:
    rows = {table: row_of(admin, table, name) for table in TABLES} | {SCRATCH: {"station_id": name}}
    wanted: dict[tuple[str, ...], bool] = {}
    found: dict[tuple[str, ...], bool] = {}
    # The admin last: it drops the table that the others could not.
    for role in sorted(FACTS.roles, key=lambda role: FACTS.roles[role].superuser):
        admin.execute(ELSEWHERE["make a table"])
        with CassandraSession(cassandra, role) as session:
            session.set_keyspace(KEYSPACE)
            for table, row in rows.items():
                for what in ON_TABLES:
                    if may(role, what) and what in EMPTYING | CHANGING and table != SCRATCH:
                        continue
                    wanted[role, what, table] = may(role, what)
                    found[role, what, table] = on_table(session, what, table, row)
            for what, statement in ELSEWHERE.items():
                wanted[role, what] = FACTS.roles[role].superuser
                found[role, what] = attempted(session, statement)
    admin.execute(f"DROP TABLE IF EXISTS {SCRATCH}")
    said = run_cassandra(cassandra)

    assert wanted == found
    # What the admin has given away is taken back; of what it made nothing is left.
    assert said
    assert [] == [line for line in said if "may no longer" not in line]
    assert [] == run_cassandra(cassandra)


def test_nobody_is_let_in_as_the_built_in_superuser_or_without_a_name(cassandra: Cassandra) -> None:
    with pytest.raises(NoHostAvailable, match="incorrect"), CassandraSession(cassandra, "cassandra"):
        pytest.fail("let in")
    profile = ExecutionProfile(load_balancing_policy=WhiteListRoundRobinPolicy([cassandra.host]))
    nobody = Cluster(
        [cassandra.host], port=cassandra.port, execution_profiles={EXEC_PROFILE_DEFAULT: profile}
    )
    try:
        with pytest.raises(NoHostAvailable, match="requires authentication"):
            nobody.connect()
    finally:
        nobody.shutdown()


def test_a_row_without_its_whole_key_is_refused(admin: Session, spark: Session, name: str) -> None:
    for table in TABLES:
        row = row_of(admin, table, name)
        for column in set(row) - set(values_of(table, row)):
            with pytest.raises(InvalidRequest, match=column):
                write(spark, table, {key: value for key, value in row.items() if key != column})
