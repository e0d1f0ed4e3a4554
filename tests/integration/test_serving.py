"""Reading from a real Cassandra what Spark would have written."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.reads import measure
from pipeline._cassandra import LoginRefusedError, session
from pipeline.errors import ServingError
from pipeline.serving import Alert, Average, Serving, StoredReading
from pipeline.settings import CassandraSettings
from tests.integration.platform_jobs import run_cassandra

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.containers import Cassandra
    from tests.integration.stack import Stack

pytestmark = pytest.mark.engine

NOW = datetime(2026, 7, 1, 0, 30, tzinfo=UTC)


def settings(cassandra: Cassandra, role: str, password: str | None = None) -> CassandraSettings:
    return CassandraSettings(
        host=cassandra.host,
        port=cassandra.port,
        user=role,
        password=password or cassandra.password(role),
        datacenter="dc1",
    )


@pytest.fixture(scope="module")
def cassandra(stack: Stack) -> Cassandra:
    """Not the node that is shared as it was born: the job locks its built-in superuser out."""
    return stack.cassandra


@pytest.fixture(scope="module")
def spark(cassandra: Cassandra) -> Iterator[Any]:
    """A session with the rights that Spark has."""
    run_cassandra(cassandra)
    with session(settings(cassandra, "spark"), keyspace="galewatch") as opened:
        yield opened


@pytest.fixture
def serving(cassandra: Cassandra, spark: Any) -> Iterator[Serving]:  # noqa: ARG001 - it makes the tables
    with Serving(settings(cassandra, "reader")) as opened:
        yield opened


@pytest.fixture
def station() -> str:
    return f"s-{uuid.uuid4().hex[:8]}"


def write(spark: Any, table: str, **row: Any) -> None:
    names = ", ".join(row)
    spark.execute(
        f"INSERT INTO {table} ({names}) VALUES ({', '.join(['%s'] * len(row))})",  # noqa: S608 - this module's
        tuple(row.values()),
    )


def write_alert(spark: Any, station: str, at: datetime, rule: str = "hot") -> Alert:
    alert = Alert(
        station_id=station,
        observed_at=at,
        rule_id=rule,
        severity="severe",
        metric="temperature",
        value=40.5,
        threshold=37.8,
        unit="°C",
        message="hot",
        source="open-meteo",
        origin="selftest",
        event_id=str(uuid.uuid4()),
        revision=1,
        raised_at=at + timedelta(seconds=1),
    )
    row = {name: getattr(alert, name) for name in Alert.__dataclass_fields__}
    write(spark, "alerts_by_station", **row)
    write(spark, "alerts_by_day", day=at.date(), **row)
    return alert


def test_a_stations_alerts_come_newest_first_and_whole(spark: Any, serving: Serving, station: str) -> None:
    written = [write_alert(spark, station, NOW - timedelta(hours=hours)) for hours in (3, 1, 2)]
    newest_first = sorted(written, key=lambda alert: alert.observed_at, reverse=True)
    assert newest_first == serving.alerts_of_station(station)
    assert newest_first[:2] == serving.alerts_of_station(station, since=NOW - timedelta(hours=2))
    assert newest_first[:1] == serving.alerts_of_station(station, limit=1)


def test_the_latest_alerts_of_all_stations_reach_over_midnight(
    spark: Any, serving: Serving, station: str
) -> None:
    today = write_alert(spark, station, NOW)
    yesterday = write_alert(spark, f"{station}-b", NOW - timedelta(hours=1))
    earlier = write_alert(spark, f"{station}-c", NOW - timedelta(days=2))

    def found(**more: Any) -> list[Alert]:
        alerts = serving.latest_alerts(now=NOW, **{"since": NOW - timedelta(days=3), "limit": 100, **more})
        return [alert for alert in alerts if alert.station_id.startswith(station)]

    assert [today, yesterday, earlier] == found()
    assert [today, yesterday] == found(since=NOW - timedelta(days=1))
    assert len(serving.latest_alerts(now=NOW, since=NOW - timedelta(days=3), limit=2)) == 2


def test_averages_come_newest_first_over_days(spark: Any, serving: Serving, station: str) -> None:
    starts = [NOW - timedelta(minutes=5 * step) for step in range(12)]
    for start in starts:
        write(
            spark,
            "averages_by_station",
            station_id=station,
            day=start.date(),
            window_start=start,
            window_end=start + timedelta(minutes=5),
            temperature_c_mean=20.125,
            temperature_c_min=19.0,
            temperature_c_max=21.0,
            readings=30,
            origin="replay",
        )
    found = serving.averages(station, since=starts[-1], now=NOW, limit=10)
    assert starts[:10] == [average.window_start for average in found]
    assert found[0] == Average(station, NOW, NOW + timedelta(minutes=5), 20.125, 19.0, 21.0, 30, "replay")


def test_readings_of_a_day_and_the_latest_are_read_back(spark: Any, serving: Serving, station: str) -> None:
    reading = StoredReading(
        station_id=station,
        observed_at=NOW,
        source="open-meteo",
        origin="live",
        temperature_c=20.5,
        humidity_pct=None,
        pressure_hpa=1013.25,
        wind_speed_ms=0.0,
        event_id=str(uuid.uuid4()),
        revision=2,
        fetched_at=NOW + timedelta(minutes=5),
        quality="V",
    )
    row = {name: getattr(reading, name) for name in StoredReading.__dataclass_fields__}
    write(spark, "latest_by_station", **row)
    write(spark, "readings_by_station", day=NOW.date(), **row)
    assert [reading] == serving.latest(station)
    assert [reading] == serving.readings_of_day(station, NOW.date())
    assert serving.readings_of_day(station, (NOW - timedelta(days=1)).date()) == []


def test_the_reader_may_not_write(cassandra: Cassandra, spark: Any, station: str) -> None:  # noqa: ARG001
    def attempt() -> None:
        with session(settings(cassandra, "reader"), keyspace="galewatch") as opened:
            write(opened, "latest_by_station", station_id=station, source="s")

    with pytest.raises(ServingError, match="no MODIFY permission"):
        attempt()


def test_a_wrong_password_names_the_role_and_not_the_password(cassandra: Cassandra) -> None:
    with pytest.raises(LoginRefusedError, match="refused the password of role 'reader'") as raised:
        Serving(settings(cassandra, "reader", "not-to-be-shown"))
    assert "not-to-be-shown" not in str(raised.value)


def test_nobody_at_the_address_is_said_so() -> None:
    nobody = CassandraSettings(host="127.0.0.1", port=9, user="reader", password="x", datacenter="dc1")
    with pytest.raises(
        ServingError, match=r"Cassandra at 127\.0\.0\.1:9 let role 'reader' not in: .*refused"
    ):
        Serving(nobody)


def test_the_newest_readings_of_all_stations_are_found_without_naming_them(
    spark: Any, serving: Serving, station: str
) -> None:
    for number in range(3):
        write(
            spark, "latest_by_station", station_id=f"{station}-{number}", source="open-meteo", observed_at=NOW
        )
    found = {one.station_id for one in serving.all_latest()}
    assert {f"{station}-{number}" for number in range(3)} <= found
    assert 2 == len(serving.all_latest(limit=2))


def test_what_many_stations_observed_since_an_instant_is_read_at_once_over_midnight(
    spark: Any, serving: Serving, station: str
) -> None:
    midnight = datetime(2026, 7, 1, tzinfo=UTC)
    times = [midnight + timedelta(minutes=minutes) for minutes in (-6, -5, -1, 0, 2)]
    for at in times:
        write(
            spark, "readings_by_station", station_id=station, day=at.date(), observed_at=at, source="gateway"
        )
    found = serving.readings_since([station, f"{station}-none", station], times[1], now=times[-1])
    assert {station: times[:0:-1], f"{station}-none": []} == {
        name: [one.observed_at for one in rows] for name, rows in found.items()
    }


def test_the_bench_of_reads_asks_for_stations_and_days_that_have_alerts(
    spark: Any, serving: Serving, station: str
) -> None:
    now = datetime.now(UTC)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    # All of one day, whenever the test runs.
    for number in range(30):
        write_alert(spark, station, midnight + (now - midnight) * number / 30, rule=f"rule-{number}")
    found = measure(serving, now, questions=20)
    assert [20, 20, 1] == [one.took.count for one in found]
    assert 20 == found[0].rows
    assert 30 <= found[2].rows
    assert all(0 < one.took.p50 <= one.took.p99 <= one.took.max for one in found)
