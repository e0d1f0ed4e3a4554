"""Operations on the fields of records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

from tests.schemas.changes import FINE, LOST, Change, Filled, Operation, Reads, fresh, is_a, is_loose, objects
from tests.schemas.data import default, value_of_default
from tests.schemas.layout import PRIMITIVES, Layout

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.schemas.layout import Path

__all__ = ["FIELDS"]


def _has_field(*, with_default: bool) -> Callable[[Layout, Path], bool]:
    return lambda layout, path: bool(
        is_a("record")(layout, path) and _fields(layout, path, with_default=with_default)
    )


def _fields(layout: Layout, path: Path, *, with_default: bool) -> list[int]:
    """Give the fields, by their place, that define and name no type: what others refer to stays."""
    return [
        index
        for index, field in enumerate(layout.at(path)["fields"])
        if ("default" in field) is with_default and is_loose(field["type"])
    ]


def _unused(record: dict[str, Any]) -> str:
    """Give the name of a field that the record does not have."""
    return fresh("new{}", {one["name"] for one in record["fields"]})


_NEW_TYPES: Final[tuple[Any, ...]] = (
    *PRIMITIVES,
    ["null", "long"],
    [{"type": "array", "items": "string"}, "null"],
    {"type": "array", "items": "string"},
    {"type": "map", "values": "bytes"},
    {"type": "long", "logicalType": "timestamp-millis"},
    {"type": "int", "logicalType": "date"},
    {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2},
    {"type": "enum", "name": "NewEnum", "namespace": "new", "symbols": ["A", "B"]},
    {"type": "fixed", "name": "NewFixed", "namespace": "new", "size": 2},
    {
        "type": "record",
        "name": "NewRecord",
        "namespace": "new",
        "fields": [{"name": "x", "type": "int", "default": 1}, {"name": "y", "type": "bytes"}],
    },
)


def _new_field(
    draw: st.DrawFn, layout: Layout, path: Path, *, with_default: bool
) -> tuple[dict[str, Any], Filled | None]:
    """Draw a field of a new name, and the value of its default."""
    known = layout.named.keys()
    kind = draw(st.sampled_from([one for one in _NEW_TYPES if Layout(one).named.keys().isdisjoint(known)]))
    field = {"name": _unused(layout.at(path)), "type": kind}
    if not with_default:
        return field, None
    field["default"] = draw(default(Layout(kind), ()))
    return field, Filled(field["default"], value_of_default(Layout(kind), (), field["default"]))


def _with(record: dict[str, Any], fields: list[dict[str, Any]]) -> dict[str, Any]:
    return {**record, "fields": fields}


def _filling(field: dict[str, Any], filled: Filled, instead: str = "") -> Reads:
    """The default of a field is read, which stands `instead` of another."""
    # Java makes no [] of a union.
    lints = {"empty_default_of_union"} if isinstance(field["type"], list) and filled.json == [] else ()
    return Reads(
        lambda record: {**_dropping(instead)(record), field["name"]: filled},
        frozenset(lints),
    )


def _dropping(name: str) -> Callable[[Any], Any]:
    return lambda record: {key: value for key, value in record.items() if key != name}


def _add(*, with_default: bool) -> Callable[[st.DrawFn, Layout, Path], Change]:
    def apply(draw: st.DrawFn, layout: Layout, path: Path) -> Change:
        record = layout.at(path)
        field, filled = _new_field(draw, layout, path, with_default=with_default)
        place = draw(st.integers(0, len(record["fields"])))
        made = _with(record, [*record["fields"][:place], field, *record["fields"][place:]])
        backward = _filling(field, filled) if filled else LOST
        return Change(made, backward, Reads(_dropping(field["name"])))

    return apply


def _add_nonsense(_: st.DrawFn, layout: Layout, path: Path) -> Change:
    record = layout.at(path)
    field = {"name": _unused(record), "type": "int", "default": "seven"}
    made = _with(record, [*record["fields"], field])
    # fastavro does not take such a schema at all.
    return Change(made, objects("default_invalid"), Reads(None))


def _drop(*, with_default: bool) -> Callable[[st.DrawFn, Layout, Path], Change]:
    def apply(draw: st.DrawFn, layout: Layout, path: Path) -> Change:
        record = layout.at(path)
        gone = draw(st.sampled_from(_fields(layout, path, with_default=with_default)))
        made = _with(record, [field for index, field in enumerate(record["fields"]) if index != gone])
        field = record["fields"][gone]
        forward = _filling(field, _filled(layout, path, gone)) if with_default else LOST
        return Change(made, Reads(_dropping(field["name"])), forward)

    return apply


def _filled(layout: Layout, path: Path, index: int) -> Filled:
    json = layout.at(path)["fields"][index]["default"]
    return Filled(json, value_of_default(layout, (*path, "fields", index, "type"), json))


def _rename(*, with_default: bool, alias: bool) -> Callable[[st.DrawFn, Layout, Path], Change]:
    def apply(draw: st.DrawFn, layout: Layout, path: Path) -> Change:
        record = layout.at(path)
        at = draw(st.sampled_from(_fields(layout, path, with_default=with_default)))
        old, new = record["fields"][at]["name"], _unused(record)
        field = {**record["fields"][at], "name": new}
        field.pop("aliases", None)
        if alias:
            field["aliases"] = [old]
        made = _with(record, [field if index == at else one for index, one in enumerate(record["fields"])])
        filled = _filled(layout, path, at) if with_default else None

        def moved(value: dict[str, Any]) -> dict[str, Any]:
            return {new if key == old else key: one for key, one in value.items()}

        backward = Reads(moved) if alias else _filling(field, filled, old) if filled else LOST
        forward = _filling(record["fields"][at], filled, new) if filled else LOST
        return Change(made, backward, forward)

    return apply


def _reorder(draw: st.DrawFn, layout: Layout, path: Path) -> Change:
    record = layout.at(path)
    loose = [
        index for with_default in (True, False) for index in _fields(layout, path, with_default=with_default)
    ]
    moved = record["fields"][draw(st.sampled_from(loose))]
    others = [field for field in record["fields"] if field is not moved]
    place = draw(st.integers(0, len(others)))
    return Change(_with(record, [*others[:place], moved, *others[place:]]), FINE, FINE)


def _cross(_: st.DrawFn, layout: Layout, path: Path) -> Change:
    record = layout.at(path)
    first, second, *others = record["fields"]
    first, second = ({**one, "aliases": [other["name"]]} for one, other in ((first, second), (second, first)))
    return Change(_with(record, [first, second, *others]), objects("field_aliases_cross"), FINE)


def _document(draw: st.DrawFn, layout: Layout, path: Path) -> Change:
    record = layout.at(path)
    fields = [
        {**field, "doc": "what it is", "order": draw(st.sampled_from(["ignore", "descending"]))}
        for field in record["fields"]
    ]
    return Change({**record, "doc": "what they are", "owner": "us", "fields": fields}, FINE, FINE)


def _take_defaults(_: st.DrawFn, layout: Layout, path: Path) -> Change:
    record = layout.at(path)
    fields = [{key: one for key, one in field.items() if key != "default"} for field in record["fields"]]
    return Change(_with(record, fields), FINE, FINE)


FIELDS: Final[dict[str, Operation]] = {
    "add a field with a default": Operation("both", is_a("record"), _add(with_default=True)),
    "add a field without a default": Operation("forward", is_a("record"), _add(with_default=False)),
    "add a field with a default of another type": Operation("both", is_a("record"), _add_nonsense),
    "drop a field with a default": Operation("both", _has_field(with_default=True), _drop(with_default=True)),
    "drop a field without a default": Operation(
        "backward", _has_field(with_default=False), _drop(with_default=False)
    ),
    "rename a field, with an alias": Operation(
        "backward", _has_field(with_default=False), _rename(with_default=False, alias=True)
    ),
    "rename a field with a default, with an alias": Operation(
        "both", _has_field(with_default=True), _rename(with_default=True, alias=True)
    ),
    "rename a field": Operation(
        "neither", _has_field(with_default=False), _rename(with_default=False, alias=False)
    ),
    "rename a field with a default": Operation(
        "both", _has_field(with_default=True), _rename(with_default=True, alias=False)
    ),
    "move a field": Operation("both", _has_field(with_default=False), _reorder),
    "cross the aliases of two fields": Operation(
        "both",
        lambda layout, path: is_a("record")(layout, path) and len(layout.at(path)["fields"]) > 1,
        _cross,
        throws=True,
    ),
    "write what people read": Operation("both", is_a("record"), _document),
    "take the defaults away": Operation("both", is_a("record"), _take_defaults),
}
