"""A service away for a while: who needs it says so, nothing is lost, and nothing comes twice.

Cassandra away for half a minute is in tests/integration/test_streaming.py.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest

from tests.e2e.feeding import DEVICES, SOURCE, store
from tests.e2e.runs import RUN_TIMEOUT_S, run_before, said, state, succeed, tries
from tests.e2e.stack import LOOPBACK, until
from tests.e2e.tables import alerts_of, averages_of, await_equal, readings_of, stored
from tests.e2e.topics import produce, read_all, register, registered
from tests.e2e.trouble import (
    FIVE_MINUTES,
    NOTICED_WITHIN_S,
    rows_of,
    trouble_of,
    window_start,
)
from tests.e2e.weather import thresholds
from tests.oracle.messages import framed, record
from tests.oracle.weather import Observed, alerts, averages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.infra.airflow import Airflow, Run
    from tests.e2e.stack import Stack

    Query = Callable[[str], list[dict[str, Any]]]

pytestmark = [pytest.mark.engine, pytest.mark.e2e]

SECOND = timedelta(seconds=1)


def test_a_registry_away_when_a_new_id_arrives_is_waited_for(stack: Stack, query: Query) -> None:
    """A message of a version that nobody has seen is neither guessed at nor refused while nobody can tell."""
    v2 = registered(stack, "readings-value", 2)
    more = {"name": "battery_v", "type": ["null", "double"], "default": None}
    v3 = register(stack, "readings-value", {**v2.schema, "fields": [*v2.schema["fields"], more]})
    letters = len(read_all(stack, "readings.dlq"))
    at = window_start()
    new, old = Observed("e2e-registry", at, 39.25), Observed("e2e-registry", at + SECOND, 12.0)
    with stack.away("schema-registry"):
        produce(
            stack,
            [
                (new.station_id, framed(*v3, record(new, DEVICES, quality="V", battery_v=3.3))),
                (old.station_id, framed(*v2, record(old, DEVICES, quality=None))),
            ],
        )
        until(
            "the driver says that the registry is away",
            lambda: "egistry" in trouble_of(stack, "driver-tables"),
            within_s=NOTICED_WITHIN_S,
        )
        # Of one station, hence of one partition: what comes after the new id waits as well.
        assert set() == readings_of(query, ["e2e-registry"])
    expected = {stored(new, DEVICES, quality="V"), stored(old, DEVICES)}
    await_equal("readings", expected, lambda: readings_of(query, ["e2e-registry"]))
    await_equal("alerts", {("e2e-registry", at, "heat-100f")}, lambda: alerts_of(query, ["e2e-registry"]))
    assert letters == len(read_all(stack, "readings.dlq"))


def test_postgres_restarted_during_a_load_stores_it_once(stack: Stack) -> None:
    """The load is in the middle of its transaction; nothing of it stays, and the next try stores all."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    end = now - timedelta(minutes=now.minute % 5) - 40 * FIVE_MINUTES
    with stack.airflow() as airflow:
        airflow.unpause("ingest_gateway")
        with _locked_readings(stack) as waiting:
            run = run_before(airflow, "ingest_gateway", end)
            until(
                "the load is in the middle of its transaction",
                # The schedule's own load may wait beside it.
                lambda: state(airflow, run, "load") == "running" and waiting() == _loading(airflow),
                within_s=RUN_TIMEOUT_S,
            )
            stack.container("postgres").restart(timeout=20)
        until("PostgreSQL is back", lambda: stack.healthy("postgres"), within_s=NOTICED_WITHIN_S)
        succeed(airflow, run)
        first = tries(airflow, run, "load")[0]
        assert "HistoryError" in said(airflow, run, "load", first.number)
    assert 300 == rows_of(stack, "gateway", end - FIVE_MINUTES, end)
    loads = stack.select("SELECT fetched, stored FROM loads WHERE run_id = %s", run.run_id)
    assert [(300, 300)] == loads


def test_kafka_away_during_a_publish_leaves_all_of_it_waiting_and_sends_it_later(
    stack: Stack, query: Query
) -> None:
    """What was not acknowledged stays in the outbox, and the next try sends each once."""
    start = window_start()
    observed = [Observed("e2e-kafka", start + step * SECOND, 20.0 + step / 10) for step in range(240)]
    with stack.airflow() as airflow:
        with stack.away("kafka"):
            store(stack, observed)
            airflow.trigger("publish_readings")
            # Only one run publishes at a time: the schedule's, if it is there, or this one.
            run = until("a try fails", lambda: _refused(airflow), within_s=NOTICED_WITHIN_S)
            assert run
            failed = tries(airflow, run, "publish")[-1]
            assert "did not acknowledge" in said(airflow, run, "publish", failed.number)
            assert 240 == _waiting(stack)
        succeed(airflow, run)
    assert 0 == _waiting(stack)
    await_equal(
        "readings", {stored(item, SOURCE) for item in observed}, lambda: readings_of(query, ["e2e-kafka"])
    )
    await_equal("averages", set(averages(observed)), lambda: averages_of(query, ["e2e-kafka"]))
    await_equal("alerts", alerts(observed, thresholds()), lambda: alerts_of(query, ["e2e-kafka"]))
    assert 240 == sum(message.key() == b"e2e-kafka" for message in read_all(stack, "readings"))


@contextmanager
def _locked_readings(stack: Stack) -> Iterator[Callable[[], int]]:
    """Keep every load waiting within its transaction; gives how many do."""
    with (
        closing(
            psycopg2.connect(
                host=LOOPBACK,
                port=stack.port("postgres"),
                dbname="history",
                user="history",
                password=stack.password("postgres_history"),
            )
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("LOCK TABLE readings IN EXCLUSIVE MODE")
        yield lambda: len(
            stack.select("SELECT pid FROM pg_locks WHERE relation = 'readings'::regclass AND NOT granted")
        )


def _loading(airflow: Airflow) -> int:
    """Count the gateway's loads that are running."""
    return sum(state(airflow, run, "load") == "running" for run in airflow.runs("ingest_gateway", 5))


def _refused(airflow: Airflow) -> Run | None:
    """Give the run of the publisher that failed and will be tried again, if there is one."""
    runs = airflow.runs("publish_readings", 5)
    return next((run for run in runs if state(airflow, run, "publish") == "up_for_retry"), None)


def _waiting(stack: Stack) -> int:
    """Count the readings of this test that wait to be published."""
    ((count,),) = stack.select(
        "SELECT count(*) FROM readings WHERE station_id = 'e2e-kafka' AND streamed AND published_at IS NULL"
    )
    return int(count)
