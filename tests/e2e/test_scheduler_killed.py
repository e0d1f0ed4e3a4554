"""Airflow's scheduler, and with it the task that it runs, ends with SIGKILL in the middle of a load."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.e2e.runs import RUN_TIMEOUT_S, run_before, succeed, tries
from tests.e2e.stack import until
from tests.e2e.trouble import FIVE_MINUTES, NOTICED_WITHIN_S, locked_readings, rows_of
from tests.integration.faults import proven

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.stack import Stack

pytestmark = [pytest.mark.engine, pytest.mark.e2e, pytest.mark.full]

SCHEDULER = "airflow-scheduler"
# Airflow believes in a task for five minutes after its last sign of life, and tries again later than that.
TRIED_AGAIN_WITHIN_S = 1200


def test_a_scheduler_killed_during_a_load_stores_nothing_at_first_and_all_of_it_once_in_the_end(
    stack: Stack, record_property: Callable[[str, object], None]
) -> None:
    """The transaction dies with the task; the engine starts the scheduler, and that the task, again."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    end = now - (now.minute % 5) * (FIVE_MINUTES / 5) - 50 * FIVE_MINUTES
    restarts = stack.container(SCHEDULER).attrs["RestartCount"]

    with stack.airflow() as airflow:
        airflow.unpause("ingest_gateway")
        with locked_readings(stack) as waits:
            run = run_before(airflow, "ingest_gateway", end)
            until(
                "the load is in the middle of its transaction",
                lambda: waits(end - FIVE_MINUTES),
                within_s=RUN_TIMEOUT_S,
            )
            stack.kill(SCHEDULER)
            killed = time.monotonic()
            until(
                "the engine starts the scheduler again",
                lambda: stack.container(SCHEDULER).attrs["RestartCount"] > restarts,
                within_s=NOTICED_WITHIN_S,
            )
        until("the scheduler is well", lambda: stack.healthy(SCHEDULER), within_s=NOTICED_WITHIN_S)
        well = time.monotonic()
        assert "running" == airflow.run(run).state
        assert 0 == rows_of(stack, "gateway", end - FIVE_MINUTES, end)
        succeed(airflow, run, within_s=TRIED_AGAIN_WITHIN_S)
        took = time.monotonic() - killed
        numbers = [one.number for one in tries(airflow, run, "load")]

    assert len(numbers) > 1
    assert 300 == rows_of(stack, "gateway", end - FIVE_MINUTES, end)
    assert [(300, 300)] == stack.select("SELECT fetched, stored FROM loads WHERE run_id = %s", run.run_id)
    proven(
        record_property,
        "SIGKILL of Airflow's scheduler during a load",
        observed=f"started again by the engine after {well - killed:.0f} s; tries {numbers}",
        outcome="exact: 300 readings, one load",
        recovery_s=took,
    )
