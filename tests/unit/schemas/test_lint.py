"""Each rule of the lint, with the wrong value that it prevents, as Java reads it (and so Spark)."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import fastavro
import pytest
from avro.schema import make_avsc_object

from pipeline.schemas.judge import reads
from pipeline.schemas.lint import RULES
from pipeline.schemas.verdict import verdict
from tests.java_avro import JavaRefusedError

if TYPE_CHECKING:
    from tests.java_avro import JavaAvro

MILLIS = {"type": "long", "logicalType": "timestamp-millis"}
MICROS = {"type": "long", "logicalType": "timestamp-micros"}
DATE = {"type": "int", "logicalType": "date"}


def record(*fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": "R", "fields": list(fields), **more}


def field(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **more}


def inner(*fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "record", "name": "I", "fields": list(fields)}


OLD, NEW = inner(field("old", "int")), inner(field("new", "int", aliases=["old"]))
NESTED = (field("r", {"type": "array", "items": inner(field("a", "R", default={"r": []}))}),)
EMPTY = field("e", [{"type": "array", "items": "int"}, "null"], default=[])
OLD_DEFAULT = record(field("o", OLD, default={"old": 1}))


def decimal(precision: int, scale: int) -> dict[str, Any]:
    return {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}


def enum(*symbols: str, **more: Any) -> dict[str, Any]:
    return {"type": "enum", "name": "E", "symbols": list(symbols), **more}


def read(java: JavaAvro, reader: Any, writer: Any, value: Any) -> str:
    """Give what the reader makes, in Java, of a value that the writer wrote."""
    written = io.BytesIO()
    fastavro.schemaless_writer(written, fastavro.parse_schema(writer), value)
    return java.decoded(reader, writer, written.getvalue())


def told(reader: Any, writer: Any) -> list[tuple[str, str]]:
    assert verdict(reader, writer, lints=False) == []
    return [(reason.path, reason.rule) for reason in verdict(reader, writer)]


@pytest.mark.parametrize(
    ("reader", "writer", "path", "rule"),
    [
        (decimal(6, 3), decimal(6, 2), "", "decimal_changed"),
        (decimal(8, 2), decimal(6, 2), "", "decimal_changed"),
        (MICROS, MILLIS, "", "logical_type_changed"),
        (MILLIS, DATE, "", "logical_type_changed"),
        (MILLIS, "long", "", "logical_type_changed"),
        ("long", MILLIS, "", "logical_type_changed"),
        ("float", "int", "", "promotion_loses"),
        ("float", "long", "", "promotion_loses"),
        ("double", "long", "", "promotion_loses"),
        ("string", "bytes", "", "text_and_bytes"),
        ("bytes", "string", "", "text_and_bytes"),
        (["double", "long"], "int", "", "union_branch_order"),
        (record(namespace="b"), record(namespace="a"), "/name", "namespace_changed"),
        (
            record(namespace="a", aliases=["Old"]),
            {**record(namespace="a"), "name": "Old"},
            "/aliases",
            "namespaced_alias",
        ),
        (
            record(field("a", "int", aliases=["b"]), field("b", "int", aliases=["a"])),
            record(field("a", "int"), field("b", "int")),
            "/fields/0",
            "field_aliases_cross",
        ),
        (
            record(field("a", "int"), field("b", "int", aliases=["a"])),
            record(field("a", "int")),
            "/fields/1",
            "field_aliases_cross",
        ),
        (
            # Java tries the branch that it is not, too, and throws. The nightly profile drew this one.
            [record(field("a", "null", aliases=["c"])), inner(field("a", "int"))],
            [record(field("a", "null")), inner(field("c", "null", default=None), field("a", "int"))],
            "/0/fields/0",
            "field_aliases_cross",
        ),
        (enum("A", "B"), enum("A"), "/symbols", "enum_without_default"),
        (record(field("a", "int", default="x")), record(), "/fields/0/default", "default_invalid"),
        # The nightly profile drew these two.
        (record(EMPTY), record(), "/fields/0/default", "empty_default_of_union"),
        (record(field("o", NEW)), OLD_DEFAULT, "/fields/0/type/fields/0/aliases", "default_not_carried_over"),
        (
            record(field("o", {"type": "array", "items": NEW})),
            record(field("o", {"type": "array", "items": OLD}, default=[{"old": 1}])),
            "/fields/0/type/items/fields/0/aliases",
            "default_not_carried_over",
        ),
        (
            # For any alias Java makes the writer anew: a default of the very record is too early.
            {**record(field("new", "int", default=0), *NESTED), "aliases": ["Old"]},
            record(*NESTED),
            "/aliases",
            "default_not_carried_over",
        ),
        (
            # The type has another name, too, and what holds it is not read.
            record(field("n", ["null", {**NEW, "name": "I2", "aliases": ["I"]}], default=None)),
            record(field("o", {"type": "map", "values": [OLD, "null"]}, default={"k": {"old": 1}})),
            "/fields/0/type/1/fields/0/aliases",
            "default_not_carried_over",
        ),
    ],
)
def test_each_rule_objects_to_what_the_check_lets_through(
    reader: Any, writer: Any, path: str, rule: str
) -> None:
    assert (path, rule) in told(reader, writer)
    assert rule in RULES


@pytest.mark.parametrize(
    ("reader", "writer"),
    [
        (decimal(6, 2), decimal(6, 2)),
        (MILLIS, MILLIS),
        ({"type": "long", "logicalType": "unheard-of"}, "long"),
        ({"type": "int", "logicalType": "timestamp-millis"}, "int"),
        (decimal(2, 6), "bytes"),
        (
            {"type": "fixed", "name": "F", "size": 2, "logicalType": "decimal", "precision": 5},
            {"type": "fixed", "name": "F", "size": 2},
        ),
        ("long", "int"),
        ("double", "float"),
        ("double", "int"),
        (["double", "long", "int"], "int"),
        (["null", "long"], "int"),
        (record(namespace="a"), record(namespace="a")),
        (record(aliases=["Old"]), {**record(), "name": "Old"}),
        (
            record(field("a", "int", aliases=["old"]), field("b", "int")),
            record(field("old", "int"), field("b", "int")),
        ),
        # Here the branch that it is comes first.
        (
            [inner(field("a", "int")), record(field("a", "null", aliases=["c"]))],
            [record(field("a", "null")), inner(field("c", "null", default=None), field("a", "int"))],
        ),
        # Alike but for the alias, or without any.
        ({**record(*NESTED), "aliases": ["Old"]}, record(*NESTED)),
        (record(field("new", "int", default=0), *NESTED), record(*NESTED)),
        # A default that names nothing, or nothing that has another name now.
        (record(field("o", NEW)), record(field("o", inner(field("old", "int", default=1)), default={}))),
        (
            record(field("o", {"type": "array", "items": NEW})),
            record(field("o", {"type": "array", "items": OLD}, default=[])),
        ),
        (record(field("o", NEW), field("p", "int")), record(field("o", OLD), field("p", "int", default=1))),
        (record(field("o", OLD)), OLD_DEFAULT),
        (enum("A", "B", default="A"), enum("A", default="A")),
        (enum("A", default="A"), enum("A", "B")),
        (
            record(
                field("a", ["null", "int"], default=None),
                field("b", "bytes", default="ÿ"),
                field("c", {"type": "fixed", "name": "F", "size": 2}, default="ab"),
                field("d", enum("X"), default="X"),
                field("e", {"type": "array", "items": "int"}, default=[1]),
                field("f", {"type": "map", "values": "float"}, default={"k": 1}),
                field(
                    "g",
                    record(field("x", "long"), field("y", "boolean", default=True), name="G"),
                    default={"x": 7},
                ),
                field("h", "string", default=""),
                field("i", "null", default=None),
                field("j", "double", default=1.5),
            ),
            record(),
        ),
    ],
)
def test_no_rule_objects_to_what_is_read_as_it_was_written(reader: Any, writer: Any) -> None:
    assert told(reader, writer) == []


@pytest.mark.parametrize(
    ("kind", "default"),
    [
        ("int", 2**31),
        ("int", True),
        ("int", 1.0),
        ("long", -(2**63) - 1),
        ("float", "1"),
        ("double", 10**400),
        ("boolean", 0),
        ("string", None),
        ("bytes", "€"),
        ({"type": "fixed", "name": "F", "size": 2}, "a"),
        (enum("X"), "Y"),
        ({"type": "array", "items": "int"}, ["a"]),
        ({"type": "map", "values": "int"}, [1]),
        (record(field("x", "long"), name="G"), {}),
        (["null", "int"], 1),
    ],
)
def test_a_default_that_is_no_value_of_its_type_is_told(kind: Any, default: Any) -> None:
    assert ("/fields/0/default", "default_invalid") in told(
        record(field("a", kind, default=default)), record()
    )


def test_a_default_is_found_however_deep_it_lies_and_told_once() -> None:
    deep = record(field("bad", "int", default="x"), name="Deep")
    reader = record(
        field("m", {"type": "map", "values": {"type": "array", "items": ["null", deep]}}, default={}),
        field("again", ["null", "Deep"], default=None),
    )
    path = "/fields/0/type/values/items/1/fields/0/default"
    assert [(path, "default_invalid")] == told(reader, record())


def test_a_rule_looks_into_everything_that_is_read() -> None:
    def around(kind: Any) -> dict[str, Any]:
        return record(
            field("u", ["null", {"type": "array", "items": {"type": "map", "values": kind}}]),
            field("r", {"type": "array", "items": "R"}),
        )

    assert [("/fields/0/type/1/items/values", "logical_type_changed")] == told(around(MICROS), around(MILLIS))


JULY = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rule", "reader", "writer", "value", "wrong"),
    [
        ("decimal_changed", decimal(6, 3), decimal(6, 2), Decimal("12.34"), "1.234"),
        ("logical_type_changed", MICROS, MILLIS, JULY, "1970-01-21T15:14:24Z"),
        ("logical_type_changed", MILLIS, DATE, date(2026, 7, 1), "1970-01-01T00:00:20.635Z"),
        ("promotion_loses", "float", "int", 2**24 + 1, "16777216.0"),
        ("promotion_loses", "double", "long", 2**53 + 1, "9007199254740992.0"),
        ("text_and_bytes", "string", "bytes", b"\xff", "\ufffd"),
        ("union_branch_order", ["double", "long"], "int", 5, "5.0"),
    ],
)
def test_what_a_rule_objects_to_comes_out_wrong(  # noqa: PLR0913, PLR0917 - a row
    java: JavaAvro, rule: str, reader: Any, writer: Any, value: Any, wrong: str
) -> None:
    assert rule in {found for _, found in told(reader, writer)}
    assert wrong == read(java, reader, writer, value)


@pytest.mark.parametrize(
    ("rule", "reader", "writer", "value", "words"),
    [
        (
            "field_aliases_cross",
            record(field("a", "int"), field("b", "int", aliases=["a"])),
            record(field("a", "int")),
            {"a": 1},
            "missing required field",
        ),
        (
            "namespace_changed",
            record(field("new", "int", aliases=["old"]), namespace="b"),
            record(field("old", "int"), namespace="a"),
            {"old": 1},
            r"Found a\.R, expecting b\.R, missing required field new",
        ),
        ("default_invalid", record(field("a", "int", default="x")), record(), {}, "Non-numeric default"),
        (
            "default_not_carried_over",
            record(field("o", NEW)),
            OLD_DEFAULT,
            {"o": {"old": 1}},
            "Invalid default for field o",
        ),
        (
            "default_not_carried_over",
            record(field("n", ["null", {**NEW, "name": "I2", "aliases": ["I"]}], default=None)),
            record(field("o", {"type": "map", "values": [OLD, "null"]}, default={"k": {"old": 1}})),
            {"o": {}},
            "Invalid default for field o",
        ),
        (
            "default_not_carried_over",
            {**record(field("new", "int", default=0), *NESTED), "aliases": ["Old"]},
            record(*NESTED),
            {"r": []},
            "Schema fields not set yet",
        ),
    ],
)
def test_what_a_rule_objects_to_cannot_be_read(  # noqa: PLR0913, PLR0917 - a row
    java: JavaAvro, rule: str, reader: Any, writer: Any, value: Any, words: str
) -> None:
    assert rule in {found for _, found in told(reader, writer)}
    with pytest.raises(JavaRefusedError, match=words):
        read(java, reader, writer, value)


def test_an_enum_that_grows_cannot_be_read_by_the_version_before_it_not_even_with_the_fields_default(
    java: JavaAvro,
) -> None:
    old = record(field("e", enum("A"), default="A"))
    new = record(field("e", enum("A", "B"), default="A"))
    assert ("/fields/0/type/symbols", "enum_without_default") in told(new, old)
    with pytest.raises(JavaRefusedError, match="No match for B"):
        read(java, old, new, {"e": "B"})
    rescued = record(field("e", enum("A", default="A")))
    assert read(java, rescued, new, {"e": "B"}) == '{"e": "A"}'


def test_an_alias_in_a_namespace_divides_the_libraries(java: JavaAvro) -> None:
    reader = record(namespace="a", aliases=["Old"])
    writer = {**record(namespace="a"), "name": "Old"}
    assert ("/aliases", "namespaced_alias") in told(reader, writer)
    assert reads(make_avsc_object(reader), make_avsc_object(writer)) is False
    assert java.reads(reader, writer) is True
