"""Airflow's REST API, version 2, as far as `make up` needs it: unpause, trigger, wait, explain."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Self

import httpx

from pipeline.infra.errors import InfraError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Airflow", "Dag", "Run"]

_TIMEOUT_S: Final = 20.0
_POLL_S: Final = 1.0
# The dag-processor reads new files within half a minute; on a small machine that is busy it may take twice
# that.
_PARSED_WITHIN_S: Final = 120.0
_ENDED: Final = {"success", "failed"}
_LOG_CHARACTERS: Final = 600
_NO_IMPORT_ERROR: Final = "its file was not found or not yet read (`make logs S=airflow-dag-processor`)."


@dataclass(frozen=True, slots=True)
class Run:
    """One DAG run; the interval is None where Airflow gives none (asset-triggered runs)."""

    dag_id: str
    run_id: str
    state: str
    interval_start: datetime | None
    interval_end: datetime | None
    queued_at: datetime | None

    @classmethod
    def parse(cls, body: dict[str, Any]) -> Run:
        """Read one run of the API's answer."""
        return cls(
            body["dag_id"],
            body["dag_run_id"],
            body["state"],
            _time(body.get("data_interval_start")),
            _time(body.get("data_interval_end")),
            _time(body.get("queued_at")),
        )

    @property
    def has_ended(self) -> bool:
        """Tell whether nothing more will come of it."""
        return self.state in _ENDED


@dataclass(frozen=True, slots=True)
class Dag:
    """A DAG, and when the scheduler is to make its next run; None where it makes none by itself."""

    dag_id: str
    is_paused: bool
    next_at: datetime | None


