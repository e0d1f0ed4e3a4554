"""The history against a real PostgreSQL: loads, revisions, the outbox, the readers' rights."""

from __future__ import annotations

import threading
import uuid
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg2
import pytest
from psycopg2 import sql

from pipeline._history_rows import MEASURED
from pipeline.errors import HistoryError
from pipeline.history import History, connect
from pipeline.loads import LoadReport
from pipeline.migrations import Migration, load_migrations, migrate
from pipeline.readings import Reading, RejectedReading
from pipeline.settings import HistorySettings
from tests.loads import a_load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.containers import Postgres

pytestmark = pytest.mark.engine

NOW = datetime(2026, 7, 1, 12, 30, tzinfo=UTC)
HORIZON = timedelta(hours=3)
FRESH = NOW - timedelta(hours=1)
OLD = NOW - timedelta(days=1)


def reading(
    station: str = "a", at: datetime = FRESH, temperature: float | None = 20.0, **others: object
) -> Reading:
    return Reading.parse(
        {
            "station_id": station,
            "observed_at": at,
            "source": "open-meteo",
            "origin": "synthetic",
            "temperature_c": temperature,
            "fetched_at": NOW,
            **others,
        }
    )


@pytest.fixture
def unmigrated(postgres: Postgres) -> Iterator[HistorySettings]:
    """An empty database of the test's own."""
    name = f"history_{uuid.uuid4().hex[:8]}"
    with postgres.connect() as connection, connection.cursor() as cursor:
        cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield HistorySettings(
        host=postgres.host,
        port=postgres.port,
        database=name,
        user="postgres",
        password=postgres.password("postgres"),
    )
    with postgres.connect() as connection, connection.cursor() as cursor:
        cursor.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def settings(unmigrated: HistorySettings) -> HistorySettings:
    """A migrated history of the test's own."""
    with closing(connect(unmigrated)) as connection:
        migrate(connection, load_migrations())
    return unmigrated


@pytest.fixture
def history(settings: HistorySettings) -> Iterator[History]:
    with History(settings) as opened:
        yield opened


def load(history: History, *readings: Reading, now: datetime = NOW) -> LoadReport:
    return history.load(a_load(), readings, horizon=HORIZON, now=now)


def publish_all(history: History, limit: int = 100) -> list[Reading]:
    with history.unpublished(limit) as outbox:
        outbox.acknowledge(row.event_id for row in outbox.readings)
        return list(outbox.readings)


def test_a_load_stores_everything_and_fills_the_outbox_with_what_is_fresh(history: History) -> None:
    report = load(history, reading("a"), reading("b"), reading("a", at=OLD))
    assert LoadReport(stored=3, revised=0, unchanged=0, rejected=0, rejected_again=0, to_publish=2) == report
    assert {("a", FRESH), ("b", FRESH)} == {(r.station_id, r.observed_at) for r in publish_all(history)}


def test_the_same_load_again_changes_nothing(history: History) -> None:
    load(history, reading("a"), reading("b"))
    before = history.readings()
    publish_all(history)
    again = load(history, reading("a"), reading("b"), now=NOW + timedelta(hours=1))
    assert LoadReport(stored=0, revised=0, unchanged=2, rejected=0, rejected_again=0, to_publish=0) == again
    assert [row.ingested_at for row in before] == [row.ingested_at for row in history.readings()]
    assert history.waiting() == 0


def test_a_stored_reading_comes_back_as_it_was(history: History) -> None:
    given = reading(temperature=-0.1, humidity_pct=None, pressure_hpa=1013.25, wind_speed_ms=0.0, quality="V")
    load(history, given)
    (row,) = history.readings()
    assert given == row.reading


def test_other_values_raise_the_revision_and_are_published_under_the_same_id(history: History) -> None:
    first = reading(temperature=20.0)
    load(history, first)
    publish_all(history)
    second = reading(temperature=20.5, fetched_at=NOW + timedelta(minutes=5))
    assert LoadReport(stored=0, revised=1, unchanged=0, rejected=0, rejected_again=0, to_publish=1) == load(
        history, second
    )
    (published,) = publish_all(history)
    assert (first.event_id, 2, 20.5) == (published.event_id, published.revision, published.temperature_c)


