"""Hypothesis strategies of Avro schemas.

Names are few, so that two schemas drawn apart often have something to do with each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from hypothesis import strategies as st

from tests.schemas.data import default
from tests.schemas.layout import FAR, PRIMITIVES, Layout

__all__ = ["schemas"]

_LOGICAL: Final[tuple[dict[str, Any], ...]] = (
    {"type": "int", "logicalType": "date"},
    {"type": "int", "logicalType": "time-millis"},
    {"type": "long", "logicalType": "time-micros"},
    {"type": "long", "logicalType": "timestamp-millis"},
    {"type": "long", "logicalType": "timestamp-micros"},
    {"type": "long", "logicalType": "local-timestamp-millis"},
    {"type": "long", "logicalType": "local-timestamp-micros"},
    {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2},
    {"type": "string", "logicalType": "uuid"},
    {"type": "int", "logicalType": "unheard-of"},
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
    layout = Layout(_any(draw, _Defined(), _DEPTH, ""))
    heights = layout.heights(of_defaults=True)
    for path in layout.places:
        if path and path[-1] == "type" and heights(path) < FAR and draw(st.booleans()):
            layout.at(path[:-1])["default"] = draw(default(layout, path))
    return layout.schema


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
    if depth == _DEPTH:
        # What schemas are about.
        kinds += ["record"] * 6
    kind = draw(st.sampled_from(kinds))
    if kind == "primitive":
        return draw(st.sampled_from(PRIMITIVES))
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
        return draw(st.sampled_from(PRIMITIVES))
    defined.names.add(_full(name, inner))
    made: dict[str, Any] = {"type": kind, "name": name}
    if own is not None:
        made["namespace"] = own
    if draw(st.booleans()):
        made["aliases"] = [draw(st.sampled_from(["R", "S", "E", "n.R", "n.m.S", "Old"]))]
    if kind == "fixed":
        made["size"] = draw(st.sampled_from([2, 4]))
        decimal = {"logicalType": "decimal", "precision": 4, "scale": 1}
        return {**made, **decimal} if draw(st.booleans()) else made
    if kind == "enum":
        symbols = draw(_symbols)
        made["symbols"] = symbols
        return {**made, "default": draw(st.sampled_from(symbols))} if draw(st.booleans()) else made
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
    return made


def _full(name: str, space: str) -> str:
    return f"{space}.{name}" if space else name
