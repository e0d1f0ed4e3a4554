"""Doctor and reconcile in a whole environment: every hop broken in turn, every store robbed of a row.

Most services hang, and are well again a moment later; PostgreSQL is away in the middle of a load, and the
registry while an id arrives that nobody has seen. Of all that nothing is lost.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from pipeline._cassandra import session
from pipeline.environment import Environment
from pipeline.feeds import load_feeds
from tests.e2e.examining import await_sound, diagnosis, examined, hop_of, missed
from tests.e2e.feeding import DEVICES, SOURCE, store
from tests.e2e.runs import RUN_TIMEOUT_S, run_before, said, succeed, tries
from tests.e2e.stack import until
from tests.e2e.tables import DELIVERED_WITHIN_S, alerts_of, averages_of, await_equal, readings_of, stored
from tests.e2e.topics import dead_letters, emptied, produce, register, registered
from tests.e2e.trouble import (
    FIVE_MINUTES,
    NOTICED_WITHIN_S,
    locked_readings,
    rows_of,
    window_start,
)
from tests.integration.faults import proven
from tests.oracle.messages import framed, outcome_of, record
from tests.oracle.weather import Observed
from tests.robbing import without_a_row, without_a_serving_row

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.doctor.diagnosis import Diagnosis
    from pipeline.infra.airflow import Run
    from tests.e2e.stack import Stack

    Query = Callable[[str], list[dict[str, Any]]]
    Record = Callable[[str, object], None]

# The same of the others is proven in less time by tests/integration/test_seeing.py.
FULL = pytest.mark.full

pytestmark = [pytest.mark.engine, pytest.mark.e2e, pytest.mark.usefixtures("fed")]

SECOND = timedelta(seconds=1)
STATION = "e2e-seeing"
DRIVERS = ("driver-alerts-0", "driver-alerts-1", "driver-tables")
WAITS = re.compile(rb"waits and loses nothing, next attempt in \d+ s: the Schema Registry at http")


@pytest.fixture(scope="module")
def fed(stack: Stack, query: Query) -> None:
    """Let everything run, and bring something of a station of this module's own into each store."""
    start = window_start()
    observed = [Observed(STATION, start + step * SECOND, 39.0) for step in range(10)]
    with stack.airflow() as airflow:
        for dag_id in ("publish_readings", *(one.facts.dag_id for one in load_feeds() if one.stations)):
            airflow.unpause(dag_id)
        store(stack, observed)
        produce(stack, [(STATION, b"\x01no avro")])
        succeed(airflow, airflow.trigger("publish_readings"))
    await_equal("readings", {stored(one, SOURCE) for one in observed}, lambda: readings_of(query, [STATION]))


@pytest.fixture(autouse=True)
def _this_environment(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Environment, "from_env", lambda *_: stack.environment())


def test_the_doctor_finds_the_path_whole(stack: Stack) -> None:
    """With everything running and something on every hop it says so, and its exit code is 0."""
    await_sound(stack)
    hop, sentence = examined()
    assert (None, True) == (hop, sentence.startswith("The path is whole")), sentence


def test_every_equation_holds() -> None:
    """Of what was sent here, and by the tests before."""
    assert set() == missed(settle_s=DELIVERED_WITHIN_S)


def test_readings_that_nobody_publishes_break_the_outbox(stack: Stack) -> None:
    """The DAG that publishes is paused, and a reading waits for it."""
    with stack.airflow() as airflow:
        airflow.pause("publish_readings")
        try:
            store(stack, [Observed(STATION, window_start() - SECOND, 12.0)])
            hop, sentence = examined()
        finally:
            airflow.unpause("publish_readings")
            airflow.trigger("publish_readings")
    assert ("outbox", True) == (hop, "the DAG publish_readings is paused" in sentence), sentence


class Interrupted(NamedTuple):
    """A load that lost PostgreSQL and will be tried again, and what doctor said of it."""

    run: Run
    end: datetime
    told: Diagnosis


