"""What may be done to a schema, by name: where it fits, how safe it is, and what comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.schemas.changes import FINE, Change, Operation
from tests.schemas.fields import FIELDS
from tests.schemas.meanings import MEANINGS
from tests.schemas.named import NAMED_TYPES
from tests.schemas.types import TYPES

if TYPE_CHECKING:
    from hypothesis import strategies as st

    from tests.schemas.layout import Layout, Path

__all__ = ["OPERATIONS"]


def _nothing(_: st.DrawFn, layout: Layout, path: Path) -> Change:
    return Change(layout.at(path), FINE, FINE)


OPERATIONS: Final[dict[str, Operation]] = {
    "change nothing": Operation("both", lambda *_: True, _nothing),
    **FIELDS,
    **NAMED_TYPES,
    **TYPES,
    **MEANINGS,
}
"""All operations, by name."""
