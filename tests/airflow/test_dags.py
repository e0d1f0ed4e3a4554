"""The DAG files: that they parse, and what is promised of them."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pendulum
import pytest

INGESTING = ("ingest_gateway", "ingest_nws", "ingest_open_meteo")


def stored_timetable(dag: Any) -> Any:
    """Give a DAG's timetable as the scheduler reads it from the database."""
    from airflow.serialization.serialized_objects import DagSerialization  # noqa: PLC0415

    return DagSerialization.from_dict(DagSerialization.to_dict(dag)).timetable


def test_the_folder_holds_a_dag_for_each_source_one_to_publish_and_the_selftest(
    dags: dict[str, Any],
) -> None:
    assert sorted(dags) == [*INGESTING, "publish_readings", "selftest"]


@pytest.mark.parametrize(
    ("dag_id", "start"),
    [("ingest_open_meteo", (2, 0)), ("ingest_nws", (2, 0)), ("ingest_gateway", (3, 25))],
)
def test_each_source_has_data_intervals_of_its_own_length(
    dags: dict[str, Any], dag_id: str, start: tuple[int, int]
) -> None:
    asked_at = pendulum.datetime(2026, 1, 2, 3, 30, tz="UTC")
    interval = stored_timetable(dags[dag_id]).infer_manual_data_interval(run_after=asked_at)
    assert interval.start == datetime(2026, 1, 2, *start, tzinfo=UTC)
    length = timedelta(minutes=5) if dag_id == "ingest_gateway" else timedelta(hours=1)
    assert interval.end - interval.start == length


HOUR = timedelta(hours=1)


def next_start(dags: dict[str, Any], last_start: datetime | None) -> datetime:
    """Give the start of what the hourly source runs next, after an interval with that start."""
    from airflow.timetables.base import DataInterval, TimeRestriction  # noqa: PLC0415

    last = None if last_start is None else pendulum.instance(last_start)
    info = stored_timetable(dags["ingest_open_meteo"]).next_dagrun_info(
        last_automated_data_interval=None if last is None else DataInterval(last, last + HOUR),
        restriction=TimeRestriction(pendulum.datetime(2020, 1, 1), None, catchup=False),
    )
    assert info.data_interval.end - info.data_interval.start == HOUR
    start: datetime = info.data_interval.start
    return start


@pytest.fixture
def this_hour() -> datetime:
    """The hour that it is until the test has ended."""
    now = datetime.now(UTC)
    if (now + timedelta(seconds=20)).hour != now.hour:
        time.sleep(21)
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def test_the_first_interval_of_all_is_the_newest(dags: dict[str, Any], this_hour: datetime) -> None:
    assert next_start(dags, None) == this_hour - HOUR


@pytest.mark.parametrize("hours", [2, 3, 10, 23])
def test_after_a_standstill_no_interval_of_the_last_day_is_left_out(
    dags: dict[str, Any], this_hour: datetime, hours: int
) -> None:
    assert next_start(dags, this_hour - (hours + 1) * HOUR) == this_hour - hours * HOUR


def test_what_was_missed_before_the_last_day_is_left_to_a_backfill(
    dags: dict[str, Any], this_hour: datetime
) -> None:
    assert next_start(dags, this_hour - 1000 * HOUR) == this_hour - 23 * HOUR


def test_nothing_runs_before_its_interval_is_over(dags: dict[str, Any], this_hour: datetime) -> None:
    assert next_start(dags, this_hour - HOUR) == this_hour


def test_a_backfill_finds_each_past_interval_once_however_long_ago(dags: dict[str, Any]) -> None:
    from airflow.serialization.serialized_objects import DagSerialization  # noqa: PLC0415

    stored = DagSerialization.from_dict(DagSerialization.to_dict(dags["ingest_gateway"]))
    begin, end = pendulum.datetime(2021, 5, 1), pendulum.datetime(2021, 5, 1, 0, 59, 59)
    starts = [info.logical_date for info in stored.iter_dagrun_infos_between(begin, end)]
    assert starts == [begin + number * timedelta(minutes=5) for number in range(12)]


def test_ingestion_extracts_transforms_and_loads_in_this_order(dags: dict[str, Any]) -> None:
    for dag_id in (*INGESTING, "selftest"):
        dag = dags[dag_id]
        assert sorted(dag.task_dict) == ["extract", "load", "transform"]
        assert dag.get_task("transform").upstream_task_ids == {"extract"}
        assert dag.get_task("load").upstream_task_ids == {"transform"}


def test_only_the_fetch_takes_the_one_slot_of_the_weather_api(dags: dict[str, Any]) -> None:
    for dag_id in INGESTING:
        pools = {name: task.pool for name, task in dags[dag_id].task_dict.items()}
        assert pools == {"extract": "weather_api", "transform": "default_pool", "load": "default_pool"}


def test_a_run_for_any_hour_of_the_last_year_lies_after_the_start_date(dags: dict[str, Any]) -> None:
    # One before it would succeed without a single task.
    for dag in dags.values():
        assert dag.start_date < datetime.now(UTC) - timedelta(days=366)
        assert dag.catchup is False


def test_loading_wakes_publishing_and_the_selftest_takes_the_same_way(dags: dict[str, Any]) -> None:
    from pipeline.airflow_parts import READINGS  # noqa: PLC0415

    for dag_id in (*INGESTING, "selftest"):
        assert dags[dag_id].get_task("load").outlets == [READINGS]
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
