"""Backfills, as Airflow's API makes them of a request: a run for each interval, and none a second time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.infra.backfill import Backfill

DAGS = Path(__file__).resolve().parents[2] / "dags"
LONG_AGO = datetime(2021, 5, 1, tzinfo=UTC)


@pytest.fixture(scope="module", autouse=True)
def _stored(airflow_database: None) -> None:  # noqa: ARG001 - the tables are there first
    """Write the DAGs into Airflow's database, as its processor does."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager  # noqa: PLC0415
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db  # noqa: PLC0415

    DagBundlesManager().sync_bundles_to_db()
    sync_bag_to_db(DagBag(str(DAGS)), "dags-folder", None)


def request(wanted: Backfill) -> dict[str, Any]:
    """Read the request's body as the API does."""
    from airflow.models.backfill import ReprocessBehavior  # noqa: PLC0415

    body = wanted.body()
    return {
        "dag_id": body["dag_id"],
        "from_date": datetime.fromisoformat(body["from_date"]),
        "to_date": datetime.fromisoformat(body["to_date"]),
        "reverse": False,
        "reprocess_behavior": ReprocessBehavior(body["reprocess_behavior"]),
    }


def planned(wanted: Backfill) -> list[datetime]:
    """Tell the starts of the intervals that a backfill would run."""
    from airflow.models.backfill import _do_dry_run  # noqa: PLC0415
    from airflow.utils.session import create_session  # noqa: PLC0415

    with create_session() as session:
        return [info.logical_date for info in _do_dry_run(**request(wanted), session=session)]


def finish(wanted: Backfill, state: str) -> None:
    """Make the runs of a backfill, and end them all in a state."""
    from airflow.models.backfill import Backfill as Stored  # noqa: PLC0415
    from airflow.models.backfill import _create_backfill  # noqa: PLC0415
    from airflow.models.dagrun import DagRun  # noqa: PLC0415
    from airflow.utils.session import create_session  # noqa: PLC0415
    from sqlalchemy import update  # noqa: PLC0415

    _create_backfill(**request(wanted), max_active_runs=1, dag_run_conf=None, triggering_user_name="admin")
    with create_session() as session:
        session.execute(update(DagRun).where(DagRun.dag_id == wanted.dag_id).values(state=state))
        session.execute(update(Stored).values(completed_at=datetime.now(UTC)))


def intervals(dag_id: str) -> list[tuple[datetime, datetime]]:
    """Give the data intervals of a DAG's runs."""
    from airflow.models.dagrun import DagRun  # noqa: PLC0415
    from airflow.utils.session import create_session  # noqa: PLC0415
    from sqlalchemy import select  # noqa: PLC0415

    with create_session() as session:
        found = session.scalars(select(DagRun).where(DagRun.dag_id == dag_id).order_by(DagRun.logical_date))
        return [(run.data_interval_start, run.data_interval_end) for run in found]


@pytest.mark.parametrize(
    ("dag_id", "length"),
    [("ingest_open_meteo", timedelta(hours=1)), ("ingest_gateway", timedelta(minutes=5))],
)
def test_each_interval_is_run_once_failed_ones_again_and_all_of_them_when_told_to(
    dag_id: str, length: timedelta
) -> None:
    wanted = Backfill(dag_id, LONG_AGO, LONG_AGO + 3 * length)
    starts = [LONG_AGO + number * length for number in range(3)]
    assert planned(wanted) == starts

    finish(wanted, "failed")
    assert intervals(dag_id) == [(start, start + length) for start in starts]
    assert planned(wanted) == starts

    finish(wanted, "success")
    assert intervals(dag_id) == [(start, start + length) for start in starts]
    assert planned(wanted) == []
    wider = Backfill(dag_id, LONG_AGO, LONG_AGO + 4 * length)
    assert planned(wider) == [LONG_AGO + 3 * length]
    assert planned(Backfill(dag_id, LONG_AGO, LONG_AGO + 3 * length, again=True)) == starts
