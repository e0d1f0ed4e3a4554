"""The registry's answers, from a real server that speaks its API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from pipeline.errors import RegistryError, StreamingError
from pipeline.schemas import schema_text
from pipeline.settings import RegistrySettings
from pipeline.streaming.writer_schemas import RejectedIds, registered_id, writer_schemas
from tests.local_server import serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.requests import Request

PASSWORD = "secret"
READER = "reading.v1.avsc"
VERSIONS = {1: (4, '"first"'), 2: (9, '"second"')}


async def _versions(_: Request) -> Response:
    return JSONResponse(sorted(VERSIONS))


async def _version(request: Request) -> Response:
    number = int(request.path_params["number"])
    schema_id, schema = VERSIONS[number]
    return JSONResponse({"subject": "readings-value", "version": number, "id": schema_id, "schema": schema})


async def _lookup(request: Request) -> Response:
    if request.headers.get("authorization") != "Basic Y2xpZW50OnNlY3JldA==":
        return JSONResponse({}, 401)
    body: dict[str, Any] = await request.json()
    return JSONResponse({"id": 4}) if body["schema"] == schema_text(READER) else JSONResponse({}, 404)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A registry with two versions of one subject."""
    routes = [
        Route("/api/subjects/readings-value/versions", _versions),
        Route("/api/subjects/readings-value/versions/{number}", _version),
        Route("/api/subjects/readings-value", _lookup, methods=["POST"]),
        Route("/api/subjects/broken/versions", lambda _: PlainTextResponse("<html>")),
    ]
    with serve(Starlette(routes=routes)) as root:
        yield f"{root}/api"


def settings(url: str, *, password: str = PASSWORD) -> RegistrySettings:
    return RegistrySettings(url=url, user="client", password=password)


def test_every_version_is_known_by_its_id(url: str) -> None:
    schemas = writer_schemas(settings(url), "readings-value", READER)

    assert {4: '"first"', 9: '"second"'} == schemas.by_id
    assert schema_text(READER) == schemas.reader


def test_an_id_that_was_rejected_and_is_a_version_now_is_rejected_no_more(url: str) -> None:
    assert frozenset({5}) == writer_schemas(settings(url), "readings-value", READER, {5, 9}).rejected


def test_the_id_of_a_schema_is_that_of_exactly_this_one(url: str) -> None:
    assert registered_id(settings(url), "readings-value", READER) == 4


def test_a_schema_that_is_not_registered_is_an_error(url: str) -> None:
    with pytest.raises(RegistryError, match="answered 404 for /subjects/readings-value"):
        registered_id(settings(url), "readings-value", "alert.v1.avsc")


def test_a_refused_password_is_not_in_the_error(url: str) -> None:
    with pytest.raises(RegistryError, match="answered 401") as caught:
        registered_id(settings(url, password="hunter2"), "readings-value", READER)
    assert "hunter2" not in str(caught.value)


def test_an_answer_that_is_no_json_is_an_error(url: str) -> None:
    with pytest.raises(RegistryError, match="answered no JSON for /subjects/broken/versions"):
        writer_schemas(settings(url), "broken", READER)


def test_an_unreachable_registry_is_an_error() -> None:
    with pytest.raises(RegistryError, match=r"http://127\.0\.0\.1:1/api cannot be reached for /subjects"):
        writer_schemas(settings("http://127.0.0.1:1/api"), "readings-value", READER)


def test_rejected_ids_outlive_the_driver(tmp_path: Path) -> None:
    path = tmp_path / "made" / "rejected.json"
    assert frozenset() == RejectedIds(path).read()

    RejectedIds(path).add(7)
    RejectedIds(path).add(3)
    RejectedIds(path).add(7)

    assert frozenset({3, 7}) == RejectedIds(path).read()
    assert json.loads(path.read_text(encoding="utf-8")) == [3, 7]


def test_a_broken_list_of_rejected_ids_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "rejected.json"
    path.write_text("{", encoding="utf-8")

    with pytest.raises(StreamingError, match=r"rejected\.json cannot be read"):
        RejectedIds(path).read()
