"""The DAG files: that they parse, and what is promised of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pendulum


def test_the_folder_holds_the_three_dags(dags: dict[str, Any]) -> None:
    assert sorted(dags) == ["ingest_weather", "publish_readings", "selftest"]


def test_ingestion_has_an_hourly_data_interval_of_one_hour(dags: dict[str, Any]) -> None:
    from airflow.serialization.serialized_objects import DagSerialization  # noqa: PLC0415

    stored = DagSerialization.from_dict(DagSerialization.to_dict(dags["ingest_weather"]))
    asked_at = pendulum.datetime(2026, 1, 2, 3, 30, tz="UTC")
    interval = stored.timetable.infer_manual_data_interval(run_after=asked_at)
    assert interval.start == datetime(2026, 1, 2, 2, tzinfo=UTC)
    assert interval.end == datetime(2026, 1, 2, 3, tzinfo=UTC)


def test_ingestion_extracts_transforms_and_loads_in_this_order(dags: dict[str, Any]) -> None:
    for dag_id in ("ingest_weather", "selftest"):
        dag = dags[dag_id]
        assert sorted(dag.task_dict) == ["extract", "load", "transform"]
        assert dag.get_task("transform").upstream_task_ids == {"extract"}
        assert dag.get_task("load").upstream_task_ids == {"transform"}


def test_only_the_fetch_takes_the_one_slot_of_the_weather_api(dags: dict[str, Any]) -> None:
    pools = {name: task.pool for name, task in dags["ingest_weather"].task_dict.items()}
    assert pools == {"extract": "weather_api", "transform": "default_pool", "load": "default_pool"}


def test_a_run_for_any_hour_of_the_last_year_lies_after_the_start_date(dags: dict[str, Any]) -> None:
    # One before it would succeed without a single task.
    for dag in dags.values():
        assert dag.start_date < datetime.now(UTC) - timedelta(days=366)
        assert dag.catchup is False


def test_loading_wakes_publishing_and_the_selftest_takes_the_same_way(dags: dict[str, Any]) -> None:
    from pipeline.airflow_parts import READINGS  # noqa: PLC0415

    assert dags["ingest_weather"].get_task("load").outlets == [READINGS]
    assert dags["selftest"].get_task("load").outlets == [READINGS]
    assert list(dags["publish_readings"].timetable.asset_condition.objects) == [READINGS]


def test_publishing_never_sleeps_while_readings_are_loaded(dags: dict[str, Any]) -> None:
    # A paused DAG does not hear of the events that it misses.
    assert dags["publish_readings"].is_paused_upon_creation is False
    assert dags["publish_readings"].max_active_runs == 1


def test_the_selftest_starts_by_hand_only(dags: dict[str, Any]) -> None:
    assert type(dags["selftest"].timetable).__name__ == "NullTimetable"
    assert dags["selftest"].is_paused_upon_creation is False


def test_every_task_is_retried_by_cause_and_ends_at_some_time(dags: dict[str, Any]) -> None:
    from pipeline.airflow_parts import RetryByCause  # noqa: PLC0415

    for dag in dags.values():
        for task in dag.tasks:
            assert isinstance(task.retry_policy, RetryByCause)
            assert task.retries >= 2
            assert task.execution_timeout <= timedelta(minutes=15)
