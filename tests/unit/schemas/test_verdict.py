"""May this schema read what that one wrote: verdict, place of the reason, and questions that are none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.errors import SchemaError
from pipeline.schemas.asked import answer
from pipeline.schemas.modes import MODES, Mode, mode_named, steps
from pipeline.schemas.verdict import following, verdict

if TYPE_CHECKING:
    from tests.java_avro import JavaAvro

ENUM = {"type": "enum", "name": "E", "symbols": ["A", "B"]}


def record(*fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": "R", "fields": list(fields), **more}


def field(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **more}


@pytest.mark.parametrize(
    ("reader", "writer", "path", "rule", "words"),
    [
        ("int", "string", "", "type_mismatch", "int does not read string"),
        ("int", "long", "", "type_mismatch", "int does not read long"),
        (["null", "int"], "string", "", "missing_union_branch", "no branch of the union reads string"),
        ("int", ["int", "null"], "", "type_mismatch", "int does not read null"),
        (
            {"type": "array", "items": "int"},
            {"type": "array", "items": "long"},
            "/items",
            "type_mismatch",
            "int does not read long",
        ),
        (
            {"type": "map", "values": ENUM},
            {"type": "map", "values": {**ENUM, "symbols": ["A", "C", "D"]}},
            "/values/symbols",
            "missing_enum_symbols",
            "E lacks C, D, and has no default of its own",
        ),
        (
            record(field("a", "int"), field("b", "int")),
            record(field("a", "int")),
            "/fields/1",
            "reader_field_missing_default_value",
            "the writer has no field 'b', and it has no default",
        ),
        (
            record(field("a", ["null", record(field("x", "int"), name="Deep")])),
            record(field("a", ["null", record(field("x", "string"), name="Deep")])),
            "/fields/0/type/1/fields/0/type",
            "type_mismatch",
            "int does not read string",
        ),
        (
            {"type": "fixed", "name": "F", "size": 4},
            {"type": "fixed", "name": "F", "size": 8},
            "/size",
            "fixed_size_mismatch",
            "F has 4 bytes, the writer's has 8",
        ),
        (
            record(namespace="new"),
            {**record(namespace="old"), "name": "Q"},
            "/name",
            "name_mismatch",
            "new.R is not old.Q, nor an alias of it",
        ),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(
    reader: Any, writer: Any, path: str, rule: str, words: str
) -> None:
    assert [(path, rule, words)] == verdict(reader, writer, lints=False)


def test_every_reason_is_told_not_only_the_first() -> None:
    reader = record(field("a", "int"), field("b", ENUM), field("c", "long"), field("d", "bytes"))
    writer = record(field("a", "string"), field("b", {**ENUM, "symbols": ["Z"]}), field("c", "int"))
    assert ["/fields/0/type", "/fields/1/type/symbols", "/fields/3"] == [
        reason.path for reason in verdict(reader, writer, lints=False)
    ]


def tree(value: str) -> dict[str, Any]:
    return record(field("value", value), field("children", {"type": "array", "items": "R"}))


def test_a_recursive_record_ends() -> None:
    assert verdict(tree("long"), tree("int"), lints=False) == []
    assert [("/fields/0/type", "type_mismatch", "int does not read string")] == verdict(
        tree("int"), tree("string"), lints=False
    )


@pytest.mark.parametrize(
    ("aliases", "fits"),
    [(["Old"], True), (["a.Old"], True), (["b.Old"], False), ([], False)],
)
def test_an_alias_is_a_full_name_of_the_namespace_around_it(aliases: list[str], *, fits: bool) -> None:
    reader = record(namespace="a", aliases=aliases)
    writer = {**record(namespace="a"), "name": "Old"}
    assert fits is (verdict(reader, writer, lints=False) == [])


def test_a_reference_is_sought_in_the_namespace_around_it_and_then_in_none() -> None:
    inner = {"type": "fixed", "name": "F", "namespace": "", "size": 4}
    near = {"type": "fixed", "name": "F", "namespace": "a", "size": 8}
    outside = record(field("x", inner), field("y", "F"), namespace="a")
    both = record(field("x", inner), field("z", near), field("y", "F"), namespace="a")
    same_as = {"type": "record", "name": "R", "namespace": "a"}
    for schema, size in ((outside, 4), (both, 8)):
        plain = {"type": "fixed", "name": "F", "size": size}
        writer = {**same_as, "fields": [*schema["fields"][:-1], field("y", plain)]}
        assert verdict(schema, writer, lints=False) == []


def test_a_type_may_be_a_reference_in_an_object() -> None:
    schema = record(field("x", {"type": "fixed", "name": "F", "size": 4}), field("y", {"type": "F"}))
    assert verdict(schema, schema) == []


def test_a_name_may_come_before_its_definition_and_be_defined_twice_in_the_same_words() -> None:
    four = {"type": "fixed", "name": "F", "size": 4}
    plain = record(field("x", four), field("y", "F"))
    before = record(field("x", "F"), field("y", four))
    twice = record(field("x", four), field("y", dict(four)))
    for schema in (before, twice):
        assert verdict(schema, plain) == verdict(plain, schema) == []
    other = record(field("x", {**four, "size": 8}), field("y", "F"))
    assert ["/fields/0/type/size"] == [reason.path for reason in verdict(before, other)]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("NONE", []),
        ("BACKWARD", [(3, 2)]),
        ("FORWARD", [(2, 3)]),
        ("FULL", [(3, 2), (2, 3)]),
        ("BACKWARD_TRANSITIVE", [(3, 2), (3, 1)]),
        ("FORWARD_TRANSITIVE", [(2, 3), (1, 3)]),
        ("FULL_TRANSITIVE", [(3, 2), (2, 3), (3, 1), (1, 3)]),
    ],
)
def test_a_mode_asks_who_must_read_whom(mode: Mode, expected: list[tuple[int, int]]) -> None:
    assert expected == list(steps(mode, 3))
    assert list(steps(mode, 1)) == []


def test_a_history_is_judged_in_its_mode_and_the_version_is_named() -> None:
    first, second = record(field("a", "int")), record(field("a", "long"))
    third = record(field("a", "int"))
    assert following("BACKWARD_TRANSITIVE", [first, second], second, lints=False) == []
    (reason,) = following("BACKWARD_TRANSITIVE", [first, second], third, lints=False)
    assert reason.message == "reading version 2: int does not read long"
    (reason,) = following("FORWARD", [first], second, lints=False)
    assert reason.message == "read by version 1: int does not read long"


@pytest.mark.parametrize("text", ["backward", "Backward", "BACKWARD"])
def test_a_mode_has_its_name_in_whatever_case(text: str) -> None:
    assert mode_named(text) == "BACKWARD"


def test_another_mode_is_refused_with_those_there_are() -> None:
    with pytest.raises(SchemaError, match=f"'SIDEWAYS' is none of {MODES[0]}, "):
        mode_named("SIDEWAYS")


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ("integer", "integer"),
        ("[1", "not JSON"),
        # An infinity as a default, which Java refuses: the nightly profile drew one.
        ('{"type": "float", "default": Infinity}', "not JSON: Infinity"),
        (7, "7"),
        ({"type": "record", "name": "R"}, "not an Avro schema"),
        ({"type": {"type": "int"}}, "is no name of one"),
        ({"type": "error_union", "declared_errors": []}, "a type of protocols"),
        ({**record(), "name": "int"}, "as a primitive type"),
        ({**record(), "name": "1R"}, "begins with no digit"),
        ({**record(), "name": "a..R"}, "the name ''"),
        (record(namespace="a-b"), "the name 'a-b'"),
        (record(aliases="Q"), "no list"),
        (record(aliases=[1]), "no text"),
        (record(aliases=["a-b"]), "the name 'a-b'"),
        (record(field("a-b", "int")), "a field has the name 'a-b'"),
        (record(field("a", "int", aliases=[[]])), "no text"),
        (record(field("a", [record(name="Q"), "Q"])), "holds Q twice"),
        (["int", {"type": "int", "logicalType": "date"}], "holds int twice"),
        ({"type": "enum", "name": "E", "symbols": "AB"}, "no list"),
        ({"type": "enum", "name": "E", "symbols": ["A"], "default": "Z"}, "default 'Z'"),
        ({"type": "fixed", "name": "F", "size": True}, "the size of fixed"),
        ({"type": "fixed", "name": "F", "size": 2**31}, "the size of fixed"),
        ({"type": "record", "fields": []}, "name None"),
        ({"type": "enum", "name": "E", "symbols": ["A", "A"]}, "Duplicate symbol"),
        ([["null"], "int"], "not an Avro schema"),
        ({"type": "record", "name": "R", "fields": [{"name": "a"}]}, "not an Avro schema"),
        (record(field("a", ENUM), field("b", {**ENUM, "symbols": ["Z"]})), "E"),
    ],
)
def test_what_is_no_schema_is_refused(schema: Any, words: str) -> None:
    with pytest.raises(SchemaError, match=words):
        verdict(schema, schema)


@pytest.mark.parametrize(
    "schema",
    [
        [],
        {**record(), "name": "É"},
        {**record(), "name": "int", "namespace": "n"},
        {**record(), "name": "a.b.R", "namespace": "c"},
        {**record(), "name": ".R"},
        record(namespace=None),
        record(field("a", "int", aliases=["of whatever it was"])),
        record(field("a", "double", default=10**400)),
        {"type": "enum", "name": "E", "symbols": []},
        {"type": "enum", "name": "E", "symbols": ["A"], "default": ["A"]},
        {"type": "fixed", "name": "F", "size": 200, "logicalType": "decimal", "precision": 400},
        {"type": "int", "logicalType": ["date"]},
        {"type": "bytes", "logicalType": "decimal", "precision": "many"},
        {"type": "bytes", "logicalType": "decimal", "precision": 10**30},
    ],
)
def test_what_is_odd_and_still_a_schema_is_read_as_java_does(java: JavaAvro, schema: Any) -> None:
    assert java.reads(schema, schema) is True
    assert verdict(schema, schema, lints=False) == []
    verdict(schema, schema)


@pytest.mark.parametrize("mode", ["NONE", "BACKWARD"])
def test_a_history_is_of_schemas_and_so_is_what_follows_whatever_the_mode_asks(mode: Mode) -> None:
    for history, new in (([], "integer"), (["integer", "int"], "int")):
        with pytest.raises(SchemaError, match="integer"):
            following(mode, history, new)


def asked(**question: Any) -> dict[str, Any]:
    return answer(json.dumps(question).encode(), "BACKWARD", lints=True)


def test_an_answer_has_the_questions_name_and_every_reason() -> None:
    assert {"name": "q", "compatible": True, "reasons": []} == asked(name="q", reader="long", writer="int")
    assert {
        "name": "q",
        "compatible": False,
        "reasons": [{"path": "", "rule": "type_mismatch", "message": "int does not read long"}],
    } == asked(name="q", reader="int", writer="long")


def test_a_schema_may_be_its_text() -> None:
    assert asked(reader='"long"', writer=' {"type": "int"}')["compatible"] is True


def test_a_questions_own_mode_goes_before_the_given_one() -> None:
    assert asked(new="int", history=["long"])["compatible"] is False
    assert asked(new="int", history=["long"], mode="forward")["compatible"] is True


def test_lints_object_unless_they_are_off() -> None:
    line = json.dumps({"reader": "float", "writer": "int"}).encode()
    assert answer(line, "BACKWARD", lints=False)["compatible"] is True
    (reason,) = answer(line, "BACKWARD", lints=True)["reasons"]
    assert reason["rule"] == "promotion_loses"


@pytest.mark.parametrize(
    ("line", "name", "words"),
    [
        ("{", None, "Expecting"),
        ("", None, "Expecting"),
        ("[1]", None, "a question is a JSON object"),
        ('{"name": "q"}', "q", "reader and writer, or new and history"),
        ('{"name": "q", "reader": "int", "writer": "integer"}', "q", "integer"),
        ('{"name": "q", "new": "int", "history": "int"}', "q", "history is a list"),
        ('{"name": "q", "new": "int", "history": [], "mode": "no"}', "q", "'no' is none of"),
        ('{"name": "q", "new": "int", "history": [], "mode": 1}', "q", "mode is text"),
        ('{"name": ["q"], "reader": "int", "writer": "int"}', None, "a name is text"),
        ('{"name": NaN}', None, "not JSON: NaN"),
        ('{"name": 1e999}', None, "a name is text"),
        ("[" * 100_000, None, "nested too deeply"),
        ('{"name": "q", "reader": %s}' % ('{"type":' * 100_000), None, "nested too deeply"),
        ('{"name": "q", "reader": %s, "writer": "int"}' % ("9" * 5_000), None, "digits"),
    ],
)
def test_what_is_no_question_is_answered_with_an_error(line: str, name: str | None, words: str) -> None:
    told = answer(line.encode(), "BACKWARD", lints=True)
    assert told.keys() == {"name", "error"}
    assert told["name"] == name
    assert words in told["error"]
