"""Past intervals as runs of Airflow: its own backfills (POST /api/v2/backfills), followed to their end."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.infra.airflow import Airflow

__all__ = ["Backfill", "Outcome", "run"]

_POLL_S: Final = 2.0
# One less than the DAGs allow: what is scheduled goes on beside it.
_RUNS_AT_ONCE: Final = 1
# The task of every DAG that fetches after which its interval is stored.
_LAST_TASK: Final = "load"


@dataclass(frozen=True, slots=True)
class Backfill:
    """Runs of a DAG for the intervals that start in [start, end).

    They are those that never ran or that failed; with `again` also those that succeeded.
    """

    dag_id: str
    start: datetime
    end: datetime
    again: bool = False

    def body(self) -> dict[str, Any]:
        """Give the request's body; Airflow's range includes its end."""
        return {
            "dag_id": self.dag_id,
            "from_date": self.start.isoformat(),
            "to_date": (self.end - timedelta(seconds=1)).isoformat(),
            "reprocess_behavior": "completed" if self.again else "failed",
            "max_active_runs": _RUNS_AT_ONCE,
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many intervals a backfill ran, and in how many the run failed or did nothing."""

    intervals: int
    failed: int


def run(airflow: Airflow, wanted: Backfill, say: Callable[[str], None]) -> Outcome:
    """Run a backfill to its end; raises InfraError, also when Airflow runs another one of the same DAG."""
    planned = airflow.ask("POST", "/api/v2/backfills/dry_run", json=wanted.body())["backfills"]
    starts = [datetime.fromisoformat(one["logical_date"]) for one in planned]
    if not starts:
        return Outcome(0, 0)
    backfill_id = airflow.ask("POST", "/api/v2/backfills", json=wanted.body())["id"]
    while airflow.ask("GET", f"/api/v2/backfills/{backfill_id}")["completed_at"] is None:
        done = _count(airflow, wanted.dag_id, starts, "success")
        say(f"{wanted.dag_id}: {done} of {len(starts)} intervals")
        time.sleep(_POLL_S)
    failed = _count(airflow, wanted.dag_id, starts, "failed")
    # To Airflow a run is a success, too, of which no task ran, as it may be when it was started by hand.
    done = _count(airflow, wanted.dag_id, starts, "success")
    stored = _count(airflow, wanted.dag_id, starts, "success", task_id=_LAST_TASK)
    return Outcome(len(starts), failed + done - stored)


def _count(
    airflow: Airflow, dag_id: str, starts: list[datetime], state: str, *, task_id: str | None = None
) -> int:
    """Count the runs, or the runs' tasks, in a state among the intervals from the first start to the last."""
    among = {
        "logical_date_gte": min(starts).isoformat(),
        "logical_date_lte": max(starts).isoformat(),
        "state": state,
        "limit": 1,
    }
    path = f"/api/v2/dags/{dag_id}/dagRuns"
    if task_id is not None:
        among["task_id"] = task_id
        path = f"{path}/~/taskInstances"
    return int(airflow.ask("GET", path, params=among)["total_entries"])
