"""Two versions of a schema side by side, line by line."""

from __future__ import annotations

import json
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Line", "side_by_side"]

_INDENT = 2


class Line(NamedTuple):
    """A line of each, None where it has none: `mark` is "+", "-", "~" (changed) or "" (the same)."""

    mark: str
    old: str | None
    new: str | None


def side_by_side(old: Any, new: Any) -> Iterator[Line]:
    """Lay two schemas (JSON values) side by side; fields and keys stay in the order that they have."""
    left, right = _lines(old), _lines(new)
    for tag, begin, end, first, last in SequenceMatcher(a=left, b=right, autojunk=False).get_opcodes():
        for one, other in zip_longest(left[begin:end], right[first:last]):
            mark = "" if tag == "equal" else "+" if one is None else "-" if other is None else "~"
            yield Line(mark, one, other)


def _lines(schema: Any) -> list[str]:
    """A field is a line: what is short stays on one."""
    return list(_laid_out(schema, 0, ""))


def _laid_out(value: Any, depth: int, before: str) -> Iterator[str]:
    indent = " " * (_INDENT * depth)
    short = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or not _is_deep(value):
        yield f"{indent}{before}{short}"
        return
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    yield f"{indent}{before}{opening}"
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _laid_out(part, depth + 1, f"{json.dumps(key, ensure_ascii=False)}: ")
    else:
        for part in value:
            yield from _laid_out(part, depth + 1, "")
    yield f"{indent}{closing}"


def _is_deep(value: Any) -> bool:
    """Whether a record is in it: anything else is told on a line."""
    if isinstance(value, list):
        return any(_is_deep(part) or isinstance(part, dict) for part in value)
    return isinstance(value, dict) and ("fields" in value or any(map(_is_deep, value.values())))
