"""What Airflow's tasks did and said, try by try."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from pipeline.infra.errors import InfraError
from tests.e2e.stack import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.infra.airflow import Airflow, Run

__all__ = ["RUN_TIMEOUT_S", "Try", "run_before", "said", "state", "succeed", "tries"]

RUN_TIMEOUT_S = 480

# Each run has a name of its own, which is its time.
_milliseconds = itertools.count(1)


class Try(NamedTuple):
    """One try of a task."""

    number: int
    state: str
    start: datetime
    end: datetime


def run_before(airflow: Airflow, dag_id: str, end: datetime) -> Run:
    """Begin a run of the interval that ends at `end`.

    Not with that very time: it is the name of the schedule's own run of the interval that begins there, which
    either is there already or then never comes.
    """
    return airflow.trigger(dag_id, end + timedelta(milliseconds=next(_milliseconds)))


def succeed(airflow: Airflow, run: Run, *, within_s: float = RUN_TIMEOUT_S) -> None:
    """Wait until a run has succeeded, also while Airflow is too busy to answer, or has no database."""

    def ended() -> str | None:
        try:
            found = airflow.run(run).state
        except InfraError:
            return None
        return found if found in {"success", "failed"} else None

    assert "success" == until(f"{run.dag_id} ends", ended, within_s=within_s), run


def state(airflow: Airflow, run: Run, task_id: str) -> str | None:
    """Give a task's state: None before it is scheduled, up_for_retry after a failure that may pass."""
    found: str | None = airflow.ask("GET", _path(run, task_id))["state"]
    return found


def tries(airflow: Airflow, run: Run, task_id: str) -> list[Try]:
    """Give the tries of a task that are over, in their order."""
    answer = airflow.ask("GET", f"{_path(run, task_id)}/tries")
    found = [
        Try(
            item["try_number"],
            item["state"],
            datetime.fromisoformat(item["start_date"]),
            datetime.fromisoformat(item["end_date"]),
        )
        for item in answer["task_instances"]
        if item["end_date"]
    ]
    return sorted(found)


def said(airflow: Airflow, run: Run, task_id: str, number: int) -> str:
    """Give the log of one try, with the errors that it ended with."""
    answer = airflow.ask("GET", f"{_path(run, task_id)}/logs/{number}", params={"full_content": True})
    return "\n".join(_texts(answer["content"]))


def _texts(content: Any) -> Iterator[str]:
    """Give every text of a structured log, as it was written."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, list | dict):
        for part in content.values() if isinstance(content, dict) else content:
            yield from _texts(part)


def _path(run: Run, task_id: str) -> str:
    return f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task_id}"
