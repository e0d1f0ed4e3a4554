"""The way to Airflow's REST API, against a real local server that answers as Airflow 3 does."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from pipeline.infra.airflow import Airflow, Dag, Run
from pipeline.infra.errors import InfraError
from pipeline.infra.first_alert import newest_interval, run_of
from tests.local_server import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def body(run_id: str, state: str, end: datetime | None = NOON) -> dict[str, Any]:
    return {
        "dag_id": "ingest_open_meteo",
        "dag_run_id": run_id,
        "state": state,
        "data_interval_start": (end - timedelta(hours=1)).isoformat() if end else None,
        "data_interval_end": end.isoformat() if end else None,
        "queued_at": NOON.isoformat(),
    }


class FakeAirflow:
    """Holds the states that a run goes through, one further at each question, and what was asked."""

    def __init__(self) -> None:
        self.states = ["queued", "running", "success"]
        self.asked: list[tuple[str, str, Any]] = []
        self.known_after = 0
        self.import_errors: list[dict[str, str]] = []
        self.log: Any = []
        self.dags: list[dict[str, Any]] = []
        self.has_tasks = True

    def app(self) -> Starlette:
        """Give the server's application."""
        return Starlette(routes=[Route("/{path:path}", self.answer, methods=["GET", "POST", "PATCH"])])

    async def answer(self, request: Request) -> JSONResponse:
        """Note what is asked, and answer it."""
        path = request.url.path
        sent = await request.json() if await request.body() else {}
        self.asked.append((request.method, path, sent))
        if path == "/auth/token":
            return JSONResponse({"access_token": "t0ken"}, 201 if sent["password"] == "right" else 401)
        if request.headers.get("authorization") != "Bearer t0ken":
            return JSONResponse({"detail": "Not authenticated"}, 401)
        code, found = self._found(request.method, path)
        return JSONResponse(found, code)

    def _found(self, method: str, path: str) -> tuple[int, Any]:
        task = {"task_id": "extract", "state": self.states[0], "try_number": 1}
        parts = {"scheduler": "unhealthy", "metadatabase": "healthy", "triggerer": None}
        answers: dict[str, Any] = {
            "taskInstances": {"task_instances": [task] if self.has_tasks else []},
            "1": {"content": self.log},
            "importErrors": {"import_errors": self.import_errors},
            "health": {name: {"status": status} for name, status in parts.items()},
            "dags": {"dags": self.dags},
            "dagRuns": body("new", "queued") if method == "POST" else {"dag_runs": [body("one", "failed")]},
            "one": body("one", self.states[0]),
        }
        last = path.rsplit("/", 1)[1]
        if last == "one":
            self.states = self.states[1:] or self.states
        if last == "ingest_open_meteo" and method == "GET":
            self.known_after -= 1
            return (404 if self.known_after >= 0 else 200), {}
        return 200, answers.get(last, {})


@pytest.fixture
def fake() -> FakeAirflow:
    return FakeAirflow()


@pytest.fixture
def url(fake: FakeAirflow) -> Iterator[str]:
    with serve(fake.app()) as address:
        yield address


@pytest.fixture
def airflow(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Airflow]:
    monkeypatch.setattr("pipeline.infra.airflow._POLL_S", 0.01)
    # A proxy that nobody answers at: the way to the loopback address must not lead over it.
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with Airflow(url, "admin", "right") as client:
        yield client


ONE = Run.parse(body("one", "queued"))


def test_a_run_is_followed_to_its_success(airflow: Airflow) -> None:
    told: list[str] = []
    assert airflow.wait(ONE, 5.0, told.append).state == "success"
    assert told[0].startswith("ingest_open_meteo: extract ")


def test_a_failed_run_is_told_with_its_tasks_error(airflow: Airflow, fake: FakeAirflow) -> None:
    fake.states = ["failed"]
    error = {"exc_type": "SourceUnavailableError", "exc_value": "503"}
    fake.log = [
        {"event": "all is fine", "level": "info"},
        {"event": "Task failed", "level": "error", "error_detail": [error]},
    ]
    words = (
        r"task extract of ingest_open_meteo failed \(run one\): Task failed \(SourceUnavailableError: 503\)$"
    )
    with pytest.raises(InfraError, match=words):
        airflow.wait(ONE, 5.0, print)


def test_a_run_that_does_not_end_is_told_with_its_tasks(airflow: Airflow, fake: FakeAirflow) -> None:
    fake.states = ["running"]
    with pytest.raises(InfraError, match=r"still running after 0 s \(extract running\)"):
        airflow.wait(ONE, 0.05, lambda _: None)


def test_a_run_that_is_tried_again_is_told_with_its_tasks_error(airflow: Airflow, fake: FakeAirflow) -> None:
    fake.states = ["up_for_retry"]
    fake.log = [{"event": "503: overloaded", "level": "error"}]
    running = Run.parse(body("one", "running"))
    said = airflow.trouble(running)
    assert said == "The task extract of ingest_open_meteo will be tried again (run one): 503: overloaded"


