"""Whatever stands on a line, it is answered by one object."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from pipeline.schemas.asked import answer

_KEYS = (
    *("type", "name", "namespace", "fields", "symbols", "size", "items", "values", "aliases", "default"),
    *("logicalType", "precision", "scale", "order", "doc"),
)
_TEXTS = ("record", "enum", "fixed", "array", "map", "int", "bytes", "decimal", "date", "R", "n.R", ".", "")

# What looks like a schema, and hardly ever is one.
_scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(_TEXTS)
    | st.text(max_size=3)
    | st.just(10**400)
)
_almost_schemas = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=6),
)


@st.composite
def _almost_named(draw: st.DrawFn) -> Any:
    """What would be a schema, but for what stands at one of its keys."""
    almost: dict[str, Any] = {
        "type": draw(st.sampled_from(["record", "enum", "fixed"])),
        "name": "R",
        "fields": [{"name": "a", "type": "int"}],
        "symbols": ["A"],
        "size": 2,
    }
    where = draw(st.sampled_from([almost, almost["fields"][0]]))
    where[draw(st.sampled_from(_KEYS))] = draw(_almost_schemas)
    return almost


@st.composite
def _questions(draw: st.DrawFn) -> dict[str, Any]:
    schemas = st.just("int") | _almost_schemas | _almost_named()
    keys = draw(st.sampled_from([("reader", "writer"), ("new", "history"), ("reader",)]))
    question = {key: draw(schemas) for key in keys}
    if "history" in question and draw(st.booleans()):
        question["history"] = [question["history"]]
    if draw(st.booleans()):
        question["name"] = draw(_scalars)
    return question


@given(line=st.binary() | st.text().map(str.encode))
def test_any_bytes_are_answered(line: bytes) -> None:
    json.dumps(answer(line, "FULL_TRANSITIVE", lints=True), allow_nan=False)


@given(question=_questions(), lints=st.booleans())
def test_any_question_is_answered_with_reasons_or_an_error(question: dict[str, Any], *, lints: bool) -> None:
    told = answer(json.dumps(question).encode(), "FULL_TRANSITIVE", lints=lints)
    event(" ".join(sorted(told)))
    assert told.keys() in ({"name", "compatible", "reasons"}, {"name", "error"})
    assert told.get("compatible") is not True or not told["reasons"]
    json.dumps(told, allow_nan=False)
