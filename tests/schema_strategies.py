"""Hypothesis strategies of Avro schemas: any, and such as came out of another by a change.

Names are few, so that two schemas drawn apart often have something to do with each other.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["CHANGES", "changed", "schemas"]

_PRIMITIVES: Final = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
_LOGICAL: Final[tuple[dict[str, Any], ...]] = (
    {"type": "int", "logicalType": "date"},
    {"type": "long", "logicalType": "timestamp-millis"},
    {"type": "long", "logicalType": "timestamp-micros"},
    {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2},
    {"type": "string", "logicalType": "uuid"},
)
_SPACES: Final = ("", "n", "n.m")
_DEPTH: Final = 3

_field_names = st.sampled_from("abcd")
_type_names = st.sampled_from("RSEF")
_symbols = st.lists(st.sampled_from("ABCD"), min_size=1, max_size=4, unique=True)


@dataclass
class _Defined:
    """The full names that a schema has defined so far."""

    names: set[str] = field(default_factory=set)


def schemas() -> st.SearchStrategy[Any]:
    """Give schemas as JSON values: primitive and logical types, records (nested, recursive), unions, enums,
    fixed, arrays, maps; with namespaces, aliases and defaults.
    """  # noqa: D205 - one sentence
    return _schemas()


@st.composite
def _schemas(draw: st.DrawFn) -> Any:
    return _any(draw, _Defined(), _DEPTH, "")


def _any(  # noqa: PLR0911 - a kind each
    draw: st.DrawFn, defined: _Defined, depth: int, space: str
) -> Any:
    """Draw a type; `space` is the namespace around it."""
    kinds = ["primitive", "logical"]
    # Java does not find a name without a namespace from within one while it is being defined.
    known = sorted(name for name in defined.names if "." in name or not space)
    if known:
        kinds.append("reference")
    if depth:
        kinds += ["record", "record", "enum", "fixed", "array", "map", "union"]
    kind = draw(st.sampled_from(kinds))
    if kind == "primitive":
        return draw(st.sampled_from(_PRIMITIVES))
    if kind == "logical":
        return dict(draw(st.sampled_from(_LOGICAL)))
    if kind == "reference":
        return draw(st.sampled_from(known))
    if kind == "array":
        return {"type": "array", "items": _any(draw, defined, depth - 1, space)}
    if kind == "map":
        return {"type": "map", "values": _any(draw, defined, depth - 1, space)}
    if kind == "union":
        return _union(draw, defined, depth - 1, space)
    return _named(draw, kind, defined, depth - 1, space)


def _union(draw: st.DrawFn, defined: _Defined, depth: int, space: str) -> Any:
    branches: dict[str, Any] = {}
    for _ in range(draw(st.integers(1, 3))):
        before = set(defined.names)
        branch = _any(draw, defined, depth, space)
        if isinstance(branch, list) or (name := _branch_of(branch, space)) in branches:
            # With it goes what it defined.
            defined.names = before
        else:
            branches[name] = branch
    return list(branches.values()) or ["null"]


def _branch_of(branch: Any, space: str) -> str:
    """Give what no two branches of a union may have in common."""
    if isinstance(branch, str):
        return branch
    return _full(branch["name"], branch.get("namespace", space)) if "name" in branch else str(branch["type"])


def _named(draw: st.DrawFn, kind: str, defined: _Defined, depth: int, space: str) -> Any:
    name, own = draw(_type_names), draw(st.sampled_from((None, *_SPACES)))
    inner = space if own is None else own
    if _full(name, inner) in defined.names:
        return draw(st.sampled_from(_PRIMITIVES))
    defined.names.add(_full(name, inner))
    made: dict[str, Any] = {"type": kind, "name": name}
    if own is not None:
        made["namespace"] = own
    if draw(st.booleans()):
        made["aliases"] = [draw(st.sampled_from(["R", "S", "E", "n.R", "n.m.S", "Old"]))]
    if kind == "fixed":
        return {**made, "size": draw(st.sampled_from([2, 4]))}
    if kind == "enum":
        symbols = draw(_symbols)
        default = draw(st.none() | st.sampled_from(symbols))
        return {**made, "symbols": symbols, **({} if default is None else {"default": default})}
    names = draw(st.lists(_field_names, max_size=3, unique=True))
    made["fields"] = [_field(draw, one, names, defined, depth, inner) for one in names]
    return made


def _field(  # noqa: PLR0913, PLR0917 - a draw has much around it
    draw: st.DrawFn, name: str, names: list[str], defined: _Defined, depth: int, space: str
) -> dict[str, Any]:
    made: dict[str, Any] = {"name": name, "type": _any(draw, defined, depth, space)}
    free = sorted({*"abcdx"} - set(names))
    if draw(st.booleans()):
        made["aliases"] = [draw(st.sampled_from(free))]
    if isinstance(made["type"], str) and made["type"] in _DEFAULTS and draw(st.booleans()):
        made["default"] = _DEFAULTS[made["type"]]
    return made


_DEFAULTS: Final[dict[str, Any]] = {
    "null": None,
    "boolean": True,
    "int": 7,
    "long": 8,
    "float": 0.5,
    "double": 1.5,
    "bytes": "\u00ff",
    "string": "text",
}


def _full(name: str, space: str) -> str:
    return f"{space}.{name}" if space else name


@st.composite
def changed(draw: st.DrawFn, schema: Any) -> tuple[str, Any]:
    """Give the name of a change and what it made of a schema, at a place that is drawn."""
    made = [copy.deepcopy(schema)]
    places = [
        (name, spot)
        for name in sorted(CHANGES)
        for spot in _spots(made, branches=False)
        if CHANGES[name].fits(spot.value) and not (spot.is_branch and CHANGES[name].to_another_type)
    ]
    name, spot = draw(st.sampled_from(places))
    spot.put(CHANGES[name].apply(draw, spot.value))
    if CHANGES[name].to_another_type and isinstance(spot.holder, dict):
        # A field's default was of the type that it had: Java does not even parse some that no longer fit.
        spot.holder.pop("default", None)
    return name, made[0]


@dataclass(frozen=True)
class _Spot:
    """A place in a schema where a type stands."""

    holder: Any
    key: Any
    is_branch: bool = False

    @property
    def value(self) -> Any:
        return self.holder[self.key]

    def put(self, value: Any) -> None:
        self.holder[self.key] = value


def _spots(holder: Any, *, branches: bool) -> Iterator[_Spot]:
    for index in range(len(holder)):
        yield from _within(_Spot(holder, index, branches))


def _within(spot: _Spot) -> Iterator[_Spot]:
    yield spot
    value = spot.value
    if isinstance(value, list):
        yield from _spots(value, branches=True)
    elif isinstance(value, dict):
        for key in ("items", "values"):
            if key in value:
                yield from _within(_Spot(value, key))
        for one in value.get("fields", ()):
            yield from _within(_Spot(one, "type"))


@dataclass(frozen=True)
class _Change:
    fits: Callable[[Any], bool]
    apply: Callable[[st.DrawFn, Any], Any]
    # A union would not take it: it may have the new type already, and holds no union.
    to_another_type: bool = False


def _is(kind: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, dict) and value.get("type") == kind


def _is_primitive(value: Any) -> bool:
    return isinstance(value, str) and value in _PRIMITIVES


def _has_fields(value: Any) -> bool:
    return _is("record")(value) and bool(value["fields"])


def _add_field(draw: st.DrawFn, value: Any) -> Any:
    kind = draw(st.sampled_from(_PRIMITIVES))
    new: dict[str, Any] = {"name": _unused(value), "type": kind}
    if draw(st.booleans()):
        new["default"] = _DEFAULTS[kind]
    return {**value, "fields": [*value["fields"], new]}


def _drop_field(draw: st.DrawFn, value: Any) -> Any:
    gone = draw(st.integers(0, len(value["fields"]) - 1))
    # What it defined may be referred to later on: only what defines nothing goes.
    if isinstance(value["fields"][gone]["type"], str):
        return {**value, "fields": [one for index, one in enumerate(value["fields"]) if index != gone]}
    return value


def _rename_field(draw: st.DrawFn, value: Any) -> Any:
    fields = copy.deepcopy(value["fields"])
    one = draw(st.sampled_from(fields))
    if draw(st.booleans()):
        one["aliases"] = [one["name"]]
    one["name"] = _unused(value)
    return {**value, "fields": fields}


def _unused(record: dict[str, Any]) -> str:
    names = {one["name"] for one in record["fields"]}
    return next(name for name in map("new{}".format, range(100)) if name not in names)


CHANGES: Final[dict[str, _Change]] = {
    "another primitive": _Change(
        _is_primitive, lambda draw, _: draw(st.sampled_from(_PRIMITIVES)), to_another_type=True
    ),
    "into a union": _Change(
        lambda value: _is_primitive(value) and value != "null",
        lambda _, value: ["null", value],
        to_another_type=True,
    ),
    "add a field": _Change(_is("record"), _add_field),
    "drop a field": _Change(_has_fields, _drop_field),
    "rename a field": _Change(_has_fields, _rename_field),
    "other symbols": _Change(
        _is("enum"),
        lambda draw, value: {**_without(value, "default"), "symbols": draw(_symbols)},
    ),
    "another size": _Change(_is("fixed"), lambda _, value: {**value, "size": value["size"] + 1}),
    "no change": _Change(lambda _: True, lambda _, value: value),
}
"""The changes by name."""


def _without(value: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: one for name, one in value.items() if name != key}
