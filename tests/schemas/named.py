"""Operations on types that have names: the names, the symbols of enums, the size of fixed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

from tests.schemas.changes import (
    FINE,
    LOST,
    MISNAMED,
    Change,
    Operation,
    Reads,
    Refuses,
    both,
    fresh,
    is_a,
    is_named,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.schemas.layout import Layout, Path

__all__ = ["NAMED_TYPES"]


def _rename_type(*, alias: bool, in_a_namespace: bool) -> Callable[[st.DrawFn, Layout, Path], Change]:
    def apply(_: st.DrawFn, layout: Layout, path: Path) -> Change:
        node, old = layout.at(path), layout.called(path)
        space = old.rpartition(".")[0]
        new = fresh("New{}", {name.rpartition(".")[2] for name in layout.named})
        made = {**node, "name": new}
        made.pop("aliases", None)
        if alias:
            made["aliases"] = [node["name"]]
        reads = Reads(lints=frozenset({"namespaced_alias"} if in_a_namespace else ()))
        renamed = old, f"{space}.{new}" if space else new
        return Change(made, reads if alias else MISNAMED, MISNAMED, renamed)

    return apply


def _is_in_a_namespace(layout: Layout, path: Path) -> bool:
    return is_named(layout, path) and "." in layout.called(path)


def _is_in_none(layout: Layout, path: Path) -> bool:
    return is_named(layout, path) and "." not in layout.called(path)


def _move_type(_: st.DrawFn, layout: Layout, path: Path) -> Change:
    node, old = layout.at(path), layout.called(path)
    space = fresh("elsewhere{}", {name.rpartition(".")[0] for name in layout.named})
    reads = Reads(lints=frozenset({"namespace_changed"}))
    return Change({**node, "namespace": space}, reads, reads, (old, f"{space}.{node['name']}"))


def _add_symbol(draw: st.DrawFn, layout: Layout, path: Path) -> Change:
    enum = layout.at(path)
    place = draw(st.integers(0, len(enum["symbols"])))
    new = fresh("NEW{}", set(enum["symbols"]))
    made = {**enum, "symbols": [*enum["symbols"][:place], new, *enum["symbols"][place:]]}
    if "default" in enum:
        return Change(made, FINE, Reads(_defaulting(new, enum["default"])))
    grown = Reads(lints=frozenset({"enum_without_default"}))
    return Change(made, grown, Refuses(st.just(new)))


def _defaulting(symbol: str, to: str) -> Callable[[Any], Any]:
    return lambda value: to if value == symbol else value


def _has_default(layout: Layout, path: Path) -> bool:
    return is_a("enum")(layout, path) and "default" in layout.at(path)


def _has_no_default(layout: Layout, path: Path) -> bool:
    return is_a("enum")(layout, path) and "default" not in layout.at(path)


def _can_lose(layout: Layout, path: Path) -> bool:
    return is_a("enum")(layout, path) and len(layout.at(path)["symbols"]) > 1


def _drop_symbol(draw: st.DrawFn, layout: Layout, path: Path) -> Change:
    enum = layout.at(path)
    gone = draw(st.sampled_from([one for one in enum["symbols"] if one != enum.get("default")]))
    made = {**enum, "symbols": [one for one in enum["symbols"] if one != gone]}
    if "default" in enum:
        return Change(made, Reads(_defaulting(gone, enum["default"])), FINE)
    grown = Reads(lints=frozenset({"enum_without_default"}))
    return Change(made, Refuses(st.just(gone)), grown)


def _shuffle_symbols(draw: st.DrawFn, layout: Layout, path: Path) -> Change:
    enum = layout.at(path)
    return Change({**enum, "symbols": draw(st.permutations(enum["symbols"]))}, FINE, FINE)


def _resize(_: st.DrawFn, layout: Layout, path: Path) -> Change:
    fixed = layout.at(path)
    return Change({**fixed, "size": fixed["size"] + 1}, LOST, LOST)


NAMED_TYPES: Final[dict[str, Operation]] = {
    "rename a type": Operation("neither", is_named, _rename_type(alias=False, in_a_namespace=False)),
    "rename a type, with an alias": Operation(
        "backward", _is_in_none, _rename_type(alias=True, in_a_namespace=False)
    ),
    "rename a type in a namespace, with an alias": Operation(
        "backward", _is_in_a_namespace, _rename_type(alias=True, in_a_namespace=True)
    ),
    "move a type to another namespace": Operation(
        "both",
        lambda layout, path: is_named(layout, path) and not is_a("record")(layout, path),
        _move_type,
    ),
    "add a symbol to an enum with a default": Operation("both", _has_default, _add_symbol),
    "add a symbol": Operation("backward", _has_no_default, _add_symbol),
    "drop a symbol from an enum with a default": Operation(
        "both", both(_has_default, _can_lose), _drop_symbol
    ),
    "drop a symbol": Operation("forward", both(_has_no_default, _can_lose), _drop_symbol),
    "shuffle the symbols": Operation("both", is_a("enum"), _shuffle_symbols),
    "resize a fixed": Operation("neither", is_a("fixed"), _resize),
}
