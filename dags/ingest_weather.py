"""Hourly: fetch the weather of the interval, bring it into canonical units, store it and fill the outbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import CronDataIntervalTimetable, dag, task

from pipeline import ingest
from pipeline.airflow_connections import WEATHER, history_settings, weather_settings
from pipeline.airflow_parts import READINGS, TASK_DEFAULTS, WEATHER_POOL
from pipeline.config import config_dir
from pipeline.platform import load_platform
from pipeline.stations import DEFAULT_SOURCE, load_stations, stations_of


@dag(
    dag_id="ingest_weather",
    schedule=CronDataIntervalTimetable("0 * * * *", timezone="UTC"),
    # Long ago: a run for an hour before its DAG's start date would succeed without doing anything.
    start_date=datetime(2020, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=2,
    default_args=dict(TASK_DEFAULTS),
    tags=["galewatch"],
    doc_md=__doc__,
)
def ingest_weather() -> None:
    """Extract → transform → load."""

    @task(pool=WEATHER_POOL)
    def extract(
        data_interval_start: datetime | None = None, data_interval_end: datetime | None = None
    ) -> ingest.Extracted:
        now = datetime.now(UTC)
        window = ingest.window(data_interval_start, data_interval_end, now=now)
        stations = stations_of(load_stations(config_dir() / "stations.yaml"), DEFAULT_SOURCE)
        return ingest.extract(weather_settings(WEATHER), stations, window, fetched_at=now)

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


ingest_weather()
