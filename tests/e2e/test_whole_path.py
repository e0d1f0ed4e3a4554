"""API → Airflow → PostgreSQL → Kafka → Spark → Cassandra, each the real service, every row as computed apart.

One environment serves all tests of this module, in their order: the last ones stop and destroy it.
"""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

import fastavro
import pytest

from pipeline.config import config_dir
from pipeline.infra.backfill import Backfill, Outcome
from pipeline.infra.backfill import run as backfill
from pipeline.infra.first_alert import prove
from pipeline.infra.layout import Layout
from pipeline.infra.progress import Progress
from pipeline.infra.show import console, ending
from pipeline.readings import Reading
from pipeline.reconcile.collect import collect
from pipeline.reconcile.equations import Policy, equations
from pipeline.rules import load_rules
from tests.e2e.runs import RUN_TIMEOUT_S, run_before
from tests.e2e.stack import Stack, until
from tests.e2e.tables import DELIVERED_WITHIN_S, all_alerts, all_averages, await_agreement, await_equal
from tests.e2e.topics import read_all, registered
from tests.e2e.weather import HOURS, station_places
from tests.loads import a_load
from tests.oracle import weather as oracle
from tests.oracle.messages import crossings, outcome_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.oracle import Average

    Rows = list[dict[str, Any]]
    Query = Callable[[str], Rows]

pytestmark = [pytest.mark.engine, pytest.mark.e2e]

HOUR = timedelta(hours=1)
COMPRESSED_CITIES = 3


@pytest.fixture(scope="module")
def replayed(stack: Stack, recording: Path, this_hour: datetime) -> list[oracle.Observed]:
    """Let Airflow fetch the last full hour, which is streamed; give what the recording says of it."""
    with stack.airflow() as airflow:
        for dag in ("ingest_open_meteo", "publish_readings", "selftest"):
            airflow.unpause(dag)
        airflow.wait(run_before(airflow, "ingest_open_meteo", this_hour), RUN_TIMEOUT_S, print)
    observed = oracle.recorded(recording, this_hour, 2, station_places())
    return [reading for reading in observed if reading.observed_at == this_hour - HOUR]


