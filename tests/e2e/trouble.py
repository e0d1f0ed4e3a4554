"""Trouble made on purpose, and how it is seen."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx

from tests.e2e.runs import run_before, said, state, tries
from tests.e2e.stack import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.infra.airflow import Airflow, Run
    from tests.e2e.stack import Stack

__all__ = [
    "FIVE_MINUTES",
    "HOUR",
    "NOTICED_WITHIN_S",
    "Troubled",
    "fault",
    "locked_readings",
    "readings_csv",
    "rows_of",
    "trouble_all_sources",
    "window_start",
]

HOUR = timedelta(hours=1)
FIVE_MINUTES = timedelta(minutes=5)
NOTICED_WITHIN_S = 120


class Troubled(NamedTuple):
    """Runs whose source was in trouble, and has recovered since; Airflow will try again by itself.

    That of `open_meteo` failed for good once, was repeated, and is in trouble for the second time.
    """

    gateway: Run
    gateway_end: datetime
    nws: Run
    open_meteo: Run


def trouble_all_sources(stack: Stack, this_hour: datetime) -> Troubled:
    """Let each source fail in another way while it is asked for an hour that was not asked for yet."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    end = now - timedelta(minutes=now.minute % 5) - 30 * FIVE_MINUTES
    earlier = this_hour - 4 * HOUR
    with stack.airflow() as airflow:
        for dag_id in ("publish_readings", "ingest_gateway", "ingest_nws", "ingest_open_meteo"):
            airflow.unpause(dag_id)
        with (
            fault(stack, "gateway", kind="rate_limited", window="minutely"),
            fault(stack, "nws", kind="overloaded"),
            fault(stack, "open-meteo", kind="contract"),
        ):
            gateway = run_before(airflow, "ingest_gateway", end)
            nws = run_before(airflow, "ingest_nws", earlier)
            open_meteo = run_before(airflow, "ingest_open_meteo", earlier)
            _until_up_for_retry(airflow, gateway, "extract")
            _until_up_for_retry(airflow, nws, "extract")
            until(
                "the changed contract ends its run",
                lambda: airflow.run(open_meteo).state == "failed",
                within_s=NOTICED_WITHIN_S,
            )
        assert "'temperature_2m' in 'K'" in said(airflow, open_meteo, "transform", 1)
        # Once only: another try would give the same.
        assert [1] == [one.number for one in tries(airflow, open_meteo, "transform")]
        assert 0 == rows_of(stack, "open-meteo", earlier - HOUR, earlier)
        # The answer that broke the contract was fetched well: it has to be fetched anew.
        with fault(stack, "open-meteo", kind="truncated"):
            _repeat_all(airflow, open_meteo)
            _until_up_for_retry(airflow, open_meteo, "extract")
    return Troubled(gateway, end, nws, open_meteo)


@contextmanager
def fault(stack: Stack, contract: str, **fault: Any) -> Iterator[None]:
    """Let a contract of the weather API be in trouble while the block runs."""
    url = f"{stack.url('weather_api')}/faults/{contract}"
    with httpx.Client(trust_env=False) as client:
        assert client.put(url, json=fault).status_code == 200
        try:
            yield
        finally:
            assert client.delete(url).status_code == 200


@contextmanager
def locked_readings(stack: Stack) -> Iterator[Callable[[datetime], bool]]:
    """Keep every load waiting within its transaction; tells whether the one does that has readings of a time.

    Of a time of its first station: PostgreSQL shows no more than the beginning of a long statement.
    """

    def waits(observed_at: datetime) -> bool:
        # Only to its own role does PostgreSQL show what a session is doing.
        with stack.history_database("history") as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE %s",
                (f"%INSERT INTO readings%{observed_at:%Y-%m-%dT%H:%M:%S}%",),
            )
            return cursor.fetchone() is not None

    with stack.history_database("history") as connection, connection.cursor() as cursor:
        cursor.execute("LOCK TABLE readings IN EXCLUSIVE MODE")
        yield waits


def _until_up_for_retry(airflow: Airflow, run: Run, task_id: str) -> None:
    until(
        f"{run.dag_id}.{task_id} is up for retry",
        lambda: state(airflow, run, task_id) == "up_for_retry",
        within_s=NOTICED_WITHIN_S,
    )


def _repeat_all(airflow: Airflow, run: Run) -> None:
    """Let all tasks of a run begin again, those that succeeded, too."""
    airflow.ask(
        "POST",
        f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/clear",
        json={"dry_run": False, "only_failed": False},
    )


def window_start() -> datetime:
    """Give the beginning of the window before the current one."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    return now - timedelta(minutes=now.minute % 5 + 5)


def readings_csv(stack: Stack, start: datetime, end: datetime) -> str:
    times = {"start": start.isoformat(), "end": end.isoformat()}
    return httpx.get(f"{stack.url('weather_api')}/gateway/readings.csv", params=times, trust_env=False).text


def rows_of(stack: Stack, source: str, start: datetime, end: datetime) -> int:
    ((count,),) = stack.select(
        "SELECT count(*) FROM readings WHERE source = %s AND observed_at >= %s AND observed_at < %s",
        source, start, end,
    )  # fmt: skip
    return int(count)