def test_a_value_that_disappears_is_a_revision(history: History) -> None:
    load(history, reading(humidity_pct=50.0))
    assert load(history, reading(humidity_pct=None)).revised == 1


def test_another_quality_flag_is_a_revision(history: History) -> None:
    load(history, reading(quality="Z"))
    assert load(history, reading(quality="V")).revised == 1
    assert history.readings()[0].reading.quality == "V"


def test_an_older_answer_that_is_loaded_late_changes_nothing(history: History) -> None:
    load(history, reading(temperature=21.0))
    stale = reading(temperature=20.0, fetched_at=NOW - timedelta(minutes=5))
    assert load(history, stale).unchanged == 1
    assert history.readings()[0].reading.temperature_c == 21.0


def test_a_late_revision_of_a_streamed_reading_is_streamed_too(history: History) -> None:
    load(history, reading(temperature=20.0))
    publish_all(history)
    late = reading(temperature=20.5, fetched_at=NOW + timedelta(days=2))
    assert load(history, late).to_publish == 1


def test_a_revision_of_an_old_reading_stays_history_only(history: History) -> None:
    load(history, reading(at=OLD, temperature=20.0))
    assert load(history, reading(at=OLD, temperature=20.5)).to_publish == 0


def test_a_key_twice_in_one_load_is_taken_in_its_order(history: History) -> None:
    report = load(history, reading(temperature=20.0), reading(temperature=20.5), reading(temperature=20.5))
    assert LoadReport(stored=1, revised=1, unchanged=1, rejected=0, rejected_again=0, to_publish=2) == report
    (row,) = history.readings()
    assert (2, 20.5) == (row.reading.revision, row.reading.temperature_c)


