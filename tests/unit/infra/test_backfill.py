"""Backfills as Airflow is asked for them; that Airflow does what is asked is tested end to end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from pipeline.infra.airflow import Airflow
from pipeline.infra.backfill import Backfill, Outcome, run
from pipeline.infra.errors import InfraError
from tests.local_server import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

WANTED = Backfill("ingest_nws", datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 7, 1, 3, tzinfo=UTC))
STARTS = [f"2026-07-01T{hour:02}:00:00Z" for hour in range(3)]


class FakeAirflow:
    """Answers about backfills; one ends when it was asked for twice."""

    def __init__(self) -> None:
        self.planned = STARTS
        self.is_busy = False
        self.failed = 0
        self.done = 1
        self.stored = 1
        self.polled = 0
        self.bodies: list[dict[str, Any]] = []
        self.counted: list[dict[str, str]] = []

    def app(self) -> Starlette:
        """Give the application."""
        return Starlette(
            routes=[
                Route("/auth/token", lambda _: JSONResponse({"access_token": "t"}), methods=["POST"]),
                Route("/api/v2/backfills/dry_run", self.plan, methods=["POST"]),
                Route("/api/v2/backfills", self.begin, methods=["POST"]),
                Route("/api/v2/backfills/7", self.look),
                Route("/api/v2/dags/ingest_nws/dagRuns", self.count),
                Route("/api/v2/dags/ingest_nws/dagRuns/~/taskInstances", self.count_tasks),
            ]
        )

    async def plan(self, request: Request) -> JSONResponse:
        """Tell what would run."""
        self.bodies.append(await request.json())
        return JSONResponse({"backfills": [{"logical_date": start} for start in self.planned]})

    async def begin(self, request: Request) -> JSONResponse:
        """Begin, unless one runs."""
        self.bodies.append(await request.json())
        detail = "There is already a running backfill for dag ingest_nws"
        return JSONResponse({"detail": detail}, 409) if self.is_busy else JSONResponse({"id": 7})

    async def look(self, _request: Request) -> JSONResponse:
        """Tell whether it has ended."""
        self.polled += 1
        return JSONResponse({"completed_at": "2026-07-02T00:00:00Z" if self.polled > 1 else None})

    async def count(self, request: Request) -> JSONResponse:
        """Count runs in a state."""
        self.counted.append(dict(request.query_params))
        failed = request.query_params["state"] == "failed"
        return JSONResponse({"total_entries": self.failed if failed else self.done})

    async def count_tasks(self, request: Request) -> JSONResponse:
        """Count tasks in a state."""
        self.counted.append(dict(request.query_params))
        return JSONResponse({"total_entries": self.stored})


@pytest.fixture
def fake() -> FakeAirflow:
    return FakeAirflow()


@pytest.fixture
def airflow(fake: FakeAirflow, monkeypatch: pytest.MonkeyPatch) -> Iterator[Airflow]:
    monkeypatch.setattr("pipeline.infra.backfill._POLL_S", 0.01)
    with serve(fake.app()) as url, Airflow(url, "admin", "right") as client:
        yield client


def test_a_backfill_asks_for_whole_intervals_and_is_followed_to_its_end(
    airflow: Airflow, fake: FakeAirflow
) -> None:
    told: list[str] = []
    assert run(airflow, WANTED, told.append) == Outcome(3, 0)
    assert told == ["ingest_nws: 1 of 3 intervals"]
    assert fake.bodies[0] == fake.bodies[1]
    # Its end is part of Airflow's range, the interval that starts there no part of ours.
    assert fake.bodies[0]["from_date"] == "2026-07-01T00:00:00+00:00"
    assert fake.bodies[0]["to_date"] == "2026-07-01T02:59:59+00:00"
    assert fake.bodies[0]["reprocess_behavior"] == "failed"
    asked = [(one["state"], one.get("task_id")) for one in fake.counted]
    assert asked == [("success", None), ("failed", None), ("success", None), ("success", "load")]
    assert {("2026-07-01T00:00:00+00:00", "2026-07-01T02:00:00+00:00")} == {
        (one["logical_date_gte"], one["logical_date_lte"]) for one in fake.counted
    }


def test_failed_runs_are_counted(airflow: Airflow, fake: FakeAirflow) -> None:
    fake.failed = 2
    assert run(airflow, WANTED, print) == Outcome(3, 2)


def test_a_run_that_succeeded_without_storing_anything_counts_as_failed(
    airflow: Airflow, fake: FakeAirflow
) -> None:
    fake.done, fake.failed, fake.stored = 2, 1, 1
    assert run(airflow, WANTED, print) == Outcome(3, 2)


def test_again_repeats_what_has_run(airflow: Airflow, fake: FakeAirflow) -> None:
    run(airflow, Backfill(WANTED.dag_id, WANTED.start, WANTED.end, again=True), print)
    assert fake.bodies[1]["reprocess_behavior"] == "completed"


def test_nothing_begins_where_nothing_lacks(airflow: Airflow, fake: FakeAirflow) -> None:
    fake.planned = []
    assert run(airflow, WANTED, print) == Outcome(0, 0)
    assert len(fake.bodies) == 1


def test_a_backfill_beside_another_is_refused_in_airflows_words(airflow: Airflow, fake: FakeAirflow) -> None:
    fake.is_busy = True
    with pytest.raises(InfraError, match=r"409: .*already a running backfill for dag ingest_nws"):
        run(airflow, WANTED, print)
