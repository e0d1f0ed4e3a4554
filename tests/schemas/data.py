"""Hypothesis strategies of a schema's values, as fastavro takes them, and of defaults, as JSON has them."""

from __future__ import annotations

import io
import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import fastavro
from hypothesis import strategies as st

from tests.schemas.layout import FAR, Layout

if TYPE_CHECKING:
    from tests.schemas.layout import Path

__all__ = ["data", "decoded", "default", "encoded", "value_of_default"]

_DEPTH: Final = 4
_MOST: Final = 3

_INTS: Final = st.integers(-(2**31), 2**31 - 1)
_LONGS: Final = st.integers(-(2**63), 2**63 - 1)
# What every library has: some turn a NaN into another, and none compares equal to itself.
_FLOATS: Final = st.floats(width=32, allow_nan=False)
_DOUBLES: Final = st.floats(allow_nan=False)
_TEXTS: Final = st.text(st.characters(codec="utf-8"), max_size=4)

_VALUES: Final[dict[str, st.SearchStrategy[Any]]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": _INTS,
    "long": _LONGS,
    "float": _FLOATS,
    "double": _DOUBLES,
    "bytes": st.binary(max_size=4),
    "string": _TEXTS,
}

_UTC: Final = st.just(UTC)


def _millis(value: Any) -> Any:
    return value.replace(microsecond=value.microsecond // 1_000 * 1_000)


_LOGICAL: Final[dict[str, st.SearchStrategy[Any]]] = {
    "date": st.dates(),
    "time-millis": st.times().map(_millis),
    "time-micros": st.times(),
    "timestamp-millis": st.datetimes(timezones=_UTC).map(_millis),
    "timestamp-micros": st.datetimes(timezones=_UTC),
    "local-timestamp-millis": st.datetimes().map(_millis),
    "local-timestamp-micros": st.datetimes(),
    "uuid": st.uuids(),
}

# The defaults of logical types are what they stand over: here in days, milliseconds or microseconds.
_DAY: Final = timedelta(days=1)
_LAST: Final = datetime(9999, 1, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
_STORED: Final[dict[str, st.SearchStrategy[Any]]] = {
    "date": st.integers(0, _LAST // _DAY),
    "time-millis": st.integers(0, _DAY // timedelta(milliseconds=1) - 1),
    "time-micros": st.integers(0, _DAY // timedelta(microseconds=1) - 1),
    "timestamp-millis": st.integers(0, _LAST // timedelta(milliseconds=1)),
    "timestamp-micros": st.integers(0, _LAST // timedelta(microseconds=1)),
    "local-timestamp-millis": st.integers(0, _LAST // timedelta(milliseconds=1)),
    "local-timestamp-micros": st.integers(0, _LAST // timedelta(microseconds=1)),
    "uuid": st.uuids().map(str),
}


def data(
    schema: Any, toward: Path | None = None, there: st.SearchStrategy[Any] | None = None
) -> st.SearchStrategy[Any]:
    """Give the values of a schema that has any; a branch of a union is a pair of its name and the value.

    With `toward`, each value holds something at that place of the schema, and with `there` it is of that.
    """
    return _data(Layout(schema), toward, there)


@st.composite
def _data(draw: st.DrawFn, layout: Layout, toward: Path | None, there: st.SearchStrategy[Any] | None) -> Any:
    return _Values(draw, layout, toward, there).of((), _DEPTH)


class _Values:
    """The walk that draws a value."""

    def __init__(
        self, draw: st.DrawFn, layout: Layout, toward: Path | None, there: st.SearchStrategy[Any] | None
    ) -> None:
        self._draw = draw
        self._layout = layout
        self._heights = layout.heights()
        self._toward = toward
        self._there = there
        self._distances = None if toward is None else layout.distances(toward)

    def of(self, path: Path, depth: int) -> Any:
        home = self._layout.home(path)
        if self._distances is not None and self._toward in {path, home}:
            # From here on the value may be any.
            self._distances = None
            if self._there is not None:
                return self._draw(self._there)
        kind, node, inner = self._layout.kind(path), self._layout.at(home), self._layout.within(path)
        if kind == "union":
            branch = self._draw(st.sampled_from(self._open(inner, depth)))
            return self._layout.called(branch), self.of(branch, depth - 1)
        if kind == "array":
            return [self.of(inner[0], depth - 1) for _ in range(self._many(inner[0], depth))]
        if kind == "map":
            many = self._many(inner[0], depth)
            keys = self._draw(st.lists(_TEXTS, min_size=many, max_size=many, unique=True))
            return {key: self.of(inner[0], depth - 1) for key in keys}
        if kind == "record":
            names = [field["name"] for field in node["fields"]]
            # The one that leads there comes first: with it, the others are free.
            order = sorted(range(len(names)), key=lambda index: self._distance(inner[index]))
            values = {names[index]: self.of(inner[index], depth - 1) for index in order}
            return {name: values[name] for name in names}
        return self._draw(_scalar(node))

    def _open(self, branches: list[Path], depth: int) -> list[Path]:
        """Give the branches that may be taken."""
        if min(map(self._distance, branches)) < FAR and self._distances is not None:
            return [min(branches, key=self._distance)]
        if depth <= 0:
            return [min(branches, key=self._heights)]
        return [branch for branch in branches if self._heights(branch) < FAR]

    def _many(self, inner: Path, depth: int) -> int:
        """Draw how many items an array or a map has."""
        if self._distances is not None and self._distance(inner) < FAR:
            return self._draw(st.integers(1, 2))
        if depth <= 0 or self._heights(inner) == FAR:
            return 0
        return self._draw(st.integers(0, _MOST))

    def _distance(self, path: Path) -> int:
        return FAR if self._distances is None else self._distances(path)


def _scalar(node: Any) -> st.SearchStrategy[Any]:
    """Give the values of a type that is made of no others."""
    if isinstance(node, str):
        return _VALUES[node]
    if node["type"] == "enum":
        return st.sampled_from(node["symbols"])
    if node.get("logicalType") == "decimal":
        return _decimals(node)
    if node["type"] == "fixed":
        return st.binary(min_size=node["size"], max_size=node["size"])
    return _LOGICAL.get(node.get("logicalType"), _VALUES[node["type"]])


def _decimals(node: Any) -> st.SearchStrategy[Decimal]:
    most = 10 ** node["precision"] - 1
    return st.integers(-most, most).map(lambda digits: Decimal(digits).scaleb(-node.get("scale", 0)))


def default(layout: Layout, path: Path) -> st.SearchStrategy[Any]:
    """Give the defaults that a field of the type at a place may have, as JSON."""
    return _default(layout, path)


@st.composite
def _default(draw: st.DrawFn, layout: Layout, path: Path) -> Any:
    kind, node, inner = layout.kind(path), layout.at(layout.home(path)), layout.within(path)
    if kind == "union":
        return draw(default(layout, inner[0]))
    if kind in {"array", "map"}:
        # Whatever is within may hold the same again, so what is deep stays empty.
        most = 0 if layout.within(inner[0]) else 1
        items = draw(st.dictionaries(_TEXTS, default(layout, inner[0]), max_size=most))
        return items if kind == "map" else list(items.values())
    if kind == "record":
        return {
            field["name"]: draw(default(layout, place))
            for field, place in zip(node["fields"], inner, strict=True)
            if "default" not in field or draw(st.booleans())
        }
    return draw(_default_scalar(kind, node))


def _default_scalar(kind: str, node: Any) -> st.SearchStrategy[Any]:
    if kind in {"bytes", "fixed"}:
        return _stored_bytes(node).map(lambda stored: stored.decode("latin-1"))
    if kind == "enum":
        return st.sampled_from(node["symbols"])
    if kind in {"float", "double"}:
        # JSON has no infinities.
        return _VALUES[kind].filter(math.isfinite)
    logical = node.get("logicalType", "") if isinstance(node, dict) else ""
    return _STORED.get(logical, _VALUES[kind])


def _stored_bytes(node: Any) -> st.SearchStrategy[bytes]:
    if isinstance(node, dict) and node["type"] == "fixed":
        size = node["size"]
        if node.get("logicalType") == "decimal":
            return st.integers(-9, 9).map(lambda digits: digits.to_bytes(size, "big", signed=True))
        return st.binary(min_size=size, max_size=size)
    if isinstance(node, dict) and node.get("logicalType") == "decimal":
        return st.integers(-9, 9).map(lambda digits: digits.to_bytes(1, "big", signed=True))
    return _VALUES["bytes"]


def value_of_default(layout: Layout, path: Path, json: Any) -> Any:
    """Give the value that a default stands for, as the specification has it."""
    kind, node, inner = layout.kind(path), layout.at(layout.home(path)), layout.within(path)
    if kind == "union":
        return value_of_default(layout, inner[0], json)
    if kind == "array":
        return [value_of_default(layout, inner[0], one) for one in json]
    if kind == "map":
        return {key: value_of_default(layout, inner[0], one) for key, one in json.items()}
    if kind == "record":
        return {
            field["name"]: value_of_default(layout, place, json.get(field["name"], field.get("default")))
            for field, place in zip(node["fields"], inner, strict=True)
        }
    stored = json.encode("latin-1") if kind in {"bytes", "fixed"} else json
    if isinstance(node, str) or "logicalType" not in node:
        return stored
    without = {key: one for key, one in node.items() if key != "logicalType"}
    return decoded(node, node, encoded(without, stored))


def encoded(schema: Any, value: Any) -> bytes:
    """Write a value, without a frame."""
    body = io.BytesIO()
    fastavro.schemaless_writer(body, schema, value)
    return body.getvalue()


def decoded(reader: Any, writer: Any, body: bytes) -> Any:
    """Read what `writer` wrote as `reader`, with fastavro, to the last byte."""
    stream = io.BytesIO(body)
    value = fastavro.schemaless_reader(stream, writer, reader)
    assert stream.read() == b""
    return value
