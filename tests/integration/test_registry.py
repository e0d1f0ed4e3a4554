"""The registry's own verdicts on schemas."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import IncompatibleSchemaError, RegistryError
from pipeline.registry import Registry as Client
from pipeline.settings import RegistrySettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.containers import Registry

pytestmark = pytest.mark.engine


def schema(*fields: str, default: bool = False) -> str:
    more = {"default": ""} if default else {}
    return json.dumps(
        {
            "type": "record",
            "name": "R",
            "fields": [{"name": name, "type": "string", **more} for name in fields],
        }
    )


def settings(registry: Registry, user: str, password: str | None = None) -> RegistrySettings:
    return RegistrySettings(url=registry.url, user=user, password=password or registry.password(user))


@pytest.fixture
def admin(registry: Registry) -> Iterator[Client]:
    with Client(settings(registry, "admin")) as client:
        yield client


@pytest.fixture
def subject() -> str:
    return f"t{uuid.uuid4().hex[:8]}-value"


def test_the_same_schema_again_has_the_same_id(admin: Client, subject: str) -> None:
    assert admin.schema_id(subject, schema("a")) is None
    first = admin.register(subject, schema("a"))
    assert first == admin.register(subject, schema("a"))
    assert first == admin.schema_id(subject, schema("a"))
    assert subject in admin.subjects()


def test_a_schema_that_old_data_does_not_fit_is_refused_by_name(admin: Client, subject: str) -> None:
    admin.register(subject, schema("a"))
    admin.set_compatibility(subject, "BACKWARD")
    for refused in (admin.register, admin.check):
        with pytest.raises(IncompatibleSchemaError, match=f"refused the schema for subject '{subject}'"):
            refused(subject, schema("a", "b"))
    assert admin.schema_id(subject, schema("a", "b")) is None


def test_a_field_with_a_default_may_be_added(admin: Client, subject: str) -> None:
    admin.register(subject, schema("a", default=True))
    admin.set_compatibility(subject, "BACKWARD")
    admin.check(subject, schema("a", "b", default=True))
    assert admin.register(subject, schema("a", "b", default=True)) > 0


def test_a_new_subject_takes_any_schema(admin: Client, subject: str) -> None:
    admin.check(subject, schema("a"))


def test_the_level_is_the_registrys_until_the_subject_has_its_own(admin: Client, subject: str) -> None:
    assert admin.compatibility(subject) == "BACKWARD"
    admin.register(subject, schema("a"))
    admin.set_compatibility(subject, "FULL")
    assert admin.compatibility(subject) == "FULL"


def test_the_client_may_read_but_not_register(registry: Registry, admin: Client, subject: str) -> None:
    admin.register(subject, schema("a"))
    with Client(settings(registry, "client")) as client:
        assert client.schema_id(subject, schema("a")) is not None
        with pytest.raises(RegistryError, match="refused user 'client'"):
            client.register(subject, schema("b"))


def test_a_wrong_password_is_said_so(registry: Registry) -> None:
    with (
        Client(settings(registry, "client", "not-to-be-shown")) as client,
        pytest.raises(RegistryError, match="refused user 'client'") as raised,
    ):
        client.subjects()
    assert "not-to-be-shown" not in str(raised.value)