def test_a_rejected_record_is_kept_once_with_its_reason(history: History, settings: HistorySettings) -> None:
    record = RejectedReading(
        station_id="a",
        observed_at=FRESH,
        source="open-meteo",
        reason="temperature_c is 900",
        raw='{"t": 900}',
    )
    for _ in range(2):
        report = history.load(a_load(), [reading()], [record], horizon=HORIZON, now=NOW)
        assert report.rejected == 1
    with closing(connect(settings)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT station_id, reason, raw FROM rejected_readings")
        assert [("a", "temperature_c is 900", '{"t": 900}')] == cursor.fetchall()


def test_a_load_that_fails_in_the_middle_stores_nothing(history: History, settings: HistorySettings) -> None:
    bad = Reading.model_construct(**{**reading("b").model_dump(), "station_id": ""})
    with pytest.raises(HistoryError, match="violates check constraint"):
        history.load(a_load(), [reading("a"), bad], horizon=HORIZON, now=NOW)
    assert history.readings() == []
    assert loads(settings) == []


def loads(settings: HistorySettings) -> list[tuple[object, ...]]:
    """Give what the loads say became of their records."""
    with closing(connect(settings)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT run_id, fetched, stored, revised, unchanged, rejected, rejected_again, to_publish "
            "FROM loads ORDER BY fetched_at"
        )
        return cursor.fetchall()


def test_a_load_leaves_a_row_of_what_it_did_and_its_readings_name_it(
    history: History, settings: HistorySettings
) -> None:
    bad = RejectedReading(station_id="a", observed_at=FRESH, source="open-meteo", reason="warm", raw="{}")
    first, second = a_load(run_id="one"), a_load(run_id="two", fetched_at=NOW + timedelta(minutes=1))
    history.load(first, [reading("a"), reading("b"), reading("a", at=OLD)], [bad], horizon=HORIZON, now=NOW)
    then = NOW + timedelta(minutes=1)
    again = [reading(name, temperature=30.0 if name == "a" else 20.0, fetched_at=then) for name in "abc"]
    history.load(second, again, [bad, bad], horizon=HORIZON, now=NOW)
    assert [("one", 4, 3, 0, 0, 1, 0, 2), ("two", 5, 1, 1, 1, 2, 2, 2)] == loads(settings)
    named = {(row.reading.station_id, row.reading.observed_at): row.load_id for row in history.readings()}
    assert named == {
        ("a", FRESH): second.load_id,
        ("b", FRESH): first.load_id,
        ("c", FRESH): second.load_id,
        ("a", OLD): first.load_id,
    }


def test_a_load_that_is_tried_again_is_the_same_load(history: History, settings: HistorySettings) -> None:
    load(history, reading("a"))
    assert load(history, reading("a")).unchanged == 1
    assert [("a run", 1, 1, 0, 0, 0, 0, 1)] == loads(settings)


def test_two_loads_at_once_of_the_same_rows_store_each_once(
    history: History, settings: HistorySettings
) -> None:
    rows = [reading(f"station-{index}") for index in range(300)]
    reports: list[LoadReport] = []

    def other() -> None:
        with History(settings) as opened:
            reports.append(load(opened, *reversed(rows)))

    thread = threading.Thread(target=other)
    thread.start()
    reports.append(load(history, *rows))
    thread.join(30)
    assert len(rows) == sum(report.stored for report in reports)
    assert len(rows) == sum(report.unchanged for report in reports)


def test_two_publishers_at_once_never_hold_the_same_reading(
    history: History, settings: HistorySettings
) -> None:
    load(history, *(reading(f"station-{index}") for index in range(10)))
    with History(settings) as other, history.unpublished(4) as first, other.unpublished(100) as second:
        assert (4, 6) == (len(first.readings), len(second.readings))
        assert not {r.event_id for r in first.readings} & {r.event_id for r in second.readings}
        first.acknowledge(r.event_id for r in first.readings)
        second.acknowledge(r.event_id for r in second.readings)
    assert history.waiting() == 0


def test_what_was_not_acknowledged_keeps_waiting(history: History) -> None:
    load(history, reading("a"), reading("b"))
    with history.unpublished(10) as outbox:
        outbox.acknowledge([reading("a").event_id])
    (waiting,) = publish_all(history)
    assert waiting.station_id == "b"


def test_an_error_of_the_publisher_keeps_what_the_broker_acknowledged(history: History) -> None:
    load(history, reading("a"), reading("b"))

    def publish() -> None:
        with history.unpublished(10) as outbox:
            outbox.acknowledge([reading("a").event_id])
            raise ConnectionError

    with pytest.raises(ConnectionError):
        publish()
    assert history.waiting() == 1


def test_a_publisher_that_dies_leaves_its_rows_to_the_next(
    history: History, settings: HistorySettings, postgres: Postgres
) -> None:
    load(history, reading("a"))

    def publish_and_die() -> None:
        with History(settings) as dying, dying.unpublished(10) as outbox:
            assert len(outbox.readings) == 1
            assert publish_all(history) == []
            outbox.acknowledge(row.event_id for row in outbox.readings)
            with postgres.connect() as connection, connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = %s AND state = 'idle in transaction'",
                    (settings.database,),
                )

    with pytest.raises(HistoryError, match=r"server closed the connection|terminating connection"):
        publish_and_die()
    assert len(publish_all(history)) == 1


def test_a_revision_that_comes_while_its_reading_is_published_waits_and_is_published_next(
    history: History, settings: HistorySettings
) -> None:
    load(history, reading(temperature=20.0))
    revised = threading.Event()

    def revise() -> None:
        with History(settings) as opened:
            load(opened, reading(temperature=20.5))
        revised.set()

    with history.unpublished(10) as outbox:
        thread = threading.Thread(target=revise)
        thread.start()
        assert not revised.wait(0.5)
        outbox.acknowledge(r.event_id for r in outbox.readings)
    assert revised.wait(30)
    thread.join()
    (second,) = publish_all(history)
    assert (2, 20.5) == (second.revision, second.temperature_c)


def test_the_oldest_waiting_readings_come_first(history: History) -> None:
    hours = [NOW - timedelta(minutes=minutes) for minutes in (10, 50, 30)]
    load(history, *(reading(at=at) for at in hours))
    assert sorted(hours) == [row.observed_at for row in publish_all(history)]


@contextmanager
def _explained(settings: HistorySettings, statement: str, values: tuple[object, ...] = ()) -> Iterator[str]:
    with closing(connect(settings)) as connection, connection.cursor() as cursor:
        cursor.execute("ANALYZE readings")
        cursor.execute(f"EXPLAIN {statement}", values)
        yield "\n".join(line for (line,) in cursor.fetchall())