@pytest.fixture(scope="module")
def compressed(
    stack: Stack, recording: Path, this_hour: datetime, replayed: list[oracle.Observed]
) -> list[oracle.Observed]:
    """Send recorded hours of some cities as if one every 10 seconds, and kill the drivers in between."""
    readings = _compressed(recording, this_hour, replayed)
    middle = sorted(reading.observed_at for reading in readings)[len(readings) // 2]
    _publish(stack, [reading for reading in readings if reading.observed_at < middle])
    with stack.cassandra() as query:
        until(
            "the first half reaches Cassandra",
            lambda: any(mean.station_id.startswith("compressed-") for mean in all_averages(query)),
            within_s=DELIVERED_WITHIN_S,
        )
    drivers = ("driver-alerts-0", "driver-tables")
    before = {driver: stack.container(driver).attrs["RestartCount"] for driver in drivers}
    for driver in drivers:
        stack.kill(driver)
    _publish(stack, [reading for reading in readings if reading.observed_at >= middle])
    until(
        "the engine restarts the drivers",
        lambda: all(stack.container(driver).attrs["RestartCount"] > before[driver] for driver in drivers),
        within_s=60,
    )
    return readings


ALERTS = "SELECT * FROM alerts_by_station"
# A rule that no weather crosses.
NEVER = """\
rules:
  - id: boiling
    metric: temperature
    comparison: ">"
    threshold: 100
    unit: °C
    severity: critical
    message: Boiling
"""


def test_the_history_holds_what_the_recording_says(
    stack: Stack, replayed: list[oracle.Observed], this_hour: datetime
) -> None:
    """Airflow's load wrote one row for each station with weather, value by value."""
    with stack.history() as history:
        rows = history.readings(since=this_hour - HOUR, until=this_hour, limit=10_000)
    stored = [row.reading for row in rows if row.reading.source == "open-meteo"]
    assert len(replayed) > 0
    assert replayed == sorted(
        oracle.Observed(
            reading.station_id,
            reading.observed_at,
            reading.temperature_c,
            reading.humidity_pct,
            reading.pressure_hpa,
            reading.wind_speed_ms,
        )
        for reading in stored
    )
    assert {"replay"} == {reading.origin for reading in stored}


def test_old_intervals_are_filled_in_by_airflow_and_are_history_only(
    stack: Stack, replayed: list[oracle.Observed], this_hour: datetime
) -> None:
    """A reading older than the streaming horizon is stored and not published."""
    assert replayed
    start, end = this_hour - 10 * HOUR, this_hour - 8 * HOUR
    with stack.airflow() as airflow:
        assert Outcome(2, 0) == backfill(airflow, Backfill("ingest_open_meteo", start, end), print)
    with stack.history() as history:
        rows = history.readings(since=start, until=end)
    assert {start, start + HOUR} == {row.reading.observed_at for row in rows}
    assert {(False, None)} == {(row.streamed, row.published_at) for row in rows}


def test_alerts_are_exactly_those_of_the_recording(
    query: Query, replayed: list[oracle.Observed], compressed: list[oracle.Observed], this_hour: datetime
) -> None:
    """Each reading over a line is one row, no other is, although the drivers were killed in mid-stream."""
    expected = crossings(outcome_of([*replayed, *compressed], "any", "replay"))
    assert any(rule == "heat-100f" for _, _, rule in expected)
    assert any(station.startswith("compressed-") for station, _, _ in expected)

    def found() -> set[tuple[str, datetime, str]]:
        return {alert for alert in all_alerts(query) if _of_the_test(*alert[:2], this_hour)}

    await_equal("alerts", expected, found)


def test_both_tables_of_alerts_agree(query: Query, compressed: list[oracle.Observed]) -> None:
    """An alert is found by its station and by its day, with the same values."""
    assert compressed

    def of(table: str, *without: str) -> set[Any]:
        rows = query(f"SELECT * FROM {table}")  # noqa: S608 - a constant
        return {tuple(sorted((k, str(v)) for k, v in row.items() if k not in without)) for row in rows}

    # One batch writes the one table after the other, and the schedule goes on.
    await_agreement(
        "alerts by day",
        lambda: of("alerts_by_station", "raised_at"),
        lambda: of("alerts_by_day", "day", "raised_at"),
    )


def test_averages_are_exactly_those_of_the_recording(
    query: Query, replayed: list[oracle.Observed], compressed: list[oracle.Observed], this_hour: datetime
) -> None:
    """Mean, least, greatest and count of each window are as computed from the files, to the last digit."""
    expected = set(outcome_of([*replayed, *compressed], "any", "replay").averages)
    assert {1, 30} <= {mean.readings for mean in expected}

    def found() -> set[Average]:
        return {
            mean
            for mean in all_averages(query)
            if _of_the_test(mean.station_id, mean.window_start, this_hour)
        }

    await_equal("averages", expected, found)


def test_the_topic_of_alerts_holds_the_same(
    stack: Stack, query: Query, compressed: list[oracle.Observed]
) -> None:
    """By distinct id, the topic `alerts` has each alert of Cassandra and no other."""
    assert compressed
    await_agreement(
        "alerts on the topic",
        lambda: {f"{row['event_id']}/{row['rule_id']}" for row in query(ALERTS)},
        lambda: _alert_ids_on_the_topic(stack),
    )


def test_sending_all_again_changes_nothing(stack: Stack, compressed: list[oracle.Observed]) -> None:
    """A load that is repeated stores nothing, revises nothing and publishes nothing."""
    with stack.history() as history:
        now = datetime.now(UTC)
        load = a_load("compressed", "again", now)
        report = history.load(load, _readings(compressed), horizon=3 * HOUR, now=now)
        assert (0, 0, len(compressed), 0) == (
            report.stored,
            report.revised,
            report.unchanged,
            report.to_publish,
        )
    # Airflow's own loads may be on their way at the same time; only what was sent again is asked for.
    waiting = stack.select(
        "SELECT station_id, observed_at FROM readings WHERE station_id = ANY(%s)"
        " AND streamed AND published_revision IS DISTINCT FROM revision",
        sorted({reading.station_id for reading in compressed}),
    )
    assert [] == waiting


def test_an_hour_without_an_alert_is_proven_by_a_test_reading_that_goes_by_itself(
    stack: Stack, query: Query, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One reading of galewatch-selftest takes the whole path; it says what it is and lives an hour."""
    shutil.copytree(config_dir(), tmp_path / "config")
    (tmp_path / "config" / "rules.yaml").write_text(NEVER, encoding="utf-8")
    with stack.airflow() as airflow, Progress("up", tmp_path / "logs") as progress:
        outcome = prove(stack.environment(), tmp_path / "config", airflow, progress)
    assert outcome.readings > 0 == len(outcome.alerts)
    assert outcome.test
    assert ("galewatch-selftest", "selftest") == (outcome.test.station_id, outcome.test.origin)
    ending(console(), Layout(stack.name), outcome, {"airflow": stack.url("airflow")})
    shown = " ".join(capsys.readouterr().out.split())
    assert "A test reading (no real weather) has proved that the path is whole" in shown
    assert "(temperature; boiling wants > 100.0 °C)" in shown
    rows = query(
        "SELECT rule_id, origin, TTL(value) AS ttl FROM alerts_by_station "
        "WHERE station_id = 'galewatch-selftest'"
    )
    assert {("heat-100f", "selftest")} == {(row["rule_id"], row["origin"]) for row in rows}
    assert all(0 < row["ttl"] <= 3600 for row in rows)


def test_every_store_agrees_with_its_neighbours(stack: Stack, compressed: list[oracle.Observed]) -> None:
    """Whatever was killed, away or in trouble before: nothing is lost or doubled at any hop."""
    assert compressed
    streaming = stack.platform.streaming
    lateness = timedelta(seconds=streaming.allowed_lateness_seconds)
    policy = Policy(streaming.window_seconds, lateness)
    rules = load_rules(config_dir() / "rules.yaml")

    def broken() -> set[str]:
        books = collect(stack.environment(), rules, datetime.now(UTC) - timedelta(days=1))
        return {str(equation) for equation in equations(books, policy) if not equation.holds}

    await_equal("equations that do not hold", set(), broken)


def test_a_second_plan_is_empty(stack: Stack) -> None:
    """Whatever was killed and restarted, the environment is what the configuration says."""
    plan = stack.plan()
    assert [] == [f"{change.verb} {change.address}" for change in plan.changes]
    assert plan.is_empty


def test_no_secret_is_in_the_state_or_in_any_container(stack: Stack) -> None:
    """Neither Terraform's state nor what the engine tells of the containers, nor their logs, holds one."""
    told = {"state": stack.state_text()}
    for container in stack.engine.containers.list(
        all=True, filters={"label": f"io.galewatch.environment={stack.name}"}
    ):
        told[f"{container.name}: inspect"] = json.dumps(container.attrs)
        told[f"{container.name}: logs"] = container.logs().decode("utf-8", "replace")
    leaks = [
        (where, name)
        for name, secret in stack.secrets().items()
        for where, text in told.items()
        if secret in text
    ]
    assert [] == leaks


def test_zookeeper_is_out_of_reach_for_everybody_but_the_broker(stack: Stack) -> None:
    """The coordination network holds ZooKeeper and Kafka only, and ZooKeeper publishes no port."""
    network = stack.engine.networks.get(f"galewatch-{stack.name}-coordination")
    names = {container.name for container in network.containers}
    assert {f"galewatch-{stack.name}-{service}" for service in ("zookeeper", "kafka")} == names
    zookeeper = stack.container("zookeeper")
    assert [network.name] == list(zookeeper.attrs["NetworkSettings"]["Networks"])
    assert not any(zookeeper.attrs["NetworkSettings"]["Ports"].values())


def test_destroying_leaves_nothing(stack: Stack, query: Query) -> None:
    """No container, network or volume of the environment is left."""
    assert query("SELECT now() FROM system.local")
    assert stack.leftovers()
    stack.destroy()
    assert [] == stack.leftovers()


def _compressed(
    recording: Path, this_hour: datetime, replayed: list[oracle.Observed]
) -> list[oracle.Observed]:
    """Give recorded temperatures of the hottest cities, one every 10 seconds, under names of their own."""
    hottest = sorted(replayed, key=lambda reading: reading.temperature_c or -100, reverse=True)[
        :COMPRESSED_CITIES
    ]
    places = station_places()
    hours = min(
        HOURS,
        len(oracle.last_rows(recording / "temperature.avro", 24)) if _is_synthetic(recording) else HOURS,
    )
    observed = oracle.recorded(
        recording, this_hour, hours, {city.station_id: places[city.station_id] for city in hottest}
    )
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    start = now - timedelta(minutes=now.minute % 5) - timedelta(seconds=10 * hours) - timedelta(minutes=5)
    return [
        oracle.Observed(f"compressed-{reading.station_id}", reading.observed_at, reading.temperature_c)
        for reading in oracle.compressed(observed, start)
    ]


def _is_synthetic(recording: Path) -> bool:
    """Tell the committed day from the recording."""
    return (recording / "temperature.avro").stat().st_size < 20_000  # the cut one has some 100 kB


def _readings(observed: list[oracle.Observed]) -> list[Reading]:
    return [
        Reading(
            station_id=reading.station_id,
            observed_at=reading.observed_at,
            source="compressed",
            origin="replay",
            temperature_c=reading.temperature_c,
            fetched_at=datetime.now(UTC),
        )
        for reading in observed
    ]


def _publish(stack: Stack, observed: list[oracle.Observed]) -> None:
    """Store readings as a load does, and let Airflow publish them."""
    with stack.history() as history:
        now = datetime.now(UTC)
        load = a_load("compressed", "first", now)
        report = history.load(load, _readings(observed), horizon=3 * HOUR, now=now)
    assert len(observed) == report.to_publish
    with stack.airflow() as airflow:
        airflow.wait(airflow.trigger("publish_readings"), RUN_TIMEOUT_S, print)


def _of_the_test(station_id: str, at: datetime, this_hour: datetime) -> bool:
    """Leave out what the schedule fetches by itself when the hour turns, and the stations of other tests."""
    if station_id.startswith("compressed-"):
        return True
    return station_id in station_places() and this_hour - HOUR <= at < this_hour


def _alert_ids_on_the_topic(stack: Stack) -> set[str]:
    schema = fastavro.parse_schema(registered(stack, "alerts-value").schema)
    found = set()
    for message in read_all(stack, "alerts"):
        alert: Any = fastavro.schemaless_reader(BytesIO((message.value() or b"")[5:]), schema, None)
        found.add(alert["alert_id"])
    return found
