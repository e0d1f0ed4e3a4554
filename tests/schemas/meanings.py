"""Operations on logical types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hypothesis import strategies as st

from tests.schemas.changes import FINE, Change, Operation, objects
from tests.schemas.layout import PRIMITIVES

if TYPE_CHECKING:
    from tests.schemas.layout import Layout, Path

__all__ = ["MEANINGS"]

_MEANINGS: Final = {
    "int": ("date", "time-millis"),
    "long": ("timestamp-millis", "timestamp-micros", "local-timestamp-millis"),
    "string": ("uuid",),
}


def _mean(draw: st.DrawFn, layout: Layout, path: Path) -> Change:
    node = layout.at(path)
    kind, had = (node, None) if isinstance(node, str) else (node["type"], node.get("logicalType"))
    meanings = [one for one in (None, *_MEANINGS[kind]) if one != had]
    new = draw(st.sampled_from(meanings))
    reads = objects("logical_type_changed")
    return Change({"type": kind, "logicalType": new} if new else kind, reads, reads)


def _can_mean(layout: Layout, path: Path) -> bool:
    node = layout.at(path)
    return layout.kind(path) in _MEANINGS and (
        isinstance(node, str) or node.get("logicalType") != "unheard-of"
    )


def _rescale(draw: st.DrawFn, layout: Layout, path: Path) -> Change:
    node = layout.at(path)
    change = draw(st.sampled_from([{"scale": node["scale"] + 1}, {"precision": node["precision"] - 1}]))
    reads = objects("decimal_changed")
    return Change({**node, **change}, reads, reads)


def _is_decimal(layout: Layout, path: Path) -> bool:
    """One that has digits to spare."""
    node = layout.at(path)
    is_one = isinstance(node, dict) and node.get("logicalType") == "decimal"
    return is_one and bool(node["precision"] > node["scale"])


def _mean_nothing(_: st.DrawFn, layout: Layout, path: Path) -> Change:
    return Change({"type": layout.at(path), "logicalType": "of-our-own"}, FINE, FINE)


MEANINGS: Final[dict[str, Operation]] = {
    "change a logical type": Operation("both", _can_mean, _mean),
    "change a decimal": Operation("both", _is_decimal, _rescale),
    "give a logical type that nobody knows": Operation(
        "both", lambda layout, path: layout.at(path) in PRIMITIVES, _mean_nothing
    ),
}
