"""The registry's answers, from a real server that speaks its API."""

from __future__ import annotations

import logging
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from pipeline.errors import RegistryError
from pipeline.schemas import schema_text
from pipeline.settings import RegistrySettings
from pipeline.streaming import registered
from pipeline.streaming.registered import registered_id, wait_for_id
from tests.local_server import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

PASSWORD = "secret"
ALERT = "alert.v1.avsc"


async def _lookup(request: Request) -> Response:
    if request.headers.get("authorization") != "Basic Y2xpZW50OnNlY3JldA==":
        return JSONResponse({}, 401)
    body: dict[str, Any] = await request.json()
    return JSONResponse({"id": 4}) if body["schema"] == schema_text(ALERT) else JSONResponse({}, 404)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A registry with one schema."""
    routes = [
        Route("/api/subjects/alerts-value", _lookup, methods=["POST"]),
        Route("/api/subjects/broken", lambda _: PlainTextResponse("<html>"), methods=["POST"]),
    ]
    with serve(Starlette(routes=routes)) as root:
        yield f"{root}/api"


def settings(url: str, *, password: str = PASSWORD) -> RegistrySettings:
    return RegistrySettings(url=url, user="client", password=password)


def test_the_id_of_a_schema_is_that_of_exactly_this_one(url: str) -> None:
    assert registered_id(settings(url), "alerts-value", ALERT) == 4


def test_a_schema_that_is_not_registered_is_an_error(url: str) -> None:
    with pytest.raises(RegistryError, match="answered 404 for /subjects/alerts-value"):
        registered_id(settings(url), "alerts-value", "reading.v1.avsc")


def test_a_refused_password_is_not_in_the_error(url: str) -> None:
    with pytest.raises(RegistryError, match="answered 401") as caught:
        registered_id(settings(url, password="hunter2"), "alerts-value", ALERT)
    assert "hunter2" not in str(caught.value)


def test_an_answer_without_an_id_is_an_error(url: str) -> None:
    with pytest.raises(RegistryError, match="answered no id for /subjects/broken"):
        registered_id(settings(url), "broken", ALERT)


def test_a_registry_that_is_away_is_waited_for_and_said_once(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(registered, "_PAUSE_SECONDS", 0.0)
    answers = iter([settings("http://127.0.0.1:1/api")] * 3 + [settings(url)])
    asked = registered_id

    def one_after_the_other(_: RegistrySettings, subject: str, schema: str) -> int:
        return asked(next(answers), subject, schema)

    monkeypatch.setattr(registered, "registered_id", one_after_the_other)

    with caplog.at_level(logging.WARNING):
        assert wait_for_id(settings(url), "alerts-value", ALERT, Event()) == 4
    assert caplog.text.count("waiting: the Schema Registry at http://127.0.0.1:1/api cannot be reached") == 1


def test_who_is_told_to_stop_waits_for_no_registry() -> None:
    stop = Event()
    stop.set()

    assert wait_for_id(settings("http://127.0.0.1:1/api"), "alerts-value", ALERT, stop) is None