def test_the_outbox_and_a_stations_month_are_read_by_an_index(
    history: History, settings: HistorySettings
) -> None:
    rows = [
        reading(f"station-{station}", at=OLD - timedelta(minutes=5 * step))
        for station in range(40)
        for step in range(250)
    ]
    load(history, *rows, reading("station-1"))
    with _explained(
        settings,
        "SELECT * FROM readings WHERE streamed AND published_revision IS DISTINCT FROM revision "
        "ORDER BY observed_at, station_id, source LIMIT 500",
    ) as plan:
        assert "Index Scan using readings_unpublished" in plan
    month = ("station-7", OLD - timedelta(days=30), NOW)
    with _explained(settings, MEASURED["temperature"], month) as plan:
        assert "readings_pkey" in plan
        assert "Seq Scan" not in plan


def test_a_month_of_one_metric_comes_in_order_and_without_what_was_not_measured(history: History) -> None:
    times = [OLD + timedelta(hours=hour) for hour in range(4)]
    given = [reading(at=at, temperature=float(number)) for number, at in enumerate(reversed(times))]
    load(history, *given, reading("b", at=times[0]), reading(at=OLD + timedelta(minutes=1), temperature=None))
    found = history.measured("a", "temperature", since=times[0], until=times[3])
    assert found == [(times[0], 3.0), (times[1], 2.0), (times[2], 1.0)]


def test_readings_are_found_by_station_and_time_the_latest_first(history: History) -> None:
    times = [OLD + timedelta(hours=hour) for hour in range(5)]
    load(history, *(reading(at=at) for at in times), reading("b", at=times[2]))
    found = history.readings(station_id="a", since=times[1], until=times[4])
    assert [times[3], times[2], times[1]] == [row.reading.observed_at for row in found]
    assert [times[4]] == [row.reading.observed_at for row in history.readings(limit=1)]


def test_a_wrong_password_names_the_user_and_not_the_password(settings: HistorySettings) -> None:
    wrong = settings.model_copy(update={"password": type(settings.password)("not-to-be-shown")})
    with pytest.raises(HistoryError, match="let user 'postgres' not into database") as raised:
        connect(wrong)
    assert "not-to-be-shown" not in str(raised.value)


def test_a_changed_migration_is_refused(settings: HistorySettings) -> None:
    first, *others = load_migrations()
    changed = Migration(first.version, first.name, first.statements + "\n-- changed")
    with closing(connect(settings)) as connection, pytest.raises(HistoryError, match=r"0001_.*was changed"):
        migrate(connection, [changed, *others])


def test_a_history_of_a_newer_galewatch_is_refused(settings: HistorySettings) -> None:
    with closing(connect(settings)) as connection, pytest.raises(HistoryError, match="use a newer one"):
        migrate(connection, [])


def test_a_migration_that_fails_leaves_nothing_of_itself(settings: HistorySettings) -> None:
    known = load_migrations()
    broken = Migration(len(known) + 1, "broken", "CREATE TABLE half_done (a int); SELECT no_such_column")
    with closing(connect(settings)) as connection:
        with pytest.raises(HistoryError, match="no_such_column"):
            migrate(connection, [*known, broken])
        with connection.cursor() as cursor, pytest.raises(psycopg2.errors.UndefinedTable):
            cursor.execute("SELECT * FROM half_done")


def test_what_was_stored_before_loads_were_recorded_counts_as_a_load(unmigrated: HistorySettings) -> None:
    first, second, *_ = load_migrations()
    with closing(connect(unmigrated)) as connection:
        migrate(connection, [first])
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO readings (station_id, observed_at, source, origin, event_id, revision, "
                "fetched_at, ingested_at, streamed) "
                "SELECT 's' || i, now(), CASE WHEN i < 3 THEN 'one' ELSE 'other' END, 'live', "
                "gen_random_uuid(), i, now(), now(), i > 1 FROM generate_series(1, 3) AS i"
            )
            cursor.execute(
                "INSERT INTO rejected_readings "
                "VALUES (gen_random_uuid(), 'one', 's1', NULL, 'bad', '{}', now())"
            )
        migrate(connection, [first, second])
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT source, fetched, stored, revised, rejected, to_publish FROM loads ORDER BY source"
            )
            assert [("one", 4, 2, 1, 1, 2), ("other", 3, 1, 2, 0, 3)] == cursor.fetchall()
