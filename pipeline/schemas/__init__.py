"""The schemas of what is stored and sent: Avro records (*.avsc) and Cassandra's tables (cassandra.cql)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.errors import ConfigError

__all__ = ["avro_schema", "cassandra_statements", "schema_text"]

_HERE = Path(__file__).parent


def schema_text(name: str) -> str:
    """Give the text of a schema file of this folder, such as `reading.v1.avsc`."""
    path = _HERE / name
    if path.parent != _HERE or not path.is_file():
        raise ConfigError(f"there is no schema file {name!r} in {_HERE}")
    return path.read_text(encoding="utf-8")


def avro_schema(name: str) -> dict[str, Any]:
    """Give a schema file of this folder as parsed JSON."""
    schema: dict[str, Any] = json.loads(schema_text(name))
    return schema


def cassandra_statements() -> tuple[str, ...]:
    """Give the statements of cassandra.cql one by one, without comments; run them with the keyspace in use.

    They end with a semicolon and hold none elsewhere; `--` begins a comment up to the end of its line.
    """
    lines = schema_text("cassandra.cql").splitlines()
    code = "\n".join(line.partition("--")[0].rstrip() for line in lines)
    return tuple(statement.strip() for statement in code.split(";") if statement.strip())
