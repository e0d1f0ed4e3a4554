"""Answers of a source that differ from a good one in one place, or in each place in turn."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["ANYTHING", "with_change", "with_each_change"]

# fmt: off
ANYTHING: Final[tuple[Any, ...]] = (
    None, True, 0, -1, 1.5, 1e300, 10**400, "", "x", "NaN", [], [None], [[]], {}, {"x": 1}, ...,
)
# fmt: on
"""What may stand where something else should; `...` for nothing at all."""


def with_change(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Give a copy with the value at a dotted path changed; `...` removes it."""
    answer: dict[str, Any] = _changed(document, path.split("."), value)
    return answer


def with_each_change(document: Any, value: Any) -> Iterator[Any]:
    """Give copies, each with the value at another place; `...` removes what is there."""
    for path in _places(document):
        yield _changed(document, path, value)


def _changed(document: Any, path: Sequence[Any], value: Any) -> Any:
    answer = copy.deepcopy(document)
    *steps, last = path
    here = answer
    for step in steps:
        here = here[step]
    if value is ...:
        del here[last]
    else:
        here[last] = value
    return answer


def _places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(document, dict | list):
        for step in document if isinstance(document, dict) else range(len(document)):
            yield (*path, step)
            yield from _places(document[step], (*path, step))
