"""Confluent's compatibility modes: which versions must be able to read which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple, get_args

from pipeline.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MODES", "Mode", "Step", "mode_named", "steps"]

Mode = Literal[
    "NONE",
    "BACKWARD",
    "BACKWARD_TRANSITIVE",
    "FORWARD",
    "FORWARD_TRANSITIVE",
    "FULL",
    "FULL_TRANSITIVE",
]
"""BACKWARD: the new version reads what the one before it wrote. FORWARD: that one reads what the new one
writes. FULL: both. _TRANSITIVE: and so with every version before it. NONE: anything goes."""

MODES: Final[tuple[Mode, ...]] = get_args(Mode)


class Step(NamedTuple):
    """One question that a mode asks: may `reader` read what `writer` wrote? Versions count from 1."""

    reader: int
    writer: int


def mode_named(text: str) -> Mode:
    """Give the mode of that name, in whatever case; raises SchemaError for another."""
    for mode in MODES:
        if mode == text.upper():
            return mode
    raise SchemaError(f"compatibility mode {text!r} is none of {', '.join(MODES)}")


def steps(mode: Mode, versions: int) -> Iterator[Step]:
    """Give what a mode asks of the last of so many versions, the newest of the older ones first."""
    oldest = 1 if mode.endswith("_TRANSITIVE") else versions - 1
    for older in range(versions - 1, max(oldest, 1) - 1, -1):
        if mode.startswith(("BACKWARD", "FULL")):
            yield Step(versions, older)
        if mode.startswith(("FORWARD", "FULL")):
            yield Step(older, versions)
