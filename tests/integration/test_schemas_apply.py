"""`galewatch schemas apply` on a real registry, and what the job of `make up` does by the same code."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.config import config_dir
from pipeline.errors import SchemaError
from pipeline.platform import SchemaRegistry, load_platform
from pipeline.registry import Registry as Client
from pipeline.schemas import schema_text
from pipeline.schemas.applied import Change, applied
from pipeline.schemas.gate import Gate
from pipeline.settings import RegistrySettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from typer.testing import Result

    from tests.integration.containers import Registry

    Declare = Callable[..., None]

pytestmark = pytest.mark.engine

READINGS = ["reading.v1.avsc", "reading.v2.avsc"]
ALERTS = ["alert.v1.avsc"]


@pytest.fixture
def admin(registry: Registry) -> Iterator[Client]:
    with Client(
        RegistrySettings(url=registry.url, user="admin", password=registry.password("admin"))
    ) as client:
        yield client


@pytest.fixture
def name() -> str:
    """The beginning of this test's own subjects."""
    return f"t{uuid.uuid4().hex[:8]}"


@pytest.fixture
def declare(registry: Registry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Declare:
    """Give the commands an environment with the fixture's registry, in which other subjects are declared."""
    monkeypatch.setattr("pipeline.infra.layout.Layout.secrets", registry.environment.secrets)
    offset = registry.port - load_platform().ports.schema_registry
    monkeypatch.setenv("GALEWATCH_PORT_OFFSET", str(offset))
    facts = yaml.safe_load((config_dir() / "platform.yaml").read_text(encoding="utf-8"))
    monkeypatch.setenv("GALEWATCH_CONFIG_DIR", str(tmp_path))

    def written(subjects: dict[str, list[str]], **more: Any) -> None:
        facts["schema_registry"] = {**facts["schema_registry"], "subjects": subjects, **more}
        (tmp_path / "platform.yaml").write_text(yaml.safe_dump(facts, sort_keys=False), encoding="utf-8")

    return written


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["schemas", "apply", *arguments])


def changes() -> list[dict[str, Any]]:
    result = run("--json")
    assert 0 == result.exit_code, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_every_version_is_registered_in_order_in_its_mode_and_again_nothing_changes(
    declare: Declare, admin: Client, name: str
) -> None:
    declare({f"{name}-r": READINGS, f"{name}-a": ALERTS}, modes={f"{name}-a": "FULL"})
    made = changes()
    first, second = (admin.schema_id(f"{name}-r", schema_text(file)) for file in READINGS)
    alert = admin.schema_id(f"{name}-a", schema_text(ALERTS[0]))
    nothing = {"mode": None, "file": None, "id": None}
    assert made == [
        {**nothing, "subject": f"{name}-r", "change": "mode", "mode": "BACKWARD_TRANSITIVE"},
        {**nothing, "subject": f"{name}-r", "change": "registered", "file": READINGS[0], "id": first},
        {**nothing, "subject": f"{name}-r", "change": "registered", "file": READINGS[1], "id": second},
        {**nothing, "subject": f"{name}-a", "change": "mode", "mode": "FULL"},
        {**nothing, "subject": f"{name}-a", "change": "registered", "file": ALERTS[0], "id": alert},
    ]
    assert [1, 2] == admin.client.get_versions(f"{name}-r")
    assert (
        schema_text(READINGS[1])
        == admin.client.lookup_schema(
            f"{name}-r", admin.client.get_version(f"{name}-r", 2).schema
        ).schema.schema_str
    )
    assert "FULL" == admin.compatibility(f"{name}-a")
    assert changes() == []
    assert run().stdout == "Nothing to change.\n"


def test_a_mode_that_is_declared_anew_is_all_that_changes(declare: Declare, admin: Client, name: str) -> None:
    declare({f"{name}-r": READINGS, f"{name}-a": ALERTS})
    changes()
    declare({f"{name}-r": READINGS, f"{name}-a": ALERTS}, modes={f"{name}-a": "FORWARD"})
    assert run().stdout == f"subject {name}-a: compatibility set to FORWARD\n"
    assert "FORWARD" == admin.compatibility(f"{name}-a")


def test_what_the_registry_refuses_is_told_with_its_file_and_reason_and_what_came_before_stays(
    declare: Declare, admin: Client, name: str
) -> None:
    declare({f"{name}-a": ALERTS, f"{name}-r": READINGS})
    admin.register(f"{name}-r", json.dumps({"type": "record", "name": "Other", "fields": []}))
    result = run()
    assert 1 == result.exit_code
    assert f"subject {name}-a: alert.v1.avsc registered with id " in result.stdout
    (sentence,) = result.stderr.splitlines()
    assert sentence.startswith("galewatch: reading.v1.avsc: the Schema Registry at http://127.0.0.1:")
    assert f"refused the schema for subject '{name}-r'" in sentence
    assert "Exception" not in sentence
    assert "is it running?" not in sentence


def test_the_gates_words_are_told_and_the_registry_is_not_asked(
    declare: Declare, admin: Client, name: str
) -> None:
    declare({f"{name}-r": READINGS})
    result = run()
    assert (1, "") == (result.exit_code, result.stdout)
    assert result.stderr.startswith("galewatch: 2 problems, the first: alert.v1.avsc /: undeclared: ")
    assert f"{name}-r" not in admin.subjects()


def test_a_wrong_password_is_one_sentence(declare: Declare, registry: Registry, name: str) -> None:
    declare({f"{name}-r": READINGS, f"{name}-a": ALERTS})
    right = registry.password("admin")
    registry.environment.set_password("registry_admin", "not-to-be-shown")
    try:
        result = run()
    finally:
        registry.environment.set_password("registry_admin", right)
    assert (1, "") == (result.exit_code, result.stdout)
    assert "refused user 'admin'" in result.stderr
    assert "not-to-be-shown" not in result.stderr


def gate(folder: Path, subject: str, *versions: dict[str, Any]) -> Gate:
    """The gate of a subject with those versions, in a folder of its own."""
    names = [f"r.v{number}.avsc" for number in range(1, len(versions) + 1)]
    for file, version in zip(names, versions, strict=True):
        (folder / file).write_text(json.dumps(version), encoding="utf-8")
    facts = {"path": "/", "users": ["admin"], "subjects": {subject: names}}
    return Gate(SchemaRegistry.model_validate(facts), folder)


def test_a_version_that_was_never_published_is_not_registered(
    admin: Client, name: str, tmp_path: Path
) -> None:
    new = gate(tmp_path, name, {"type": "record", "name": "R", "fields": []})
    with pytest.raises(SchemaError, match=r"not published yet: r\.v1\.avsc"):
        list(applied(new, admin))
    assert name not in admin.subjects()


def test_a_version_that_the_registry_does_not_keep_apart_is_told(
    admin: Client, name: str, tmp_path: Path
) -> None:
    record = {"type": "record", "name": "R", "fields": []}
    two = gate(tmp_path, name, record, {**record, "doc": "in other words"})
    two.publish()
    made = list(applied(two, admin))
    schema_id = admin.schema_id(name, json.dumps(record))
    assert Change(name, "same", file="r.v2.avsc", id=schema_id) == made[-1]
    assert made[-1].sentence.startswith(f"subject {name}: r.v2.avsc is no version of its own")
    assert [1] == admin.client.get_versions(name)
