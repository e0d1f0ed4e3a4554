"""The tables, against what the official provider says of itself."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from galewatch_docker.schema import Field, Nested, Table
from galewatch_docker.tables import PROVIDER, RESOURCES
from provider_testing.workspace import Workspace

pytest_plugins = ["provider_testing.fixtures"]

PROJECT = Path(__file__).resolve().parents[3]
SHARED = Path(os.environ.get("GALEWATCH_SHARED", PROJECT.parent / "shared"))
VECTORS = SHARED / "vectors" / "docker_provider_schema.json"
FLAGS = ("required", "optional", "computed", "sensitive")


@pytest.fixture(scope="module")
def official() -> dict[str, Any]:
    """The official schema of each resource and of the provider block."""
    if not VECTORS.is_file():
        pytest.skip("the official provider's schema is not on this machine (GALEWATCH_SHARED)")
    content: dict[str, Any] = json.loads(VECTORS.read_text())
    return content


def of_fields(fields: tuple[Field, ...]) -> dict[str, Any]:
    return {
        field.name: {"type": field.cty} | {flag: True for flag in FLAGS if getattr(field, flag)}
        for field in fields
    }


def of_blocks(blocks: tuple[Nested, ...]) -> dict[str, Any]:
    return {
        block.name: {
            "attributes": of_fields(block.fields),
            "blocks": of_blocks(block.blocks),
            "nesting": block.nesting,
        }
        | ({"max_items": block.max_items} if block.max_items else {})
        for block in blocks
    }


def of_table(table: Table) -> dict[str, Any]:
    return {"attributes": of_fields(table.fields), "blocks": of_blocks(table.blocks)}


@pytest.mark.parametrize("name", sorted(RESOURCES))
def test_a_resource_has_the_official_schema(official: dict[str, Any], name: str) -> None:
    table = RESOURCES[name]
    assert official[name] == of_table(table) | {"version": table.version}


def test_the_provider_block_has_the_official_schema(official: dict[str, Any]) -> None:
    expected = {key: official["provider"][key] for key in ("attributes", "blocks")}
    assert expected == of_table(PROVIDER)


def test_terraform_is_offered_what_the_tables_say(workspace: Workspace) -> None:
    workspace.write('provider "docker" {}\n')
    offered = json.loads(workspace.run("providers", "schema", "-json").printed)
    (provider,) = offered["provider_schemas"].values()
    for name, table in RESOURCES.items():
        found = provider["resource_schemas"][name]
        assert table.version == found["version"]
        assert of_table(table) == simplified(found["block"]), name
    assert of_table(PROVIDER) == simplified(provider["provider"]["block"])


def simplified(block: dict[str, Any]) -> dict[str, Any]:
    """Give Terraform's own description of a block in the form of the vectors."""
    return {
        "attributes": {
            name: {"type": found["type"]} | {flag: True for flag in FLAGS if found.get(flag)}
            for name, found in block.get("attributes", {}).items()
        },
        "blocks": {
            name: {**simplified(found["block"]), "nesting": found["nesting_mode"]}
            | ({"max_items": found["max_items"]} if "max_items" in found else {})
            for name, found in block.get("block_types", {}).items()
        },
    }
