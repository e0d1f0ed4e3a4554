"""What each named operation on a schema does: the verdict, and what is read of what was written before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fastavro.read import SchemaResolutionError
from hypothesis import assume, event, given, note, settings
from hypothesis import strategies as st

from pipeline.schemas.modes import MODES
from pipeline.schemas.verdict import following, verdict
from tests.java_avro import JavaRefusedError
from tests.schemas.data import decoded, encoded
from tests.schemas.evolving import Reading, as_specified, filled_raw
from tests.schemas.layout import Layout, plain, unmistakable
from tests.schemas.operations import OPERATIONS
from tests.strategies import data, evolve, schemas

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.java_avro import JavaAvro
    from tests.schemas.evolving import Evolution

# What all libraries agree on, and has values: the others have tests of their own.
_agreed = schemas().filter(lambda schema: unmistakable(schema) and Layout(schema).is_inhabited())


@st.composite
def _evolutions(draw: st.DrawFn, *operations: str) -> Evolution:
    evolution = draw(_agreed.flatmap(lambda schema: evolve(schema, *operations)))
    assume(unmistakable(evolution.new) and Layout(evolution.new).is_inhabited())
    event(evolution.operation)
    return evolution


@st.composite
def _readings(draw: st.DrawFn, which: Callable[[Reading], bool], *operations: str) -> Reading:
    evolution = draw(_evolutions(*operations))
    found = [reading for reading in evolution.readings() if which(reading)]
    assume(found)
    return draw(st.sampled_from(found))


_unsafe = [
    name for name, operation in OPERATIONS.items() if operation.safety != "both" and name != "rename a type"
]


# A schema that every operation finds a place in.
EVERYTHING: dict[str, Any] = {
    "type": "record",
    "name": "Everything",
    "namespace": "n",
    "fields": [
        {"name": "one", "type": "int"},
        {"name": "two", "type": "string", "default": "x"},
        {"name": "three", "type": {"type": "array", "items": "double"}},
        {"name": "four", "type": {"type": "map", "values": "float"}},
        {"name": "five", "type": ["null", "boolean"], "default": None},
        {"name": "six", "type": {"type": "enum", "name": "Six", "symbols": ["A", "B"]}},
        {"name": "seven", "type": {"type": "enum", "name": "Seven", "symbols": ["A", "B"], "default": "A"}},
        {"name": "eight", "type": {"type": "fixed", "name": "Eight", "size": 2}},
        {"name": "nine", "type": {"type": "array", "items": "n.Everything"}},
        {"name": "ten", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "eleven", "type": {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2}},
        {"name": "twelve", "type": {"type": "fixed", "name": "Twelve", "namespace": "", "size": 2}},
    ],
}


# For aliases Java makes the writer's schema anew; whether its defaults allow it depends on the whole schema.
NOT_CARRIED = "default_not_carried_over"

SAFETY = {
    (True, True): "both",
    (True, False): "backward",
    (False, True): "forward",
    (False, False): "neither",
}


@pytest.mark.parametrize("operation", OPERATIONS)
@settings(max_examples=10)
@given(drawn=st.data())
def test_each_operation_does_what_it_is_tagged_with(
    java: JavaAvro, operation: str, drawn: st.DataObject
) -> None:
    evolution = drawn.draw(evolve(EVERYTHING, operation))
    assert operation == evolution.operation
    assert OPERATIONS[operation].safety == SAFETY[evolution.backward.is_read(), evolution.forward.is_read()]
    for reading, lints in zip(evolution.readings(), evolution.lints(), strict=True):
        assert reading.is_read() is (verdict(reading.reader, reading.writer, lints=False) == [])
        if not evolution.throws:
            assert reading.is_read() is java.reads(reading.reader, reading.writer)
        if reading.is_read():
            assert lints == {reason.rule for reason in verdict(reading.reader, reading.writer)}
        if reading.is_predicted():
            value = drawn.draw(data(reading.writer))
            read = decoded(reading.reader, reading.writer, encoded(reading.writer, value))
            assert filled_raw(reading.expected(value)) == read
        elif reading.is_lost():
            witness = drawn.draw(reading.witnesses())
            with pytest.raises(SchemaResolutionError):
                decoded(reading.reader, reading.writer, encoded(reading.writer, witness))


@given(evolution=_evolutions())
def test_the_verdict_on_an_operation_is_the_same_wherever_it_is_done(evolution: Evolution) -> None:
    old, new = evolution.old, evolution.new
    assert {mode: evolution.is_safe(mode) for mode in MODES} == {
        mode: not following(mode, [old], new, lints=False) for mode in MODES
    }
    assert evolution.lints() == tuple(
        frozenset(reason.rule for reason in verdict(reading.reader, reading.writer)) - {NOT_CARRIED}
        if reading.is_read()
        else set()
        for reading in evolution.readings()
    )


@given(evolution=_evolutions())
def test_java_says_of_an_operation_what_it_is_tagged_with(java: JavaAvro, evolution: Evolution) -> None:
    tagged = (None if evolution.throws else evolution.backward.is_read(), evolution.forward.is_read())
    assert tagged == tuple(java.reads(reading.reader, reading.writer) for reading in evolution.readings())


@given(reading=_readings(Reading.is_predicted), drawn=st.data())
def test_what_is_compatible_is_read_as_the_operation_predicts(
    java: JavaAvro, reading: Reading, drawn: st.DataObject
) -> None:
    value = drawn.draw(data(reading.writer))
    body = encoded(reading.writer, value)
    expected = reading.expected(value)
    assert filled_raw(expected) == decoded(reading.reader, reading.writer, body)
    rules = {reason.rule for reason in verdict(reading.reader, reading.writer)}
    if NOT_CARRIED in rules:
        with pytest.raises(JavaRefusedError, match=r"Invalid default for field|Schema fields not set yet"):
            java.resolved(reading.reader, reading.writer, body)
        return
    try:
        by_java = java.resolved(reading.reader, reading.writer, body)
    except JavaRefusedError as error:
        # Only where what was written comes to the field.
        if "empty_default_of_union" not in rules or "Not an array" not in str(error):
            raise
        return
    assert as_specified(expected) == decoded(reading.reader, reading.reader, by_java)


@given(reading=_readings(Reading.is_lost, *_unsafe), drawn=st.data())
def test_for_what_is_not_compatible_there_is_a_witness(
    java: JavaAvro, reading: Reading, drawn: st.DataObject
) -> None:
    witness = drawn.draw(reading.witnesses())
    body = encoded(reading.writer, witness)
    note(f"witness {witness!r}")
    with pytest.raises(SchemaResolutionError):
        decoded(reading.reader, reading.writer, body)
    with pytest.raises(JavaRefusedError):
        java.resolved(reading.reader, reading.writer, body)


@given(
    evolution=_agreed.flatmap(lambda schema: evolve(schema, "rename a type", "change nothing")),
    drawn=st.data(),
)
def test_where_only_a_name_differs_the_bytes_do_not(evolution: Evolution, drawn: st.DataObject) -> None:
    value = drawn.draw(data(evolution.old))
    body = encoded(evolution.old, value)
    assert plain(value) == decoded(evolution.new, evolution.new, body)


@given(schema=_agreed, drawn=st.data())
def test_what_is_written_is_read(schema: Any, drawn: st.DataObject) -> None:
    value = drawn.draw(data(schema))
    assert plain(value) == decoded(schema, schema, encoded(schema, value))