class Airflow:
    """One API server; a context manager. Every failure is an InfraError."""

    def __init__(self, url: str, user: str, password: str, *, timeout_s: float = _TIMEOUT_S) -> None:
        # It is on the loopback address: no proxy may get in between, whatever the environment says.
        self._client = httpx.Client(base_url=url, timeout=timeout_s, trust_env=False)
        self._login = {"username": user, "password": password}

    def __enter__(self) -> Self:
        try:
            answer = self.ask("POST", "/auth/token", json=self._login)
        except InfraError:
            self._client.close()
            raise
        self._client.headers["Authorization"] = f"Bearer {answer['access_token']}"
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def unhealthy(self) -> list[str]:
        """Name the components that are not healthy: the health endpoint itself answers 200 in any case."""
        answer = self.ask("GET", "/api/v2/monitor/health")
        # A component that was never started (the triggerer) has the status null.
        return [name for name, body in answer.items() if body and body.get("status") not in {"healthy", None}]

    def dags(self) -> list[Dag]:
        """Give the DAGs, by their ids."""
        found = self.ask("GET", "/api/v2/dags", params={"limit": 100, "order_by": "dag_id"})["dags"]
        return [
            Dag(body["dag_id"], body["is_paused"], _time(body.get("next_dagrun_run_after"))) for body in found
        ]

    def import_errors(self) -> list[str]:
        """Say which files cannot be imported, and why."""
        errors = self.ask("GET", "/api/v2/importErrors")["import_errors"]
        return [_import_error(error) for error in errors]

    def unpause(self, dag_id: str) -> None:
        """Let a DAG run; waits until it is parsed, and raises with the import error where it cannot be."""
        end = time.monotonic() + _PARSED_WITHIN_S
        while self._status("GET", f"/api/v2/dags/{dag_id}") == httpx.codes.NOT_FOUND:
            if time.monotonic() > end:
                raise InfraError(f"Airflow does not know the DAG {dag_id}: {self._import_error()}")
            time.sleep(_POLL_S)
        self.ask("PATCH", f"/api/v2/dags/{dag_id}", json={"is_paused": False})

    def pause(self, dag_id: str) -> None:
        """Let a DAG begin no further run."""
        self.ask("PATCH", f"/api/v2/dags/{dag_id}", json={"is_paused": True})

    def runs(self, dag_id: str, limit: int = 10) -> list[Run]:
        """Give the latest runs, the newest first."""
        answer = self.ask("GET", f"/api/v2/dags/{dag_id}/dagRuns", params={"limit": limit, "order_by": "-id"})
        return [Run.parse(body) for body in answer["dag_runs"]]

    def run(self, run: Run) -> Run:
        """Give the run as it is now."""
        return Run.parse(self.ask("GET", f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}"))

    def trigger(self, dag_id: str, logical_date: datetime | None = None) -> Run:
        """Begin a run, of the interval *before* `logical_date`; with None it has no interval."""
        body = {"logical_date": logical_date.isoformat() if logical_date else None}
        return Run.parse(self.ask("POST", f"/api/v2/dags/{dag_id}/dagRuns", json=body))

    def repeat_failed(self, run: Run) -> None:
        """Let the failed tasks of a run begin again."""
        path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/clear"
        self.ask("POST", path, json={"dry_run": False, "only_failed": True})

    def wait(self, run: Run, timeout_s: float, say: Callable[[str], None]) -> Run:
        """Wait until a run has succeeded; raises InfraError with the failed task's last words.

        A run without a single task is no success, whatever Airflow calls it.
        """
        end = time.monotonic() + timeout_s
        while True:
            run = self.run(run)
            tasks = self._tasks(run)
            if run.state == "success":
                if not tasks:
                    raise InfraError(_did_nothing(run))
                return run
            if run.state == "failed":
                raise InfraError(self._why_failed(run, tasks))
            if time.monotonic() > end:
                raise InfraError(
                    f"The run {run.run_id} of {run.dag_id} is still {run.state} after {timeout_s:.0f} s "
                    f"({_tasks_in_words(tasks)}): `make logs S=airflow-scheduler` may say why."
                )
            say(f"{run.dag_id}: {_tasks_in_words(tasks)}")
            time.sleep(_POLL_S)

    def trouble(self, run: Run) -> str | None:
        """Say why a run failed, did nothing, or is about to be tried again; None where nothing is wrong."""
        tasks = self._tasks(run)
        if run.state == "success":
            return None if tasks else _did_nothing(run)
        if run.state == "failed":
            return self._why_failed(run, tasks)
        again = next((task for task in tasks if task["state"] == "up_for_retry"), None)
        if again is None:
            return None
        said = self._last_words(run, again)
        return f"The task {again['task_id']} of {run.dag_id} will be tried again (run {run.run_id}): {said}"

    def _tasks(self, run: Run) -> list[dict[str, Any]]:
        path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances"
        found: list[dict[str, Any]] = self.ask("GET", path)["task_instances"]
        return found

    def _why_failed(self, run: Run, tasks: list[dict[str, Any]]) -> str:
        failed = next((task for task in tasks if task["state"] == "failed"), None)
        if failed is None:
            return f"The run {run.run_id} of {run.dag_id} failed before any task ran."
        said = self._last_words(run, failed)
        return f"The task {failed['task_id']} of {run.dag_id} failed (run {run.run_id}): {said}"

    def _last_words(self, run: Run, task: dict[str, Any]) -> str:
        path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task['task_id']}/logs/"
        try:
            said = self.ask("GET", f"{path}{max(task['try_number'], 1)}", params={"full_content": True})
        except InfraError as error:
            return str(error)
        return _errors_of(said.get("content", []))[-_LOG_CHARACTERS:]

    def _import_error(self) -> str:
        errors = self.import_errors()
        return errors[0] if errors else _NO_IMPORT_ERROR

    def _status(self, method: str, path: str) -> int:
        return self._send(method, path).status_code

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """Send a request and give the answer, parsed; raises InfraError with what Airflow says."""
        answer = self._send(method, path, **options)
        if answer.is_error:
            raise InfraError(
                f"Airflow refused {method} {path} with {answer.status_code}: {answer.text[:300]}"
            )
        return answer.json() if answer.content else None

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            return self._client.request(method, path, **options)
        except httpx.HTTPError as error:
            raise InfraError(
                f"Airflow at {self._client.base_url} does not answer {method} {path} "
                f"({error or type(error).__name__}): `make status` shows how it is."
            ) from error


def _did_nothing(run: Run) -> str:
    return (
        f"The run {run.run_id} of {run.dag_id} has no task at all, so it did nothing, although Airflow calls "
        "it a success: its interval lies before the DAG's start date."
    )


def _import_error(error: dict[str, Any]) -> str:
    trace = error["stack_trace"].strip().splitlines()
    return f"{error['filename']} cannot be imported: {trace[-1] if trace else 'no reason given'}"


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _tasks_in_words(tasks: list[dict[str, Any]]) -> str:
    states = [f"{task['task_id']} {task['state'] or 'waiting'}" for task in tasks]
    return ", ".join(states) or "queued"


def _errors_of(content: list[Any] | str) -> str:
    """Take the errors out of a task's log: structured lines, or text from older log files."""
    if isinstance(content, str):
        return content.strip()
    lines = [line for line in content if isinstance(line, dict)]
    errors = [line for line in lines if line.get("level") in {"error", "critical"}] or lines[-3:]
    return " | ".join(_words(line) for line in errors)


def _words(line: dict[str, Any]) -> str:
    raised = "; ".join(f"{item['exc_type']}: {item['exc_value']}" for item in line.get("error_detail") or ())
    return f"{line.get('event', '')}{f' ({raised})' if raised else ''}"
