"""What a change of a schema is, and what is expected of it.

Read `backward` as: the changed schema reads what the one before it wrote; `forward` is the other way around.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from tests.schemas.layout import PRIMITIVES

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis import strategies as st

    from tests.schemas.layout import Layout, Path

__all__ = [
    "FINE",
    "LOST",
    "MISNAMED",
    "Change",
    "Filled",
    "Operation",
    "Reads",
    "Refuses",
    "Safety",
    "both",
    "fresh",
    "is_a",
    "is_branch",
    "is_free",
    "is_loose",
    "is_named",
    "objects",
    "same",
    "swapped",
]

Safety = Literal["both", "backward", "forward", "neither"]
"""Which of the two ways it is read."""


@dataclass(frozen=True)
class Filled:
    """A value that a default stands for: `json` as it is written, `value` as the specification has it."""

    json: Any
    value: Any


def same(value: Any) -> Any:
    """Give what was written."""
    return value


@dataclass(frozen=True)
class Reads:
    """It is read: what stood at the place comes out as `value` of it, None where libraries differ.

    `lints` are the rules of ours that object all the same.
    """

    value: Callable[[Any], Any] | None = same
    lints: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Refuses:
    """It is not read: not what stands at the place, if it is one of `witnesses` (None: whatever it is).

    By name only: the bytes are those of a type that would be read, were it not for its name.
    """

    witnesses: st.SearchStrategy[Any] | None = None
    by_name: bool = False


@dataclass(frozen=True)
class Change:
    """What an operation made of the type at a place; `renamed` are the old and the new name of a type."""

    made: Any
    backward: Reads | Refuses
    forward: Reads | Refuses
    renamed: tuple[str, str] | None = None


@dataclass(frozen=True)
class Operation:
    """A change by name: how safe it is, where it fits, and what it makes of the type there.

    `throws` where Java's checker throws, instead of giving a verdict.
    """

    safety: Safety
    fits: Callable[[Layout, Path], bool]
    apply: Callable[[st.DrawFn, Layout, Path], Change]
    throws: bool = False


FINE: Final = Reads()
LOST: Final = Refuses()
MISNAMED: Final = Refuses(by_name=True)


def objects(rule: str) -> Reads:
    """It is read, but a rule of ours objects: what comes out is not foretold."""
    return Reads(None, frozenset({rule}))


def swapped(change: Change) -> Change:
    """Turn a change around."""
    return Change(change.made, change.forward, change.backward, change.renamed)


def is_a(kind: str) -> Callable[[Layout, Path], bool]:
    """Give what fits where a type of that kind is defined."""
    return lambda layout, path: isinstance(layout.at(path), dict) and layout.at(path)["type"] == kind


def is_free(layout: Layout, path: Path) -> bool:
    """Tell whether a primitive type stands there that is no branch of a union: one may be there already."""
    return layout.at(path) in PRIMITIVES and not is_branch(path)


def is_branch(path: Path) -> bool:
    """Tell whether a branch of a union stands at a place."""
    return bool(path) and isinstance(path[-1], int)


def is_loose(kind: Any) -> bool:
    """Tell whether a type defines none that others may refer to, and refers to none."""
    if isinstance(kind, dict):
        return "name" not in kind and is_loose(kind.get("items", kind.get("values", "null")))
    return all(map(is_loose, kind)) if isinstance(kind, list) else kind in PRIMITIVES


def is_named(layout: Layout, path: Path) -> bool:
    """Tell whether a type that has a name is defined there."""
    return isinstance(layout.at(path), dict) and "name" in layout.at(path)


def fresh(form: str, taken: set[str]) -> str:
    """Give a name of that form that is not taken."""
    return next(name for name in map(form.format, range(100)) if name not in taken)


def both(*fits: Callable[[Layout, Path], bool]) -> Callable[[Layout, Path], bool]:
    """Give what fits where all of these do."""
    return lambda layout, path: all(one(layout, path) for one in fits)
