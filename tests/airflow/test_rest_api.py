"""Airflow's own API server and scheduler as our side of them meets them: backfills, retries, empty runs."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from pipeline.infra.airflow import Airflow
from pipeline.infra.backfill import Backfill, Outcome, run
from pipeline.infra.errors import InfraError
from pipeline.readings import utc_text
from tests.local_server import serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.requests import Request

    from pipeline.infra.airflow import Run

# Two processes of Airflow's, which are up after half a minute.
pytestmark = pytest.mark.full

DAGS = Path(__file__).resolve().parents[2] / "dags"
PASSWORD = "an-admins-password"
GATEWAY, NWS = "ingest_gateway", "ingest_nws"
LAST_WEEK = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=7)
FIVE_MINUTES = timedelta(minutes=5)
BEFORE_THE_START = datetime(2019, 12, 31, tzinfo=UTC)
# Alone they need a tenth of it.
PATIENCE_SECONDS = 300
ANSWER_SECONDS = 60.0


class Source:
    """The gateway refuses and the US weather service is overloaded; remembers what was asked of either."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def app(self) -> Starlette:
        """Give the application."""
        return Starlette(
            routes=[
                Route("/stations/{path:path}", self.overloaded),
                Route("/{path:path}", self.refused),
            ]
        )

    def overloaded(self, request: Request) -> JSONResponse:
        """Ask to come again."""
        self.asked.append(request.url.path)
        return JSONResponse({"title": "Service Unavailable"}, 503)

    def refused(self, request: Request) -> JSONResponse:
        """Refuse what would be refused again."""
        self.asked.append(request.query_params["start"])
        return JSONResponse({"error": True, "reason": "no such device"}, 400)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(what: str, holds: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := holds()):
        assert time.monotonic() < deadline, f"not within {PATIENCE_SECONDS} s: {what}"
        time.sleep(0.2)
    return found


@pytest.fixture(scope="module")
def source() -> Source:
    return Source()


@pytest.fixture(scope="module")
def airflow(
    airflow_database: None,  # noqa: ARG001 - the tables are there first
    source: Source,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Airflow]:
    """An API server and a scheduler that runs tasks, on the tests' database, which knows the DAGs."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager  # noqa: PLC0415
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db  # noqa: PLC0415

    DagBundlesManager().sync_bundles_to_db()
    sync_bag_to_db(DagBag(str(DAGS)), "dags-folder", None)
    folder = tmp_path_factory.mktemp("rest")
    (folder / "passwords.json").write_text(json.dumps({"admin": PASSWORD}))
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with ExitStack() as running:
        host, _, source_port = (
            running.enter_context(serve(source.app())).removeprefix("http://").partition(":")
        )
        connection = json.dumps(
            {"conn_type": "generic", "schema": "http", "host": host, "port": int(source_port)}
        )
        environment = {
            **os.environ,
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(port),
            "AIRFLOW__API__SECRET_KEY": "a-secret-of-the-tests",
            "AIRFLOW__API_AUTH__JWT_SECRET": "another-secret-of-the-tests-of-some-length",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
            "AIRFLOW__CORE__PARALLELISM": "2",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(folder / "passwords.json"),
            "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
            "AIRFLOW_CONN_GALEWATCH_GATEWAY": connection,
            "AIRFLOW_CONN_GALEWATCH_NWS": connection,
            "PYTHONPATH": str(DAGS.parent),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        for name, arguments in (("api-server", ["--workers", "1"]), ("scheduler", [])):
            said = running.enter_context((folder / name).open("w"))
            process = subprocess.Popen(
                [sys.executable, "-m", "airflow", name, *arguments], env=environment, stdout=said, stderr=said
            )
            running.callback(process.wait, 60)
            running.callback(process.terminate)
        until("the API server answers", lambda: answers(url))
        with Airflow(url, "admin", PASSWORD, timeout_s=ANSWER_SECONDS) as opened:
            opened.ask("POST", "/api/v2/pools", json={"name": "weather_api", "slots": 1})
            yield opened


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/v2/version", timeout=5).is_success
    except httpx.HTTPError:
        return False


def tries(airflow: Airflow, run: Run, task_id: str) -> int:
    path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task_id}"
    return int(airflow.ask("GET", path)["try_number"])


def test_the_server_knows_every_dag_and_no_import_error(airflow: Airflow, dags: dict[str, Any]) -> None:
    assert sorted(dags) == [dag.dag_id for dag in airflow.dags()]
    assert [] == airflow.import_errors()


def test_a_backfill_whose_source_refuses_fails_each_interval_and_asks_once_for_each(
    airflow: Airflow, source: Source
) -> None:
    wanted = Backfill(GATEWAY, LAST_WEEK, LAST_WEEK + 2 * FIVE_MINUTES)
    airflow.unpause(GATEWAY)
    assert Outcome(2, 2) == run(airflow, wanted, lambda _: None)
    # After other backfills the schedule makes up for the last hours: there are newer runs than these.
    latest = airflow.runs(GATEWAY, limit=100)
    runs = [one for one in latest if LAST_WEEK <= (one.interval_start or NEVER) < wanted.end]
    assert [(LAST_WEEK, "failed"), (LAST_WEEK + FIVE_MINUTES, "failed")] == sorted(
        (one.interval_start, one.state) for one in runs
    )
    assert {1} == {tries(airflow, one, "extract") for one in runs}
    # The schedule's own runs ask as well.
    assert [1, 1] == [source.asked.count(utc_text(one.interval_start or NEVER)) for one in runs]
    assert "400" in (airflow.trouble(runs[0]) or "")


def test_a_source_that_is_overloaded_is_asked_again_later_and_that_is_said(airflow: Airflow) -> None:
    airflow.unpause(NWS)
    begun = airflow.trigger(NWS, LAST_WEEK)
    told = until("it is to be tried again", lambda: airflow.trouble(airflow.run(begun)))
    assert f"The task extract of {NWS} will be tried again (run {begun.run_id}): " in told
    assert "503" in told
    assert not airflow.run(begun).has_ended


def test_a_run_before_the_start_date_has_no_task_and_is_no_success(airflow: Airflow, source: Source) -> None:
    airflow.unpause(GATEWAY)
    begun = airflow.trigger(GATEWAY, BEFORE_THE_START)
    with pytest.raises(
        InfraError, match="has no task at all, so it did nothing, although Airflow calls it a success"
    ):
        airflow.wait(begun, PATIENCE_SECONDS, lambda _: None)
    empty = airflow.run(begun)
    assert ("success", []) == (
        empty.state,
        airflow.ask("GET", f"/api/v2/dags/{GATEWAY}/dagRuns/{empty.run_id}/taskInstances")["task_instances"],
    )
    assert [] == [start for start in source.asked if start.startswith("2019")]


def test_a_backfill_reaches_back_before_the_start_date(airflow: Airflow, source: Source) -> None:
    """Unlike a run that is started by hand it has its tasks there, so the source is asked, and refuses."""
    airflow.unpause(GATEWAY)
    wanted = Backfill(GATEWAY, BEFORE_THE_START - FIVE_MINUTES, BEFORE_THE_START)
    assert Outcome(1, 1) == run(airflow, wanted, lambda _: None)
    assert 1 == source.asked.count(utc_text(wanted.start))


NEVER = datetime.min.replace(tzinfo=UTC)
