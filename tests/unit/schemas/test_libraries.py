"""Where libraries read differently: each case by name, as fastavro reads it and as Java does (and so Spark).

What is no more than this is what the properties of tests/property/ leave out.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from fastavro.read import SchemaResolutionError
from fastavro.schema import SchemaParseException, to_parsing_canonical_form

from pipeline.schemas.verdict import verdict
from tests.java_avro import JavaRefusedError
from tests.schemas.data import decoded, encoded
from tests.schemas.layout import unmistakable

if TYPE_CHECKING:
    from tests.java_avro import JavaAvro

MILLIS = {"type": "long", "logicalType": "timestamp-millis"}
MICROS = {"type": "long", "logicalType": "timestamp-micros"}
DATE = {"type": "int", "logicalType": "date"}
JULY = datetime(2026, 7, 1, tzinfo=UTC)


def record(*fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": "R", "fields": list(fields), **more}


def field(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **more}


def decimal(precision: int, scale: int) -> dict[str, Any]:
    return {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}


def enum(*symbols: str) -> dict[str, Any]:
    return {"type": "enum", "name": "E", "symbols": list(symbols)}


def by_java(java: JavaAvro, reader: Any, writer: Any, value: Any) -> Any:
    return decoded(reader, reader, java.resolved(reader, writer, encoded(writer, value)))


def by_fastavro(reader: Any, writer: Any, value: Any) -> Any:
    return decoded(reader, writer, encoded(writer, value))


INNER_EMPTY = {**record(field("a", [{"type": "array", "items": "int"}, "null"], default=[])), "name": "Empty"}
INNER = {**record(field("x", "int"), field("y", "bytes", default="ÿ")), "name": "Inner"}


@pytest.mark.parametrize(
    ("kind", "default", "raw", "value"),
    [
        ("bytes", "ÿ", "ÿ", b"\xff"),
        (MILLIS, 0, 0, datetime(1970, 1, 1, tzinfo=UTC)),
        (decimal(4, 2), "d", "d", Decimal(1)),
        (INNER, {"x": 7}, {"x": 7}, {"x": 7, "y": b"\xff"}),
    ],
)
def test_fastavro_fills_in_a_default_as_the_json_that_it_is_written_in(
    java: JavaAvro, kind: Any, default: Any, raw: Any, value: Any
) -> None:
    reader = record(field("a", kind, default=default))
    assert {"a": raw} == by_fastavro(reader, record(), {})
    assert {"a": value} == by_java(java, reader, record(), {})


@pytest.mark.parametrize(
    ("rule", "reader", "writer", "value", "kept", "reinterpreted"),
    [
        ("decimal_changed", decimal(6, 3), decimal(6, 2), *map(Decimal, ("12.34", "12.34", "1.234"))),
        ("logical_type_changed", MICROS, MILLIS, JULY, JULY, datetime(1970, 1, 21, 15, 14, 24, tzinfo=UTC)),
        (
            "logical_type_changed",
            MILLIS,
            DATE,
            date(2026, 7, 1),
            date(2026, 7, 1),
            datetime(1970, 1, 1, 0, 0, 20, 635_000, tzinfo=UTC),
        ),
        ("promotion_loses", "float", "int", 2**24 + 1, 2.0**24 + 1, 2.0**24),
    ],
)
def test_fastavro_keeps_what_the_writer_meant_and_java_takes_it_as_the_readers(  # noqa: PLR0913, PLR0917 - a row
    java: JavaAvro, rule: str, reader: Any, writer: Any, value: Any, kept: Any, reinterpreted: Any
) -> None:
    assert [rule] == [reason.rule for reason in verdict(reader, writer)]
    assert kept == by_fastavro(reader, writer, value)
    assert reinterpreted == by_java(java, reader, writer, value)


def test_fastavro_takes_the_first_branch_that_can_read_and_java_the_one_that_is_the_same(
    java: JavaAvro,
) -> None:
    reader, large = ["double", "long"], 2**53 + 1
    assert not unmistakable(reader)
    assert verdict(reader, "long") == []
    assert 2.0**53 == by_fastavro(reader, "long", large)
    assert large == by_java(java, reader, "long", large)


def test_an_int_that_is_no_branch_is_read_as_the_first_that_can(java: JavaAvro) -> None:
    reader = ["double", "long"]
    for read in (by_fastavro(reader, "int", 5), by_java(java, reader, "int", 5)):
        assert isinstance(read, float)


def test_an_alias_that_is_another_types_name_takes_that_ones_place(java: JavaAvro) -> None:
    other = {**record(field("x", "int"), field("z", "int", default=0)), "name": "Other"}
    reader = [record(field("x", "int"), aliases=["Other"]), other]
    writer = {**record(field("x", "int")), "name": "Other"}
    assert not unmistakable(reader)
    assert {"x": 1} == by_fastavro(reader, writer, {"x": 1}) == by_java(java, reader, writer, {"x": 1})
    assert {"x": 1, "z": 0} == by_fastavro(other, writer, {"x": 1})


def test_a_default_of_another_type_is_none_for_fastavro_and_fails_in_java(java: JavaAvro) -> None:
    reader = record(field("a", "int", default="seven"))
    assert java.reads(reader, record()) is True
    with pytest.raises(SchemaParseException, match="Default value <seven> must match schema type: int"):
        by_fastavro(reader, record(), {})
    with pytest.raises(JavaRefusedError, match="Non-numeric default"):
        by_java(java, reader, record(), {})


def test_crossed_aliases_are_read_by_name_and_javas_checker_throws(java: JavaAvro) -> None:
    writer = record(field("a", "int"), field("b", "int"))
    reader = record(field("a", "int", aliases=["b"]), field("b", "int", aliases=["a"]))
    assert java.reads(reader, writer) is None
    values = {"a": 1, "b": 2}
    assert values == by_fastavro(reader, writer, values) == by_java(java, reader, writer, values)


def test_javas_checker_throws_at_a_branch_that_it_only_tries(java: JavaAvro) -> None:
    other = {**record(field("c", "null", default=None), field("a", "int")), "name": "S"}
    tried, chosen = record(field("a", "null", aliases=["c"])), {**record(field("a", "int")), "name": "S"}
    assert java.reads([tried, chosen], other) is None
    assert java.reads([chosen, tried], other)


def test_a_union_that_java_tries_in_vain_is_not_even_read_by_itself(java: JavaAvro) -> None:
    tried = record(field("a", "null", aliases=["d"]), field("b", "null"))
    other = {**record(field("d", "null"), field("a", "null")), "name": "S"}
    for union, throws in (([tried, other], True), ([other, tried], False)):
        assert not unmistakable(union)
        assert java.reads(union, union) is (None if throws else True)
        assert (["field_aliases_cross"] if throws else []) == [
            reason.rule for reason in verdict(union, union)
        ]


def test_java_takes_no_empty_array_for_the_default_of_a_union(java: JavaAvro) -> None:
    kind = [{"type": "array", "items": "int"}, "null"]
    reader = record(field("a", kind, default=[]))
    assert ["empty_default_of_union"] == [reason.rule for reason in verdict(reader, record())]
    assert {"a": []} == by_fastavro(reader, record(), {})
    with pytest.raises(JavaRefusedError, match="Not an array"):
        by_java(java, reader, record(), {})
    for fine, writer, value in (
        (record(field("a", kind, default=[1])), record(), {}),
        (record(field("a", kind[0], default=[])), record(), {}),
        (reader, record(field("a", kind)), {"a": [1]}),
        (record(field("o", INNER_EMPTY, default={"a": []})), record(), {}),
    ):
        assert verdict(fine, writer) == []
        assert by_fastavro(fine, writer, value) == by_java(java, fine, writer, value)


def test_an_alias_of_a_field_that_is_read_by_its_own_name_reads_nothing(java: JavaAvro) -> None:
    reader = record(field("a", "int"), field("b", "int", aliases=["a"]))
    writer = record(field("a", "int"))
    assert ["field_aliases_cross"] == [reason.rule for reason in verdict(reader, writer)]
    with pytest.raises(SchemaResolutionError, match="No default value for field b"):
        by_fastavro(reader, writer, {"a": 1})
    with pytest.raises(JavaRefusedError, match="missing required field"):
        by_java(java, reader, writer, {"a": 1})


def test_a_symbol_is_not_rescued_by_the_default_of_a_field(java: JavaAvro) -> None:
    reader = record(field("e", enum("A"), default="A"))
    writer = record(field("e", enum("A", "B"), default="A"))
    assert ["missing_enum_symbols"] == [reason.rule for reason in verdict(reader, writer)]
    with pytest.raises(SchemaResolutionError, match="B not found"):
        by_fastavro(reader, writer, {"e": "B"})
    with pytest.raises(JavaRefusedError, match="No match for B"):
        by_java(java, reader, writer, {"e": "B"})


def test_what_is_not_compatible_may_be_read_until_the_value_comes_that_is_not(java: JavaAvro) -> None:
    reader, writer = "int", ["null", "int"]
    assert ["type_mismatch"] == [reason.rule for reason in verdict(reader, writer)]
    assert 7 == by_fastavro(reader, writer, ("int", 7)) == by_java(java, reader, writer, ("int", 7))
    with pytest.raises(SchemaResolutionError):
        by_fastavro(reader, writer, ("null", None))
    with pytest.raises(JavaRefusedError):
        by_java(java, reader, writer, ("null", None))


def test_another_name_is_refused_by_fastavro_and_read_by_java_at_the_root_alone(java: JavaAvro) -> None:
    reader, writer = {**record(field("x", "int")), "name": "Q"}, record(field("x", "int"))
    assert ["name_mismatch"] == [reason.rule for reason in verdict(reader, writer)]
    with pytest.raises(SchemaResolutionError):
        by_fastavro(reader, writer, {"x": 1})
    reader, writer = (record(field("f", {"type": "fixed", "name": name, "size": 2})) for name in ("A", "B"))
    with pytest.raises(JavaRefusedError, match="Found B, expecting A"):
        by_java(java, reader, writer, {"f": b"ab"})


def test_the_canonical_form_of_a_type_of_no_namespace_within_one_is_that_of_another(java: JavaAvro) -> None:
    schema = record(field("a", {**record(), "name": "S", "namespace": ""}), namespace="n")
    other = record(field("a", {**record(), "name": "S"}), namespace="n")
    form = '{"name":"n.R","type":"record","fields":[{"name":"a","type":%s}]}'
    within = '{"name":"%s","type":"record","fields":[]}'
    assert form % (within % "S") == to_parsing_canonical_form(schema) == java.canonical(schema)
    assert form % (within % "n.S") == to_parsing_canonical_form(other) == java.canonical(other)
