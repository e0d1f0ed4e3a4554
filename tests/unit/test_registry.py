"""What the registry's answers become, asked of a real server that gives them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from pipeline.errors import IncompatibleSchemaError, RegistryError
from pipeline.registry import Registry
from pipeline.settings import RegistrySettings
from tests.local_server import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

SCHEMA = '{"type": "record", "name": "A", "fields": []}'
PASSWORD = "not-to-be-shown"


@contextmanager
def _answering(status: int, message: str) -> Iterator[Registry]:
    def answer(_: Request) -> JSONResponse:
        return JSONResponse({"error_code": status, "message": message}, status)

    app = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST", "PUT"])])
    with (
        serve(app) as url,
        Registry(RegistrySettings(url=url, user="client", password=PASSWORD)) as registry,
    ):
        yield registry


def test_a_refused_schema_names_the_subject_and_the_reason() -> None:
    with (
        _answering(409, "a.b.RuleViolationException: field b was removed") as registry,
        pytest.raises(IncompatibleSchemaError, match=r"subject 'a-value'.*\(field b was removed\)$"),
    ):
        registry.register("a-value", SCHEMA)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_user_is_named_and_the_password_is_not(status: int) -> None:
    with _answering(status, "") as registry, pytest.raises(RegistryError) as raised:
        registry.subjects()
    assert "refused user 'client'" in str(raised.value)
    assert PASSWORD not in str(raised.value)


def test_an_unknown_subject_has_no_id_and_no_mode() -> None:
    with _answering(404, "no such subject") as registry:
        assert registry.schema_id("a-value", SCHEMA) is None
        assert registry.compatibility("a-value") is None


def test_a_failing_registry_tells_its_answer() -> None:
    with (
        _answering(500, "storage is down") as registry,
        pytest.raises(RegistryError, match=r"answered 500 for subject 'a-value': storage is down"),
    ):
        registry.set_compatibility("a-value", "BACKWARD")


def test_nobody_at_the_address_is_said_so() -> None:
    settings = RegistrySettings(url="http://127.0.0.1:9", user="client", password=PASSWORD)
    with (
        Registry(settings) as registry,
        pytest.raises(RegistryError, match=r"http://127\.0\.0\.1:9 cannot be reached for the list"),
    ):
        registry.subjects()
