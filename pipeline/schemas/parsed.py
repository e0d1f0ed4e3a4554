"""A schema's JSON as Avro's own objects, with every name written out."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeGuard

from avro.constants import PRIMITIVE_TYPES
from avro.errors import AvroException
from avro.schema import NamedSchema, Schema, make_avsc_object

from pipeline.errors import SchemaError

__all__ = ["NAMED", "basename", "parsed", "shown", "told"]

NAMED: Final = frozenset({"record", "enum", "fixed"})
"""The kinds of types that have names."""

_DEFINED: Final = NAMED | {"error"}
_BUILT_IN: Final = frozenset({*PRIMITIVE_TYPES, *_DEFINED, "array", "map", "union", "error_union", "request"})
# What stands for no namespace: with a dot in every name, no namespace around it counts.
_NO_SPACE: Final = "_"


def parsed(schema: Any) -> Schema:
    """Parse a schema: JSON values, or the text of them; raises SchemaError for what is none.

    Names, references and aliases are full names, as the specification has it: avro's own checker compares
    aliases as they were written, and knows no reference to a name without a namespace from within one.
    """
    if isinstance(schema, str) and schema.lstrip()[:1] in {"{", "[", '"'}:
        try:
            schema = json.loads(schema)
        except ValueError as error:
            raise SchemaError(f"not JSON: {error}") from None
    try:
        full = _Names(schema).of(schema, "")
        with warnings.catch_warnings():
            # A logical type that is unknown, or wrong where it stands, is ignored: the specification says so.
            warnings.simplefilter("ignore")
            return make_avsc_object(full)
    except (AvroException, RecursionError, TypeError, ValueError, AttributeError, KeyError) as error:
        raise SchemaError(f"not an Avro schema: {' '.join(str(error).split())}") from None


def shown(fullname: str) -> str:
    """Give a parsed schema's full name as people write it."""
    return fullname.removeprefix(f"{_NO_SPACE}.")


def basename(fullname: str) -> str:
    """Give a name without its namespace."""
    return fullname.rpartition(".")[2]


def told(schema: Schema) -> str:
    """Name a parsed type for people."""
    return f"{schema.type} {shown(schema.fullname)}" if isinstance(schema, NamedSchema) else str(schema.type)


class _Names:
    """The walk that writes out names. Each is defined where it comes first, also if a reference comes before
    its definition, or if it is defined twice in the same words: Java takes both, and avro does not.
    """  # noqa: D205 - one thought

    def __init__(self, schema: Any) -> None:
        self._definitions: dict[str, tuple[Mapping[str, Any], str]] = {}
        self._written: set[str] = set()
        self._collect(schema, "")

    def of(self, schema: Any, space: str) -> Any:
        """Give the schema with full names; `space` is the namespace around it, empty for none."""
        if isinstance(schema, str):
            return schema if schema in _BUILT_IN else self._reference(schema, space)
        if isinstance(schema, Mapping):
            return self._object(schema, space)
        if isinstance(schema, Sequence):
            return [self.of(branch, space) for branch in schema]
        return schema

    def _object(self, schema: Mapping[str, Any], space: str) -> Any:
        kind = schema.get("type")
        if not isinstance(kind, str):
            return schema
        if kind in _DEFINED:
            return self._definition(schema, space)
        if kind not in _BUILT_IN:
            return self._reference(kind, space)
        within = {key: self.of(schema[key], space) for key in ("items", "values") if key in schema}
        return {**schema, **within}

    def _definition(self, schema: Mapping[str, Any], space: str) -> Any:
        full = _name(schema, space)
        if full in self._written and _words(self._definitions[full][0]) == _words(schema):
            return full
        self._written.add(full)
        own = _space(full)
        # An error is a record that a protocol may throw; for the data they are the same.
        made = {**schema, "name": full, "type": "record" if schema["type"] == "error" else schema["type"]}
        made.pop("namespace", None)
        aliases, fields = schema.get("aliases"), schema.get("fields")
        if _are_words(aliases):
            made["aliases"] = [_full(alias, own) for alias in aliases]
        if _are_fields(fields):
            made["fields"] = [{**field, "type": self.of(field["type"], own)} for field in fields]
        return made

    def _reference(self, name: str, space: str) -> Any:
        """A name without a namespace is sought in the one around it first, then in none."""
        near, bare = _full(name, space), _full(name, "")
        full = near if near in self._definitions or bare not in self._definitions else bare
        if full in self._definitions and full not in self._written:
            return self._definition(*self._definitions[full])
        return full

    def _collect(self, schema: Any, space: str) -> None:
        """Note each definition, the first of each name."""
        if isinstance(schema, Mapping):
            inner = space
            if schema.get("type") in _DEFINED:
                full = _name(schema, space)
                self._definitions.setdefault(full, (schema, space))
                inner = _space(full)
            for key in ("items", "values"):
                self._collect(schema.get(key), inner)
            fields = schema.get("fields")
            if _are_fields(fields):
                for field in fields:
                    self._collect(field["type"], inner)
        elif isinstance(schema, Sequence) and not isinstance(schema, str):
            for branch in schema:
                self._collect(branch, space)


def _name(schema: Mapping[str, Any], space: str) -> str:
    """Give the full name of a definition."""
    name = schema.get("name")
    if not isinstance(name, str) or not name:
        raise AvroException(f"a {schema['type']} has the name {name!r}")
    given = schema.get("namespace", space)
    return _full(name, given if isinstance(given, str) else "")


def _words(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a definition says, apart from its name."""
    return {key: value for key, value in schema.items() if key not in {"name", "namespace"}}


def _space(full: str) -> str:
    """Give the namespace of a full name, empty for none."""
    space = full.rpartition(".")[0]
    return "" if space == _NO_SPACE else space


def _are_fields(value: Any) -> TypeGuard[list[Mapping[str, Any]]]:
    return isinstance(value, list) and all(isinstance(one, Mapping) and "type" in one for one in value)


def _full(name: str, space: str) -> str:
    return name if "." in name else f"{space or _NO_SPACE}.{name}"


def _are_words(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(one, str) and one for one in value)
