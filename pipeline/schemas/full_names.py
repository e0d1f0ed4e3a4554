"""A schema's JSON with every name, reference and alias written out, as the specification has it.

What Java's parser refuses, and avro's does not look at, is refused here: names, aliases, sizes, and unions
that hold a type twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeGuard

from avro.constants import PRIMITIVE_TYPES

from pipeline.errors import SchemaError

__all__ = ["LOGICAL_TYPE", "NAMED", "NO_SPACE", "with_full_names"]

NAMED: Final = frozenset({"record", "enum", "fixed"})
"""The kinds of types that have names."""

NO_SPACE: Final = "_"
"""What stands for no namespace: with a dot in every name, no namespace around it counts."""

LOGICAL_TYPE: Final = "galewatch.logicalType"
"""The property that a logical type is moved to, out of the sight of avro's parser: one that is unknown, or
wrong where it stands, is ignored, says the specification, and avro's own classes warn of it or fail on it."""

_DEFINED: Final = NAMED | {"error"}
# What a protocol is made of, and no data.
_OF_PROTOCOLS: Final = frozenset({"error_union", "request"})
_BUILT_IN: Final = frozenset({*PRIMITIVE_TYPES, *_DEFINED, *_OF_PROTOCOLS, "array", "map", "union"})
_SIZES: Final = range(2**31)


def with_full_names(schema: Any) -> Any:
    """Write out the names; raises SchemaError for what is no schema, and leaves the rest to avro's parser.

    Each type is defined where it comes first, also if a reference comes before its definition, or if it is
    defined twice in the same words: Java takes both, and avro does not.
    """
    return _Names(schema).of(schema, "")


class _Names:
    """The walk that writes them out."""

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
            return _union([self.of(branch, space) for branch in schema])
        return schema

    def _object(self, schema: Mapping[str, Any], space: str) -> Any:
        kind = schema.get("type")
        if not isinstance(kind, str):
            raise SchemaError(f"the type in {_short(schema)} is no name of one")
        if kind in _OF_PROTOCOLS:
            raise SchemaError(f"{kind} is a type of protocols, and of no data")
        if kind in _DEFINED:
            return self._definition(schema, space)
        if kind not in _BUILT_IN:
            return self._reference(kind, space)
        within = {key: self.of(schema[key], space) for key in ("items", "values") if key in schema}
        return {**_known(schema), **within}

    def _definition(self, schema: Mapping[str, Any], space: str) -> Any:
        full = _name(schema, space)
        if full in self._written and _words(self._definitions[full][0]) == _words(schema):
            return full
        self._written.add(full)
        own = _space(full)
        # An error is a record that a protocol may throw; for the data they are the same.
        kind = "record" if schema["type"] == "error" else schema["type"]
        made = {**_known(schema), "name": full, "type": kind}
        made.pop("namespace", None)
        if "aliases" in schema:
            made["aliases"] = [_full(alias, own) for alias in _aliases(schema)]
            for alias in made["aliases"]:
                _check_full(alias, f"an alias of {full}")
        if schema["type"] == "fixed" and not _is_size(schema.get("size")):
            raise SchemaError(f"the size of fixed {full} is {schema.get('size')!r}")
        if schema["type"] == "enum":
            _check_enum(made)
        fields = schema.get("fields")
        if _are_fields(fields):
            made["fields"] = [self._field(field, own) for field in fields]
        return made

    def _field(self, field: Mapping[str, Any], space: str) -> dict[str, Any]:
        _check_name(field.get("name"), "a field")
        if "aliases" in field:
            _aliases(field)
        return {**field, "type": self.of(field["type"], space)}

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
            if isinstance(kind := schema.get("type"), str) and kind in _DEFINED:
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
        raise SchemaError(f"a {schema['type']} has the name {name!r}")
    given = schema.get("namespace", space)
    full = _full(name, given if isinstance(given, str) else "")
    _check_full(full, f"the {schema['type']} {name!r}")
    if full.removeprefix(f"{NO_SPACE}.") in PRIMITIVE_TYPES:
        raise SchemaError(f"a {schema['type']} is named {name!r}, as a primitive type")
    return full


def _check_full(full: str, what: str) -> None:
    for part in full.split("."):
        _check_name(part, what)


def _check_name(name: Any, what: str) -> None:
    """Letters of any language, as Java has it."""
    if not isinstance(name, str) or not name.replace("_", "a").isalnum() or name[0].isdigit():
        raise SchemaError(
            f"{what} has the name {name!r}: it is letters, digits and _, and begins with no digit"
        )


def _check_enum(enum: dict[str, Any]) -> None:
    if not isinstance(enum.get("symbols"), list):
        raise SchemaError(f"the symbols of enum {enum['name']} are no list")
    # Java does not see what is no text.
    if not isinstance(enum.get("default"), str):
        enum.pop("default", None)


def _union(branches: list[Any]) -> list[Any]:
    names = [_branch(branch) for branch in branches]
    for name in names:
        if names.count(name) > 1 and isinstance(name, str):
            raise SchemaError(f"a union holds {name.removeprefix(f'{NO_SPACE}.')} twice")
    return branches


def _branch(branch: Any) -> Any:
    """Give what no two branches of a union may have in common."""
    if not isinstance(branch, Mapping):
        return branch
    return branch["name"] if branch["type"] in NAMED else branch["type"]


def _words(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a definition says, apart from its name."""
    return {key: value for key, value in schema.items() if key not in {"name", "namespace"}}


def _known(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {LOGICAL_TYPE if key == "logicalType" else key: value for key, value in schema.items()}


def _space(full: str) -> str:
    """Give the namespace of a full name, empty for none."""
    space = full.rpartition(".")[0]
    return "" if space == NO_SPACE else space


def _full(name: str, space: str) -> str:
    own, dot, base = name.rpartition(".")
    return f"{(own if dot else space) or NO_SPACE}.{base}"


def _aliases(schema: Mapping[str, Any]) -> list[str]:
    aliases = schema["aliases"]
    if not isinstance(aliases, list):
        raise SchemaError(f"the aliases of {schema['name']} are no list: {_short(aliases)}")
    for alias in aliases:
        if not isinstance(alias, str):
            raise SchemaError(f"an alias of {schema['name']} is {_short(alias)}, and no text")
    return aliases


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in _SIZES


def _are_fields(value: Any) -> TypeGuard[list[Mapping[str, Any]]]:
    return isinstance(value, list) and all(isinstance(one, Mapping) and "type" in one for one in value)


def _short(value: Any) -> str:
    return repr(value)[:80]
