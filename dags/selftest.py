"""By hand: send one reading of the station galewatch-selftest down the whole path, through the same steps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import dag, task

from pipeline import ingest
from pipeline.airflow_connections import WEATHER_LOCAL, history_settings, weather_settings
from pipeline.airflow_parts import READINGS, TASK_DEFAULTS
from pipeline.platform import load_platform


@dag(
    dag_id="selftest",
    schedule=None,
    start_date=datetime(2020, 1, 1, tzinfo=UTC),
    catchup=False,
    is_paused_upon_creation=False,
    max_active_runs=1,
    # Somebody waits for it.
    default_args={**TASK_DEFAULTS, "retries": 2, "retry_delay": timedelta(seconds=5)},
    tags=["galewatch"],
    doc_md=__doc__,
)
def selftest() -> None:
    """Extract → transform → load, of the current hour of one station that does not exist."""

    @task
    def extract() -> ingest.Extracted:
        now = datetime.now(UTC)
        weather = weather_settings(WEATHER_LOCAL)
        stations = [ingest.SELFTEST_STATION]
        return ingest.extract(weather, stations, ingest.current_hour(now), fetched_at=now, path="/selftest")

    @task
    def transform(extracted: ingest.Extracted) -> ingest.Transformed:
        return ingest.transform(extracted)

    @task(outlets=[READINGS])
    def load(transformed: ingest.Transformed, outlet_events: Any = None) -> ingest.Loaded:
        horizon = timedelta(seconds=load_platform().ingest.streaming_horizon_seconds)
        loaded = ingest.load(history_settings(), transformed, horizon=horizon, now=datetime.now(UTC))
        outlet_events[READINGS].extra = dict(loaded)
        return loaded

    load(transform(extract()))


selftest()
