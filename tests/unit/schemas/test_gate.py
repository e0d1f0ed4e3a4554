"""The gate before publishing: modes, edited files, what is accepted knowingly; and the commands around it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from typer.testing import CliRunner

from pipeline import cli
from pipeline.errors import SchemaError
from pipeline.platform import SchemaRegistry, load_platform
from pipeline.schemas.compared import side_by_side
from pipeline.schemas.gate import Gate

if TYPE_CHECKING:
    from pathlib import Path

run = CliRunner().invoke


def record(**fields: Any) -> dict[str, Any]:
    """A record whose fields have these types; what is a pair has a default as well."""
    made = []
    for name, kind in fields.items():
        type_, *default = kind if isinstance(kind, tuple) else (kind,)
        made.append({"name": name, "type": type_, **({"default": default[0]} if default else {})})
    return {"type": "record", "name": "R", "fields": made}


def gate(folder: Path, *versions: Any, mode: str = "BACKWARD_TRANSITIVE", **record_of: Any) -> Gate:
    """The gate of one subject with those versions, in a folder of its own."""
    names = [f"r.v{number}.avsc" for number in range(1, len(versions) + 1)]
    for name, version in zip(names, versions, strict=True):
        text = version if isinstance(version, str) else json.dumps(version)
        (folder / name).write_text(text, encoding="utf-8")
    if record_of:
        (folder / "published.yaml").write_text(yaml.safe_dump(record_of), encoding="utf-8")
    facts = SchemaRegistry.model_validate(
        {"path": "/", "users": ["admin"], "subjects": {"r-value": names}, "modes": {"r-value": mode}}
    )
    return Gate(facts, folder)


def test_the_projects_own_schemas_pass_and_are_published() -> None:
    own = Gate(load_platform().schema_registry)
    assert own.problems() == []
    assert own.new_files() == []


def test_versions_that_may_follow_pass(tmp_path: Path) -> None:
    two = gate(tmp_path, record(a="int"), record(a="int", b=("string", "")))
    assert two.problems() == []
    assert two.new_files() == ["r.v1.avsc", "r.v2.avsc"]


def test_a_version_that_may_not_is_told_with_subject_version_path_and_why(tmp_path: Path) -> None:
    (problem,) = gate(tmp_path, record(a="int"), record(a="int", b="string")).problems()
    assert ("r-value", "r.v2.avsc", "/fields/1", "reader_field_missing_default_value") == problem[:4]
    assert problem.message == "reading r.v1.avsc: the writer has no field 'b', and it has no default"


@pytest.mark.parametrize(
    ("mode", "files"),
    [
        ("NONE", []),
        ("BACKWARD", []),
        ("BACKWARD_TRANSITIVE", ["r.v3.avsc"]),
        ("FORWARD", ["r.v1.avsc"]),
    ],
)
def test_each_version_is_judged_in_the_subjects_mode(tmp_path: Path, mode: str, files: list[str]) -> None:
    # The second gives `b` a default, the third takes the default back: it cannot read the first.
    versions = record(a="int"), record(b=("string", "x")), record(b="string")
    found = gate(tmp_path, *versions, mode=mode).problems()
    assert files == [problem.file for problem in found]


def test_a_published_file_that_was_edited_is_told(tmp_path: Path) -> None:
    first = gate(tmp_path, record(a="int"))
    assert first.publish() == ["r.v1.avsc"]
    assert first.publish() == []
    assert Gate.problems(gate(tmp_path, record(a="int"))) == []
    (problem,) = gate(tmp_path, record(a="long")).problems()
    assert problem.rule == "published_and_edited"


def test_a_published_file_that_no_subject_names_is_told_and_so_is_a_file_that_none_does(
    tmp_path: Path,
) -> None:
    gate(tmp_path, record(a="int"), record(a="int")).publish()
    found = gate(tmp_path, record(a="int")).problems()
    assert [("r.v2.avsc", "undeclared"), ("r.v2.avsc", "published_and_gone")] == [
        (problem.file, problem.rule) for problem in found
    ]


def test_nothing_is_published_where_something_is_wrong(tmp_path: Path) -> None:
    wrong = gate(tmp_path, record(a="int"), record(a="string"))
    with pytest.raises(
        SchemaError, match=r"1 problems, the first: r\.v2\.avsc /fields/0/type: type_mismatch"
    ):
        wrong.publish()
    assert not (tmp_path / "published.yaml").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ('{"type": "float", "default": -Infinity}', "not JSON: -Infinity"),
        ("[" * 100_000, "nested too deeply"),
        ('{"type": "enum"}', "not an Avro schema"),
        ('"no"', "no"),
    ],
)
def test_a_file_that_is_no_schema_is_told(tmp_path: Path, text: str, words: str) -> None:
    (problem,) = gate(tmp_path, record(a="int"), text).problems()
    assert ("r.v2.avsc", "not_a_schema") == (problem.file, problem.rule)
    assert words in problem.message


def test_a_file_that_is_missing_is_told(tmp_path: Path) -> None:
    lacking = gate(tmp_path, record(a="int"))
    (tmp_path / "r.v1.avsc").unlink()
    (problem,) = lacking.problems()
    assert "there is no such file" in problem.message


ACCEPTED = {
    "reader": "r.v2.avsc",
    "writer": "r.v1.avsc",
    "rule": "promotion_loses",
    "path": "/fields/0/type",
    "because": "values are small",
}


def test_what_a_lint_objects_to_may_be_accepted_knowingly(tmp_path: Path) -> None:
    versions = record(a="int"), record(a="float")
    (problem,) = gate(tmp_path, *versions).problems()
    assert problem.rule == "promotion_loses"
    assert gate(tmp_path, *versions, accepted=[ACCEPTED]).problems() == []
    published = gate(tmp_path, *versions, accepted=[ACCEPTED])
    published.publish()
    assert yaml.safe_load((tmp_path / "published.yaml").read_text())["accepted"] == [ACCEPTED]


def test_what_is_accepted_for_nothing_is_told(tmp_path: Path) -> None:
    (problem,) = gate(tmp_path, record(a="int"), record(a="long"), accepted=[ACCEPTED]).problems()
    assert "nothing objects to it" in problem.message


@pytest.mark.parametrize("text", ["published: []", "accepted: [{reader: x}]", "other: 1", "{"])
def test_a_record_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "published.yaml").write_text(text)
    with pytest.raises(SchemaError, match=r"published\.yaml: "):
        gate(tmp_path, record(a="int"))


def test_the_same_lines_stand_side_by_side() -> None:
    lines = list(side_by_side(record(a="int", b="int"), record(a="int", b="long", c="int")))
    assert [line.mark for line in lines if line.mark] == ["~", "+"]
    assert ('    {"name": "b", "type": "int"}', '    {"name": "b", "type": "long"}') == next(
        line[1:] for line in lines if line.mark == "~"
    )
    assert all(line.old == line.new for line in lines if not line.mark)


def test_the_commands_say_what_the_gate_says() -> None:
    checked = run(cli.app, ["schemas", "check"])
    assert (checked.exit_code, checked.stdout) == (0, "Every version may follow those before it.\n")
    assert run(cli.app, ["schemas", "publish"]).stdout == "Nothing is new.\n"


def test_a_problem_is_shown_and_ends_with_exit_code_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = gate(tmp_path, record(a="int"), record(a="string"))
    monkeypatch.setattr("pipeline.schemas.gate.Gate", lambda _: wrong)
    shown = run(cli.app, ["schemas", "check"])
    assert shown.exit_code == 1
    assert "r.v2.avsc" in shown.stdout
    assert "Not published yet: r.v1.avsc, r.v2.avsc" in shown.stdout
    (problem,) = map(json.loads, run(cli.app, ["schemas", "check", "--json"]).stdout.splitlines())
    assert problem["rule"] == "type_mismatch"
    refused = run(cli.app, ["schemas", "publish"])
    assert refused.exit_code == 1
    assert refused.stderr.startswith("galewatch: 1 problems")


def test_two_versions_are_shown_side_by_side() -> None:
    shown = run(cli.app, ["schemas", "diff", "readings-value"])
    assert shown.exit_code == 0
    assert "old: reading.v1.avsc, new: reading.v2.avsc" in shown.stdout
    assert '"quality"' in shown.stdout
    lines = [
        json.loads(line)
        for line in run(
            cli.app, ["schemas", "diff", "readings-value", "1", "1", "--json"]
        ).stdout.splitlines()
    ]
    assert all(line["mark"] == "" for line in lines)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sensors-value"], "there is no subject 'sensors-value': there are readings-value, "),
        (["readings-value", "1", "9"], "subject 'readings-value' has no version 9: it has 2"),
    ],
)
def test_what_is_not_there_cannot_be_compared(arguments: list[str], words: str) -> None:
    refused = run(cli.app, ["schemas", "diff", *arguments])
    assert refused.exit_code == 1
    assert words in refused.stderr


def test_questions_are_answered_in_their_order() -> None:
    questions = [
        {"name": "same", "reader": "int", "writer": "int"},
        {"name": "same", "new": "int", "history": ["long"]},
    ]
    text = "".join(json.dumps(question) + "\n" for question in questions) + "{\n"
    asked = run(cli.app, ["schemas", "verdict", "--mode", "forward", "--no-lint"], input=text)
    assert asked.exit_code == 0
    answers = [json.loads(line) for line in asked.stdout.splitlines()]
    assert [True, True, None] == [answer.get("compatible") for answer in answers]
    assert "error" in answers[2]


def test_no_line_ends_the_program() -> None:
    lines = [
        b"\xff\xfe",
        b"",
        b'{"name": "\\ud800", "reader": "int", "writer": "int"}',
        b'\xef\xbb\xbf{"name": "m", "reader": "int", "writer": "int"}\r',
        b'{"name": "last", "reader": "int", "writer": "int"}',
    ]
    asked = run(cli.app, ["schemas", "verdict"], input=b"\n".join(lines))
    assert asked.exit_code == 0
    answers = [json.loads(line) for line in asked.stdout.splitlines()]
    assert ["error", "error", "\ud800", "m", "last"] == [
        "error" if "error" in answer else answer["name"] for answer in answers
    ]


def test_a_mode_that_is_none_is_one_sentence() -> None:
    refused = run(cli.app, ["schemas", "verdict", "--mode", "sideways"], input="")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("galewatch: compatibility mode 'sideways' is none of NONE, BACKWARD")