@pytest.mark.parametrize(("run", "task"), [("success", "up_for_retry"), ("running", "running")])
def test_a_run_that_does_its_work_is_in_no_trouble(
    airflow: Airflow, fake: FakeAirflow, run: str, task: str
) -> None:
    fake.states = [task]
    assert airflow.trouble(Run.parse(body("one", run))) is None


def test_a_run_without_a_task_is_no_success(airflow: Airflow, fake: FakeAirflow) -> None:
    fake.has_tasks = False
    words = r"The run one of ingest_open_meteo has no task at all, so it did nothing"
    with pytest.raises(InfraError, match=words):
        airflow.wait(ONE, 5.0, lambda _: None)
    told = airflow.trouble(Run.parse(body("one", "success")))
    assert told is not None
    assert re.match(words, told)


def test_a_failed_run_is_in_trouble(airflow: Airflow, fake: FakeAirflow) -> None:
    fake.states = ["failed"]
    fake.log = [{"event": "no way", "level": "error"}]
    said = airflow.trouble(Run.parse(body("one", "failed")))
    assert said == "The task extract of ingest_open_meteo failed (run one): no way"


def test_dags_come_with_their_next_run(airflow: Airflow, fake: FakeAirflow) -> None:
    fake.dags = [
        {"dag_id": "a", "is_paused": True, "next_dagrun_run_after": "2026-11-21T12:00:00Z"},
        {"dag_id": "b", "is_paused": False, "next_dagrun_run_after": None},
    ]
    assert airflow.dags() == [Dag("a", is_paused=True, next_at=NOON), Dag("b", is_paused=False, next_at=None)]


def test_a_dag_is_paused(airflow: Airflow, fake: FakeAirflow) -> None:
    airflow.pause("publish_readings")
    assert fake.asked[-1] == ("PATCH", "/api/v2/dags/publish_readings", {"is_paused": True})


def test_a_dag_is_waited_for_before_it_is_let_run(airflow: Airflow, fake: FakeAirflow) -> None:
    fake.known_after = 2
    airflow.unpause("ingest_open_meteo")
    assert fake.asked[-1] == ("PATCH", "/api/v2/dags/ingest_open_meteo", {"is_paused": False})


def test_a_dag_that_cannot_be_imported_is_told_with_the_reason(
    airflow: Airflow, fake: FakeAirflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.infra.airflow._PARSED_WITHIN_S", 0.05)
    fake.known_after = 10_000
    fake.import_errors = [{"filename": "ingest.py", "stack_trace": "Traceback\n  …\nKeyError: 'x'\n"}]
    with pytest.raises(InfraError, match=r"ingest\.py cannot be imported: KeyError: 'x'"):
        airflow.unpause("ingest_open_meteo")


def test_a_wrong_password_is_told(url: str) -> None:
    with pytest.raises(InfraError, match="refused POST /auth/token with 401"), Airflow(url, "admin", "wrong"):
        pass


def test_a_server_that_is_not_there_is_told_with_its_address() -> None:
    with (
        pytest.raises(InfraError, match=r"http://127\.0\.0\.1:9 does not answer"),
        Airflow("http://127.0.0.1:9", "a", "b"),
    ):
        pass


def test_health_is_read_from_the_components_not_from_the_status_code(airflow: Airflow) -> None:
    assert airflow.unhealthy() == ["scheduler"]


def test_a_manual_run_sends_its_logical_date_or_an_explicit_null(airflow: Airflow, fake: FakeAirflow) -> None:
    airflow.trigger("ingest_open_meteo", NOON)
    airflow.trigger("selftest")
    assert [sent for method, _, sent in fake.asked if method == "POST"][1:] == [
        {"logical_date": "2026-11-21T12:00:00+00:00"},
        {"logical_date": None},
    ]


def test_the_newest_interval_is_the_last_hour_that_is_over() -> None:
    start, end = NOON - timedelta(hours=1), NOON
    assert newest_interval(NOON) == (start, end)
    assert newest_interval(NOON + timedelta(minutes=59, seconds=59)) == (start, end)
    assert newest_interval(NOON - timedelta(seconds=1)) == (start - timedelta(hours=1), start)


def test_of_several_runs_of_an_interval_the_one_that_succeeded_counts() -> None:
    runs = [
        Run.parse(body("other hour", "success", NOON - timedelta(hours=1))),
        Run.parse(body("failed", "failed")),
        Run.parse(body("running", "running")),
        Run.parse(body("no interval", "success", None)),
    ]
    chosen = run_of(runs, NOON)
    assert chosen is not None
    assert chosen.run_id == "running"
    done = Run.parse(body("done", "success"))
    assert run_of([*runs, done], NOON) == done
    assert run_of(runs[:1], NOON) is None
