"""Why a schema may not follow another."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Reason"]


class Reason(NamedTuple):
    """Where (a JSON pointer into the reader's schema), by which rule, and in words."""

    path: str
    rule: str
    message: str
