"""Answers of a source that differ from a good one in one place."""

from __future__ import annotations

import copy
from typing import Any

__all__ = ["with_change"]


def with_change(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Give a copy with the value at a dotted path changed; `...` removes it."""
    answer = copy.deepcopy(document)
    *steps, last = path.split(".")
    here = answer
    for step in steps:
        here = here[step]
    if value is ...:
        del here[last]
    else:
        here[last] = value
    return answer
