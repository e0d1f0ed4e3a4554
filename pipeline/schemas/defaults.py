"""The fields of a schema, and their defaults: JSON values, as the specification writes them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Placed", "every_field", "first", "is_value", "within"]

_BYTE: Final = 0xFF
_INT: Final = range(-(2**31), 2**31)
_LONG: Final = range(-(2**63), 2**63)
_LARGEST: Final = sys.float_info.max


def within(schema: Any, path: str) -> Iterator[tuple[Any, str]]:
    """Give the types that a union, an array or a map is made of, and where they stand."""
    if schema.type == "union":
        yield from ((branch, f"{path}/{index}") for index, branch in enumerate(schema.schemas))
    elif schema.type == "array":
        yield schema.items, f"{path}/items"
    elif schema.type == "map":
        yield schema.values, f"{path}/values"


class Placed(NamedTuple):
    """A field, where it stands, and the full names of the records that it stands in."""

    field: Any
    path: str
    inside: tuple[str, ...]


def every_field(
    schema: Any, path: str = "", around: tuple[str, ...] = (), seen: set[int] | None = None
) -> Iterator[Placed]:
    """Give every field of every record of a schema once, each before those within it."""
    seen = set() if seen is None else seen
    if id(schema) in seen:
        return
    seen.add(id(schema))
    for inner, place in within(schema, path):
        yield from every_field(inner, place, around, seen)
    if schema.type == "record":
        inside = (*around, schema.fullname)
        for index, field in enumerate(schema.fields):
            place = f"{path}/fields/{index}"
            yield Placed(field, place, inside)
            yield from every_field(field.type, f"{place}/type", inside, seen)


def first(schema: Any) -> Any:
    """Of a union, the branch that a default is of."""
    return schema.schemas[0] if schema.type == "union" and schema.schemas else schema


def is_value(schema: Any, value: Any) -> bool:
    """Tell whether a JSON value is one of the schema, as the specification writes defaults."""
    schema = first(schema)
    return schema.type in _IS_VALUE and _IS_VALUE[schema.type](schema, value)


def _is_record(schema: Any, value: Any) -> bool:
    return isinstance(value, dict) and all(
        is_value(field.type, value[field.name]) if field.name in value else field.has_default
        for field in schema.fields
    )


def _is_number(_: object, value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST


def _is_whole(value: Any, span: range) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in span


def _is_bytes(_: object, value: Any) -> bool:
    """Bytes are written as text, a character each."""
    return isinstance(value, str) and all(ord(character) <= _BYTE for character in value)


_IS_VALUE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "null": lambda _, value: value is None,
    "boolean": lambda _, value: isinstance(value, bool),
    "int": lambda _, value: _is_whole(value, _INT),
    "long": lambda _, value: _is_whole(value, _LONG),
    "float": _is_number,
    "double": _is_number,
    "string": lambda _, value: isinstance(value, str),
    "bytes": _is_bytes,
    "fixed": lambda schema, value: _is_bytes(schema, value) and len(value) == schema.size,
    "enum": lambda schema, value: value in schema.symbols,
    "array": lambda schema, value: (
        isinstance(value, list) and all(is_value(schema.items, one) for one in value)
    ),
    "map": lambda schema, value: (
        isinstance(value, dict) and all(is_value(schema.values, one) for one in value.values())
    ),
    "record": _is_record,
}
