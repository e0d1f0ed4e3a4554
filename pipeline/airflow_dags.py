"""The DAGs that ingest: the same three tasks for every source, and for the self-test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, task

from pipeline import ingest
from pipeline.airflow_connections import SELFTEST, history_settings, weather_settings
from pipeline.airflow_parts import READINGS, START_DATE, TASK_DEFAULTS, WEATHER_POOL
from pipeline.airflow_timetable import CatchUpTimetable
from pipeline.feeds import interval_around
from pipeline.platform import load_platform

if TYPE_CHECKING:
    from pipeline.feeds import Feed

__all__ = ["ingest_dag", "selftest_dag"]


def ingest_dag(feed: Feed) -> DAG:
    """Make the DAG of a source, which fetches each of its intervals and stores it."""
    facts = feed.facts
    with DAG(
        dag_id=facts.dag_id,
        schedule=CatchUpTimetable(facts.cron, facts.catch_up_time),
        start_date=START_DATE,
        catchup=False,
        max_active_runs=2,
        default_args=dict(TASK_DEFAULTS),
        tags=["galewatch", "source"],
        doc_md=f"Every {facts.interval}: what the source `{facts.id}` observed in the interval, brought into "
        "canonical units, into the history and, where it is fresh, into the outbox.",
    ) as dag:

        @task(pool=WEATHER_POOL)
        def extract(
            run_id: str | None = None,
            data_interval_start: datetime | None = None,
            data_interval_end: datetime | None = None,
        ) -> ingest.Extracted:
            now = datetime.now(UTC)
            window = ingest.window(data_interval_start, data_interval_end, facts.interval_time, now=now)
            weather = weather_settings(facts.connection_id)
            return ingest.extract(weather, feed, window, run_id=str(run_id), fetched_at=now)

        _store(extract())
    return dag


def selftest_dag() -> DAG:
    """Make the DAG that sends one reading of a station that does not exist down the whole path."""
    with DAG(
        dag_id="selftest",
        schedule=None,
        start_date=START_DATE,
        catchup=False,
        is_paused_upon_creation=False,
        max_active_runs=1,
        # Somebody waits for it.
        default_args={**TASK_DEFAULTS, "retries": 2, "retry_delay": timedelta(seconds=5)},
        tags=["galewatch"],
        doc_md="By hand: send one reading of the station galewatch-selftest down the whole path, through the "
        "same steps as any other.",
    ) as dag:

        @task
        def extract(run_id: str | None = None) -> ingest.Extracted:
            now = datetime.now(UTC)
            window = interval_around(now, ingest.SELFTEST.facts.interval_time)
            weather = weather_settings(SELFTEST)
            return ingest.extract(weather, ingest.SELFTEST, window, run_id=str(run_id), fetched_at=now)

        _store(extract())
    return dag


@task
def transform(extracted: ingest.Extracted) -> ingest.Transformed:
    """Bring what was fetched into canonical units."""
    return ingest.transform(extracted)


@task(outlets=[READINGS])
def load(transformed: ingest.Transformed, outlet_events: Any = None) -> ingest.Loaded:
    """Store it, and tell who waits for readings which ones there are."""
    horizon = timedelta(seconds=load_platform().ingest.streaming_horizon_seconds)
    loaded = ingest.load(history_settings(), transformed, horizon=horizon, now=datetime.now(UTC))
    outlet_events[READINGS].extra = dict(loaded)
    return loaded


def _store(extracted: Any) -> None:
    load(transform(extracted))