@pytest.fixture(scope="module")
def interrupted(stack: Stack) -> Interrupted:
    """Stop PostgreSQL, which is Airflow's and the registry's as well, within the transaction of a load."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    end = now - timedelta(minutes=now.minute % 5) - 40 * FIVE_MINUTES
    with stack.airflow() as airflow, locked_readings(stack) as waits:
        run = run_before(airflow, "ingest_gateway", end)
        until(
            "the load is in the middle of its transaction",
            lambda: waits(end - FIVE_MINUTES),
            within_s=RUN_TIMEOUT_S,
        )
        with stack.away("postgres"):
            told = diagnosis(stack)
    until(
        "the registry has its database again",
        lambda: hop_of(stack, "Schema Registry").state == "ok",
        within_s=NOTICED_WITHIN_S,
    )
    return Interrupted(run, end, told)


def test_postgresql_away_during_a_load_is_named(interrupted: Interrupted) -> None:
    """It takes Airflow and the registry with it: they are not the cause."""
    told = interrupted.told
    assert told.sentence.startswith("PostgreSQL: the container postgres has ended"), told.sentence
    affected = {hop.name for hop in told.hops if hop.state == "affected"}
    assert {"Airflow", "Schema Registry"} <= affected


# What follows has no need of Airflow, which tries the load again half a minute later.


@pytest.mark.parametrize("table", ["readings", pytest.param("loads", marks=FULL)])
def test_a_row_taken_from_postgresql_is_missed(stack: Stack, table: str) -> None:
    """Of a source that no schedule loads again."""
    with stack.history_database("history") as connection:
        connection.autocommit = True
        with without_a_row(connection, table, f"source = '{SOURCE}'"):
            assert f"{SOURCE}: loads → history" in missed()
    assert set() == missed(settle_s=NOTICED_WITHIN_S)


@pytest.mark.parametrize(
    ("table", "hop"),
    [
        ("readings_by_station", "topic → Cassandra"),
        pytest.param("alerts_by_station", "readings → alerts", marks=FULL),
        pytest.param("alerts_by_day", "alerts", marks=FULL),
        pytest.param("averages_by_station", "readings → averages", marks=FULL),
    ],
)
def test_a_row_taken_from_cassandra_is_missed(stack: Stack, table: str, hop: str) -> None:
    """Put back, it is there as before."""
    cassandra = stack.environment().cassandra("spark")
    with (
        session(cassandra, keyspace=stack.platform.cassandra.keyspace) as opened,
        without_a_serving_row(opened, table, STATION),
    ):
        assert hop in missed()
    assert set() == missed(settle_s=NOTICED_WITHIN_S)


@pytest.mark.parametrize(
    ("topic", "writer", "hop"),
    [
        pytest.param("alerts", "alerts", "alerts → topic", marks=FULL),
        ("readings.dlq", "tables", "topic → dead letters"),
    ],
)
def test_messages_taken_from_a_topic_are_missed(stack: Stack, topic: str, writer: str, hop: str) -> None:
    """Those of `readings` could not be put back where they were: see tests/integration/test_seeing.py."""
    with emptied(stack, topic, writer):
        assert hop in missed()
    assert set() == missed(settle_s=NOTICED_WITHIN_S)


def test_the_interrupted_load_is_tried_again_and_stores_all_of_it_once(
    stack: Stack, interrupted: Interrupted, record_property: Record
) -> None:
    """Nothing of its first try has stayed, and Airflow has lived through the loss of its own database."""
    run, end = interrupted.run, interrupted.end
    with stack.airflow() as airflow:
        succeed(airflow, run)
        first = tries(airflow, run, "load")[0]
        assert "HistoryError" in said(airflow, run, "load", first.number)
        last = tries(airflow, run, "load")[-1]
    assert 300 == rows_of(stack, "gateway", end - FIVE_MINUTES, end)
    assert [(300, 300)] == stack.select("SELECT fetched, stored FROM loads WHERE run_id = %s", run.run_id)
    proven(
        record_property,
        "PostgreSQL restarted during a load of Airflow's",
        observed=interrupted.told.sentence,
        outcome=f"exact: 300 readings, one load, at try {last.number}",
        recovery_s=(last.end - first.end).total_seconds(),
    )


# From the end of the path to its beginning, for what stands behind a hop may still be recovering.
@pytest.mark.parametrize(
    ("service", "hop"),
    [
        pytest.param("driver-tables", "Spark", marks=FULL),
        pytest.param("spark-master", "Spark", marks=FULL),
        pytest.param("cassandra", "Cassandra", marks=FULL),
        pytest.param("zookeeper", "Kafka", marks=FULL),
        pytest.param("kafka", "Kafka", marks=FULL),
        pytest.param("airflow-api", "Airflow", marks=FULL),
        pytest.param("airflow-scheduler", "Airflow", marks=FULL),
        ("weather-api", "weather API"),
    ],
)
def test_a_service_that_hangs_is_named_by_its_hop(stack: Stack, service: str, hop: str) -> None:
    """However long the engine still calls unhealthy what hung before."""
    await_sound(stack, hop)
    container = stack.container(service)
    container.pause()
    try:
        named, sentence = examined()
    finally:
        container.unpause()
    assert (hop, True) == (named, f"the container {service} is paused" in sentence), sentence


def test_a_registry_away_when_a_new_id_arrives_is_named_and_waited_for(
    stack: Stack, query: Query, record_property: Record
) -> None:
    """A message of a version that nobody has seen is neither guessed at nor refused while nobody can tell."""
    v2 = registered(stack, "readings-value", 2)
    more = {"name": "battery_v", "type": ["null", "double"], "default": None}
    v3 = register(stack, "readings-value", {**v2.schema, "fields": [*v2.schema["fields"], more]})
    letters = {letter[0] for letter in dead_letters(stack)}
    before, begun = _restarts(stack), datetime.now(UTC)
    at = window_start()
    new, old = Observed("e2e-registry", at, 39.25), Observed("e2e-registry", at + SECOND, 12.0)
    await_sound(stack)
    with stack.away("schema-registry"):
        produce(
            stack,
            [
                (new.station_id, framed(*v3, record(new, DEVICES, quality="V", battery_v=3.3))),
                (old.station_id, framed(*v2, record(old, DEVICES, quality=None))),
            ],
        )
        hop, sentence = examined()
        assert ("Schema Registry", True) == (hop, "schema-registry has ended" in sentence), sentence
        until(
            "the doctor passes on what a driver says: that the registry is away",
            lambda: "the Schema Registry at" in hop_of(stack, "Spark").cause,
            within_s=NOTICED_WITHIN_S,
        )
        for driver in DRIVERS:
            until(
                f"{driver} says that the registry is away",
                lambda driver=driver: WAITS.search(stack.container(driver).logs(since=begun)),  # type: ignore[misc]
                within_s=NOTICED_WITHIN_S,
            )
        # Of one station, hence of one partition: what comes after the new id waits as well.
        assert set() == readings_of(query, ["e2e-registry"])
    began = time.monotonic()
    expected = {stored(new, DEVICES, quality="V"), stored(old, DEVICES)}
    await_equal("readings", expected, lambda: readings_of(query, ["e2e-registry"]))
    await_equal("alerts", {("e2e-registry", at, "heat-100f")}, lambda: alerts_of(query, ["e2e-registry"]))
    averages = set(outcome_of([new, old], DEVICES, "synthetic").averages)
    await_equal("averages", averages, lambda: averages_of(query, ["e2e-registry"]))
    assert before == _restarts(stack)
    assert letters == {letter[0] for letter in dead_letters(stack)}
    proven(
        record_property,
        f"the registry away while id {v3.schema_id} arrives",
        observed=f"every driver waits; {sentence}",
        outcome="exact: 2 readings, 1 alert, 1 average, no dead letter, no restart",
        recovery_s=time.monotonic() - began,
    )


def _restarts(stack: Stack) -> dict[str, int]:
    return {driver: stack.container(driver).attrs["RestartCount"] for driver in DRIVERS}


def test_after_all_of_that_the_path_is_whole_and_nothing_was_lost(stack: Stack) -> None:
    """Every hop is well again by itself, and what came meanwhile has arrived."""
    await_sound(stack)
    assert set() == missed(settle_s=DELIVERED_WITHIN_S)
