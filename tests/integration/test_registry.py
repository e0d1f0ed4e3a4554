"""The registry's own verdicts on schemas."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from confluent_kafka.schema_registry import Schema, SchemaReference
from confluent_kafka.schema_registry.error import SchemaRegistryError

from pipeline.errors import IncompatibleSchemaError, ReadingError, RegistryError, SchemaError
from pipeline.platform import load_platform
from pipeline.registry import Registry as Client
from pipeline.settings import RegistrySettings
from pipeline.topics.decoder import Decoder
from tests.integration.containers import Registry as RegistryContainer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.containers import Postgres
    from tests.integration.environment import Environment

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


def settings(registry: RegistryContainer, user: str, password: str | None = None) -> RegistrySettings:
    return RegistrySettings(url=registry.url, user=user, password=password or registry.password(user))


@pytest.fixture
def admin(registry: RegistryContainer) -> Iterator[Client]:
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


def test_a_schema_that_old_data_does_not_fit_is_refused_by_name_and_with_the_reason(
    admin: Client, subject: str
) -> None:
    admin.register(subject, schema("a"))
    with pytest.raises(
        IncompatibleSchemaError, match=rf"refused the schema for subject '{subject}': .* at /fields/1\)?"
    ):
        admin.register(subject, schema("a", "b"))
    assert admin.schema_id(subject, schema("a", "b")) is None


def test_a_field_with_a_default_may_be_added(admin: Client, subject: str) -> None:
    admin.register(subject, schema("a", default=True))
    assert admin.register(subject, schema("a", "b", default=True)) > 0


def test_the_mode_is_the_platforms_until_the_subject_has_its_own(admin: Client, subject: str) -> None:
    declared = load_platform().schema_registry.compatibility
    assert admin.client.get_compatibility() == declared
    assert admin.compatibility(subject) is None
    admin.register(subject, schema("a"))
    assert admin.compatibility(subject) == declared
    admin.set_compatibility(subject, "FULL")
    assert admin.compatibility(subject) == "FULL"


def test_a_mode_may_be_set_before_the_first_version_and_holds_from_the_second_on(
    admin: Client, subject: str
) -> None:
    admin.set_compatibility(subject, "NONE")
    assert admin.compatibility(subject) == "NONE"
    admin.register(subject, schema("a"))
    assert admin.register(subject, schema("b")) > 0


def test_an_id_that_was_never_given_is_of_no_schema(admin: Client) -> None:
    assert admin.schema_text(2**31 - 1) is None


def test_a_schema_that_refers_to_another_is_said_so(
    registry: RegistryContainer, admin: Client, subject: str
) -> None:
    inner = json.dumps({"type": "record", "name": "Inner", "namespace": subject[:9], "fields": []})
    name = f"{subject[:9]}.Inner"
    admin.register(f"inner-{subject}", inner)
    outer = Schema(
        json.dumps({"type": "record", "name": "Outer", "fields": [{"name": "inner", "type": name}]}),
        references=[SchemaReference(name=name, subject=f"inner-{subject}", version=1)],
    )
    schema_id = admin.client.register_schema(subject, outer)
    words = f"schema {schema_id} refers to {name} of subject 'inner-{subject}'"
    with Client(settings(registry, "client")) as client, pytest.raises(SchemaError, match=words):
        client.schema_text(schema_id)
    with (
        Decoder(settings(registry, "client")) as decoder,
        pytest.raises(ReadingError, match=words),
    ):
        decoder.decode(b"\x00" + schema_id.to_bytes(4, "big"))


def test_a_schema_that_refers_to_nothing_is_refused(admin: Client, subject: str) -> None:
    lacking = Schema(
        json.dumps({"type": "record", "name": "Outer", "fields": [{"name": "inner", "type": "n.No"}]}),
        references=[SchemaReference(name="n.No", subject=f"no-{subject}", version=1)],
    )
    with pytest.raises(SchemaRegistryError, match="Unresolved reference"):
        admin.client.register_schema(subject, lacking)
    assert subject not in admin.subjects()


def test_clients_that_register_the_same_schema_at_once_get_one_id_and_one_version(
    registry: RegistryContainer, admin: Client, subject: str
) -> None:
    clients = [Client(settings(registry, "admin")) for _ in range(4)]
    try:
        with ThreadPoolExecutor(len(clients)) as pool:
            ids = list(pool.map(lambda client: client.register(subject, schema(f"f{subject[:9]}")), clients))
    finally:
        for client in clients:
            client.close()
    assert len(set(ids)) == 1
    assert admin.client.get_versions(subject) == [1]


def test_the_client_may_read_but_change_nothing(
    registry: RegistryContainer, admin: Client, subject: str
) -> None:
    schema_id = admin.register(subject, schema("a"))
    with Client(settings(registry, "client")) as client:
        assert client.schema_id(subject, schema("a")) == schema_id
        assert client.compatibility(subject) is not None
        with pytest.raises(RegistryError, match="refused user 'client'"):
            client.register(subject, schema("b"))
        with pytest.raises(RegistryError, match="refused user 'client'"):
            client.set_compatibility(subject, "NONE")
        for refused in (
            lambda: client.client.set_compatibility(level="NONE"),
            lambda: client.client.delete_config(subject),
            lambda: client.client.delete_version(subject, 1),
            lambda: client.client.delete_subject(subject),
            lambda: client.client.delete_subject(subject, permanent=True),
            lambda: client.client.update_mode(subject, "READONLY"),
        ):
            with pytest.raises(SchemaRegistryError) as raised:
                refused()
            assert raised.value.http_status_code == 403
    assert admin.client.get_versions(subject) == [1]
    assert admin.compatibility(subject) == load_platform().schema_registry.compatibility


def test_a_wrong_password_is_said_so(registry: RegistryContainer) -> None:
    with (
        Client(settings(registry, "client", "not-to-be-shown")) as client,
        pytest.raises(RegistryError, match="refused user 'client'") as raised,
    ):
        client.subjects()
    assert "not-to-be-shown" not in str(raised.value)


@pytest.mark.parametrize("mode", ["", "SIDEWAYS"])
def test_a_registry_without_a_mode_that_is_one_does_not_start(
    environment: Environment, postgres: Postgres, mode: str
) -> None:
    lacking = RegistryContainer(environment, postgres).with_env("GALEWATCH_COMPATIBILITY", mode)
    with pytest.raises(TimeoutError, match=f'GALEWATCH_COMPATIBILITY is "{mode}"'):
        lacking.start()
    lacking.stop()
