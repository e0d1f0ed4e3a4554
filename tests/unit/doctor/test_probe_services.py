"""The probes that ask by HTTP, against a real local server that answers as the services do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from pipeline.doctor import probe_services
from pipeline.doctor.probe_services import ProbeError
from pipeline.doctor.seen import WeatherSeen
from tests.local_server import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request


@dataclass
class Answers:
    """What the server answers by path; what is not there is 404."""

    name = "tnone"
    by_path: dict[str, Any]
    url: str = ""

    def address(self, _: str) -> str:
        """Give the same server for every service."""
        return self.url

    async def answer(self, request: Request) -> JSONResponse:
        """Answer."""
        found = self.by_path.get(request.url.path)
        return JSONResponse(found, 404 if found is None else 200)


@pytest.fixture
def answers() -> Iterator[Any]:
    made = Answers({})
    with serve(Starlette(routes=[Route("/{path:path}", made.answer)])) as url:
        made.url = url
        yield made


def test_the_weather_api_tells_its_origin_and_the_faults_that_are_on(answers: Any) -> None:
    answers.by_path = {
        "/healthz": {"status": "ok", "origin": "replay"},
        "/faults": {"open-meteo": None, "gateway": {"kind": "overloaded", "times": None}, "nws": None},
    }
    assert WeatherSeen("replay", {"gateway": "overloaded"}) == probe_services.weather(answers)


def test_a_weather_api_without_faults_has_none(answers: Any) -> None:
    answers.by_path = {"/healthz": {"status": "ok", "origin": "synthetic"}}
    assert WeatherSeen("synthetic", {}) == probe_services.weather(answers)


def test_workers_that_are_alive_are_counted(answers: Any) -> None:
    answers.by_path = {"/json/": {"workers": [{"state": "ALIVE"}, {"state": "DEAD"}, {"state": "ALIVE"}]}}
    assert 2 == probe_services.spark(answers).workers


def test_a_service_that_does_not_answer_is_told_with_its_address(answers: Any) -> None:
    with pytest.raises(ProbeError, match=rf"{answers.url}/healthz does not answer: .*404"):
        probe_services.weather(answers)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ('{"driver": "tables", "healthy": false, "error": "query readings: WriteTimeout"}', "WriteTimeout"),
        ('{"driver": "tables", "healthy": true, "error": null}', None),
        ("", None),
        ("[]", None),
    ],
)
def test_a_drivers_own_word_is_read(status: str, error: str | None) -> None:
    found = probe_services._error_of(status)
    assert found is None if error is None else error in str(found)
