"""Operations that put another type in a type's place: promotions, unions, collections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hypothesis import strategies as st

from tests.schemas.changes import (
    FINE,
    LOST,
    Change,
    Operation,
    Reads,
    Refuses,
    Safety,
    is_branch,
    is_free,
    is_loose,
    is_named,
    objects,
    swapped,
)
from tests.schemas.layout import PRIMITIVES, PROMOTIONS, Layout

if TYPE_CHECKING:
    from tests.schemas.layout import Path

__all__ = ["TYPES"]

_LOSSLESS: Final = frozenset({("int", "long"), ("int", "double"), ("float", "double")})
_TEXT: Final = frozenset({("string", "bytes"), ("bytes", "string")})


def _to(pairs: frozenset[tuple[str, str]], reads: Reads) -> Operation:
    """Promote: the changed schema's type is one that the old one's is read as."""

    def apply(draw: st.DrawFn, layout: Layout, path: Path) -> Change:
        old = layout.at(path)
        new = draw(st.sampled_from(sorted(to for what, to in pairs if what == old)))
        backward = Reads(float) if reads.value and new == "double" else reads
        return Change(new, backward, reads if (new, old) in PROMOTIONS else LOST)

    safety: Safety = "both" if pairs == _TEXT else "backward"
    return Operation(safety, lambda layout, path: _starts(layout, path, pairs), apply)


def _starts(layout: Layout, path: Path, pairs: frozenset[tuple[str, str]]) -> bool:
    return is_free(layout, path) and any(what == layout.at(path) for what, _ in pairs)


def _narrowed(operation: Operation, pairs: frozenset[tuple[str, str]]) -> Operation:
    """Turn a promotion around."""
    back = frozenset((new, old) for old, new in pairs)

    def apply(draw: st.DrawFn, layout: Layout, path: Path) -> Change:
        new = draw(st.sampled_from(sorted(to for what, to in back if what == layout.at(path))))
        widened = operation.apply(lambda _: layout.at(path), Layout(new), ())  # type: ignore[arg-type]
        return swapped(Change(new, widened.backward, widened.forward))

    return Operation("forward", lambda layout, path: _starts(layout, path, back), apply)


def _replace(draw: st.DrawFn, layout: Layout, path: Path) -> Change:
    old = layout.at(path)
    others = [one for one in PRIMITIVES if one != old and not {(one, old), (old, one)} & PROMOTIONS]
    return Change(draw(st.sampled_from(others)), LOST, LOST)


def _wrap(draw: st.DrawFn, layout: Layout, path: Path) -> Change:
    old = layout.at(path)
    made = draw(st.sampled_from([{"type": "array", "items": old}, {"type": "map", "values": old}]))
    return Change(made, LOST, LOST)


def _into_union(draw: st.DrawFn, layout: Layout, path: Path) -> Change:
    old = layout.at(path)
    return Change(
        draw(st.sampled_from([["null", old], [old, "null"]])), FINE, Refuses(st.just(("null", None)))
    )


def _is_in_no_union(layout: Layout, path: Path) -> bool:
    """Neither a branch nor a union, no null, and nothing that others refer to."""
    return not is_branch(path) and layout.kind(path) not in {"union", "null"} and not is_named(layout, path)


def _add_branch(draw: st.DrawFn, layout: Layout, path: Path) -> Change:
    there = {layout.kind(branch) for branch in layout.within(path)}
    new = draw(st.sampled_from(_missing(there)))
    union = layout.at(path)
    place = draw(st.integers(0, len(union)))
    values = {
        "null": st.none(),
        "boolean": st.booleans(),
        "string": st.text(max_size=2),
        "double": st.just(0.5),
    }
    return Change(
        [*union[:place], new, *union[place:]], FINE, Refuses(values[new].map(lambda value: (new, value)))
    )


def _missing(there: set[str]) -> list[str]:
    return [
        one
        for one in ("null", "boolean", "string", "double")
        if one not in there and not any({(one, other), (other, one)} & PROMOTIONS for other in there)
    ]


def _has_room(layout: Layout, path: Path) -> bool:
    return layout.kind(path) == "union" and bool(
        _missing({layout.kind(branch) for branch in layout.within(path)})
    )


def _drop_branch(draw: st.DrawFn, layout: Layout, path: Path) -> Change:
    union = layout.at(path)
    gone = draw(st.sampled_from(_droppable(layout, path)))
    name = layout.called((*path, gone))
    made = [branch for index, branch in enumerate(union) if index != gone]
    values = {
        "null": None,
        "boolean": True,
        "int": 1,
        "long": 1,
        "float": 0.5,
        "double": 0.5,
        "bytes": b"",
        "string": "",
    }
    return Change(made, Refuses(st.just((name, values[name]))), FINE)


def _droppable(layout: Layout, path: Path) -> list[int]:
    union = layout.at(path)
    return [index for index, branch in enumerate(union) if isinstance(branch, str) and branch in PRIMITIVES]


def _can_drop(layout: Layout, path: Path) -> bool:
    return layout.kind(path) == "union" and bool(_droppable(layout, path)) and len(layout.at(path)) > 1


def _turn_union(_: st.DrawFn, layout: Layout, path: Path) -> Change:
    return Change(layout.at(path)[::-1], FINE, FINE)


def _is_loose_union(layout: Layout, path: Path) -> bool:
    return layout.kind(path) == "union" and is_loose(layout.at(path))


_LOSING: Final = PROMOTIONS - _LOSSLESS - _TEXT
_PROMOTE: Final = _to(_LOSSLESS, FINE)
_PROMOTE_LOSING: Final = _to(_LOSING, objects("promotion_loses"))


TYPES: Final[dict[str, Operation]] = {
    "promote a number": _PROMOTE,
    "promote a number that loses": _PROMOTE_LOSING,
    "narrow a number": _narrowed(_PROMOTE, _LOSSLESS),
    "narrow a number that lost": _narrowed(_PROMOTE_LOSING, _LOSING),
    "swap text and bytes": _to(_TEXT, objects("text_and_bytes")),
    "replace a type": Operation("neither", is_free, _replace),
    "wrap into a collection": Operation("neither", is_free, _wrap),
    "allow null": Operation("backward", _is_in_no_union, _into_union),
    "add a branch": Operation("backward", _has_room, _add_branch),
    "drop a branch": Operation("forward", _can_drop, _drop_branch),
    "turn a union around": Operation("both", _is_loose_union, _turn_union),
}
