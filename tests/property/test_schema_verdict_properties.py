"""The verdict on any pair of schemas is that of Java's Avro, and every refusal has a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import event, given
from hypothesis import strategies as st

from pipeline.schemas.verdict import verdict
from tests.strategies import evolve, schemas

if TYPE_CHECKING:
    from tests.java_avro import JavaAvro


@st.composite
def _pairs(draw: st.DrawFn) -> tuple[str, Any, Any]:
    """Two schemas drawn apart, or one and what a few operations made of it; either may be the reader."""
    one = draw(schemas())
    if draw(st.integers(0, 3)) == 0:
        return "drawn apart", one, draw(schemas())
    other, names = one, []
    for _ in range(draw(st.integers(1, 3))):
        evolution = draw(evolve(other))
        other = evolution.new
        names.append(evolution.operation)
    pair = (one, other) if draw(st.booleans()) else (other, one)
    return ", ".join(names), *pair


@given(pair=_pairs())
def test_javas_avro_says_the_same(java: JavaAvro, pair: tuple[str, Any, Any]) -> None:
    how, reader, writer = pair
    theirs = java.reads(reader, writer)
    event(f"java says {theirs}")
    found = verdict(reader, writer, lints=False)
    if theirs is None:
        # Crossed aliases: Java throws, and the lint says so.
        assert found or "field_aliases_cross" in {reason.rule for reason in verdict(reader, writer)}
    else:
        assert theirs is (not found), (how, found)


@given(schema=schemas())
def test_every_schema_reads_itself(schema: Any) -> None:
    assert verdict(schema, schema, lints=False) == []


@given(pair=_pairs())
def test_a_lint_only_ever_adds_a_reason(pair: tuple[str, Any, Any]) -> None:
    _, reader, writer = pair
    strict, plain = verdict(reader, writer), verdict(reader, writer, lints=False)
    assert not plain or strict == plain
    assert all(reason.path == "" or reason.path.startswith("/") for reason in strict)
