"""Subjects that are not Avro: JSON Schema and Protobuf are held to the same mode."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.registry_api import RegistryApi

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.containers import Registry

pytestmark = pytest.mark.engine


def document(*required: str, **properties: Any) -> str:
    """A JSON Schema of an object with these properties and no others."""
    kinds = {name: {"type": kind} for name, kind in properties.items()}
    made = {"type": "object", "properties": kinds, "required": required, "additionalProperties": False}
    return json.dumps({"$schema": "http://json-schema.org/draft-07/schema#", **made})


def message(*fields: str) -> str:
    """A Protobuf file with one message."""
    return f'syntax = "proto3";\npackage t;\nmessage R {{ {" ".join(fields)} }}\n'


FIRST = {"JSON": document("a", a="string"), "PROTOBUF": message("string a = 1;")}


@pytest.fixture
def api(registry: Registry) -> Iterator[RegistryApi]:
    with RegistryApi(registry) as made:
        yield made


@pytest.fixture
def subject() -> str:
    return f"t{uuid.uuid4().hex[:8]}-value"


@pytest.mark.parametrize(
    ("kind", "second"),
    [
        pytest.param("JSON", document("a", a="string", b="string"), id="an optional property more"),
        pytest.param("PROTOBUF", message("string a = 1;", "string b = 2;"), id="a field more"),
    ],
)
def test_a_compatible_change_is_accepted(api: RegistryApi, subject: str, kind: str, second: str) -> None:
    first = api.register(subject, FIRST[kind], kind)
    assert 200 == first.status, first
    checked = api.check(subject, second, kind=kind)
    assert (200, True) == (checked.status, checked.body["is_compatible"])
    registered = api.register(subject, second, kind)
    assert 200 == registered.status, registered
    assert first.body["id"] != registered.body["id"]
    assert [1, 2] == api.versions(subject).body
    assert kind == api.version(subject, 2).body["schemaType"]


@pytest.mark.parametrize(
    ("kind", "second"),
    [
        pytest.param("JSON", document("a", a="integer"), id="another type of a property"),
        pytest.param("JSON", document("a", "b", a="string", b="string"), id="a property more is required"),
        pytest.param("PROTOBUF", message("int32 a = 1;"), id="another type of a field"),
        pytest.param("PROTOBUF", message("string a = 2;"), id="another number of a field"),
    ],
)
def test_an_incompatible_change_is_refused_and_changes_nothing(
    api: RegistryApi, subject: str, kind: str, second: str
) -> None:
    assert 200 == api.register(subject, FIRST[kind], kind).status
    checked = api.check(subject, second, kind=kind)
    assert (200, False) == (checked.status, checked.body["is_compatible"])
    refused = api.register(subject, second, kind)
    assert 409 == refused.status, refused
    assert [1] == api.versions(subject, deleted=True).body


@pytest.mark.parametrize(
    ("kind", "other"), [("JSON", "AVRO"), ("PROTOBUF", "AVRO"), ("AVRO", "PROTOBUF"), ("AVRO", "JSON")]
)
def test_a_schema_of_another_kind_than_it_is_said_to_be_is_refused(
    api: RegistryApi, subject: str, kind: str, other: str
) -> None:
    text = FIRST.get(kind, json.dumps({"type": "record", "name": "R", "fields": []}))
    assert 422 == api.register(subject, text, other).status
    assert 404 == api.versions(subject, deleted=True).status
