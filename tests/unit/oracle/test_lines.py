"""Records as lines of JSON, and the command that judges them."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.infra.layout import PROJECT_ROOT
from pipeline.oracle import OracleError, Poison, Record, load_rules, read_lines

if TYPE_CHECKING:
    from pathlib import Path

RULES = PROJECT_ROOT / "config" / "rules.yaml"
AT = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
LEAST = {
    "station_id": "oslo",
    "source": "gateway",
    "observed_at": "2026-07-01T12:00:00Z",
    "appended_at": 1782907201000,
}


def read(**values: Any) -> Record | Poison:
    (found,) = read_lines([json.dumps({**LEAST, **values})])
    return found


def test_times_are_iso_texts_or_milliseconds() -> None:
    expected = Record(station_id="oslo", source="gateway", observed_at=AT, appended_at=AT.replace(second=1))
    assert expected == read()
    assert expected == read(observed_at="2026-07-01T14:00:00.000999+02:00", appended_at="1782907201000")
    assert expected == read(appended_at=None, append_time="2026-07-01T12:00:01Z")


def test_what_is_not_finite_is_a_token_or_a_text() -> None:
    for given, value in (("NaN", math.nan), ("Infinity", math.inf), ("-Infinity", -math.inf)):
        for field in (given, f'"{given}"'):
            line = json.dumps(LEAST)[:-1] + f', "temperature_c": {field}}}'
            (found,) = read_lines([line])
            assert isinstance(found, Record)
            assert repr(value) == repr(found.temperature_c)


def test_a_time_that_no_calendar_has_is_as_far_away_as_can_be() -> None:
    early, late = read(observed_at=-(2**63)), read(observed_at=2**63 - 1)
    assert isinstance(early, Record)
    assert isinstance(late, Record)
    assert (1, 9999) == (early.observed_at.year, late.observed_at.year)


def test_poison_needs_nothing_but_its_reason() -> None:
    lines = ['{"poison": "no framing", "partition": 1, "offset": 5}', "", '{"poison": "short"}']
    assert [Poison("no framing", 1, 5), Poison("short")] == list(read_lines(lines))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"station_id": 7}, "station_id: must be a text, got 7"),
        ({"station_id": None}, "station_id: is missing"),
        (
            {"observed_at": "noon"},
            "observed_at: must be an ISO 8601 time or milliseconds since 1970, got 'noon'",
        ),
        ({"observed_at": "2026-07-01T12:00:00"}, "observed_at: has no zone, got '2026-07-01T12:00:00'"),
        ({"appended_at": None}, "appended_at: is missing"),
        ({"append_time": 5}, "append_time: is the same as appended_at: give one of them, got 5"),
        ({"temperature_c": "warm"}, "temperature_c: must be a number or null, got 'warm'"),
        ({"temperature_c": True}, "temperature_c: must be a number or null, got True"),
        ({"revision": 1.5}, "revision: must be a whole number from -2147483648 to 2147483647, got 1.5"),
        ({"offset": -1}, "offset: must be a whole number from 0 to 9223372036854775807, got -1"),
        ({"via": "air"}, "via: must be topic or source, got 'air'"),
        ({"temperature": 20}, "temperature: unknown; known are station_id"),
    ],
)
def test_an_error_names_line_field_and_value(values: dict[str, Any], said: str) -> None:
    lines = [json.dumps(LEAST), json.dumps({**LEAST, **values})]
    with pytest.raises(OracleError) as error:
        list(read_lines(lines, "some.jsonl"))
    assert str(error.value).startswith(f"some.jsonl: line 2: {said}")


@pytest.mark.parametrize("line", ["[]", "{", '{"station_id": "a", "station_id": "b"}'])
def test_a_line_that_is_no_object_is_an_error(line: str) -> None:
    with pytest.raises(OracleError, match=r"^records: line 1: "):
        list(read_lines([line]))


def test_a_source_may_say_what_is_no_number() -> None:
    found = read(via="source", temperature_c="warm", humidity_pct=50)
    assert isinstance(found, Record)
    assert (None, 50.0) == (found.temperature_c, found.humidity_pct)
    assert "temperature_c: must be a number or null, got 'warm'" == found.garbled


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("metric: temperature", "metric: mood"), "rules[0].metric: must be one of temperature, humidity"),
        (("unit: °F", "unit: mph"), "rules[0].unit: must be one of °C, °F, K, got 'mph'"),
        (
            ('comparison: ">"', 'comparison: "=="'),
            "rules[0].comparison: must be one of >, >=, <, <=, got",
        ),
        (("threshold: 100", "threshold: .nan"), "rules[0].threshold: must be a finite number, got nan"),
        (("threshold: 100", "threshold: hot"), "rules[0].threshold: must be a finite number, got 'hot'"),
        (("threshold: 100", "limit: 100"), "rules[0].threshold: is missing"),
        (("threshold: 100", "threshold: 100\n    limit: 1"), "rules[0].limit: unknown key, got 1"),
        (("id: frost", "id: heat-100f"), "rules[1].id: is given twice, got 'heat-100f'"),
        (("id: frost", "id: Frost"), "rules[1].id: must be lower-case"),
        (("rules:", "lines:"), "must hold a list named rules"),
        (("rules:", "rules: ["), "cannot be read"),
    ],
)
def test_a_wrong_rule_is_named(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(RULES.read_text("utf-8").replace(*change, 1), encoding="utf-8")
    with pytest.raises(OracleError) as error:
        load_rules(path)
    assert str(error.value).startswith(f"{path}: {said}")


def run(records: str, *arguments: str) -> Any:
    return CliRunner().invoke(
        app, ["oracle", "--records", "-", "--rules", str(RULES), *arguments], input=records
    )


def test_the_command_answers_with_one_object() -> None:
    records = [
        {**LEAST, "temperature_c": 40},
        {**LEAST, "temperature_c": 40},
        {**LEAST, "station_id": "late", "temperature_c": 20, "appended_at": "2026-07-01T16:00:00.001Z"},
        {**LEAST, "station_id": "poison", "temperature_c": "NaN"},
        {"poison": "no framing", "partition": 0, "offset": 4},
        {**LEAST, "station_id": "source", "via": "source", "temperature_c": 200},
    ]
    answer = run("\n".join(map(json.dumps, records)), "--json")
    assert 0 == answer.exit_code, answer.output
    found = json.loads(answer.stdout)
    assert ["alerts", "averages", "readings", "late", "rejected", "dead_lettered", "history"] == list(found)
    (alert,) = found["alerts"]
    (average,) = found["averages"]
    assert ("oslo", "2026-07-01T12:00:00Z", "heat-100f", 40.0) == (
        alert["station_id"], alert["observed_at"], alert["rule_id"], alert["value"],
    )  # fmt: skip
    assert ("2026-07-01T12:05:00Z", 40.0, 1) == (
        average["window_end"], average["temperature_c_mean"], average["readings"],
    )  # fmt: skip
    assert [("late", False), ("oslo", True)] == [
        (row["station_id"], row["on_time"]) for row in found["readings"]
    ]
    assert [("late", 3)] == [(row["station_id"], row["line"]) for row in found["late"]]
    assert [("source", "out-of-range")] == [(row["station_id"], row["reason"]) for row in found["rejected"]]
    assert [("not-finite", "NaN"), ("poison", None)] == [
        (row["reason"], row.get("temperature_c")) for row in found["dead_lettered"]
    ]
    assert ("no framing", 0, 4) == tuple(
        found["dead_lettered"][1][name] for name in ("why", "partition", "offset")
    )


def test_without_json_it_answers_with_tables() -> None:
    answer = run(json.dumps({**LEAST, "temperature_c": 40}) + '\n{"poison": "short"}\n')
    assert 0 == answer.exit_code
    for said in (
        "alerts: 1",
        "heat-100f",
        "averages: 1",
        "readings: 1",
        "late: 0",
        "rejected: 0",
        "dead-lettered: 1",
    ):
        assert said in answer.stdout


def test_an_error_is_one_sentence() -> None:
    answer = run("{}")
    assert (1, "galewatch: input: line 1: station_id: is missing\n") == (answer.exit_code, answer.stderr)


def test_a_file_that_is_not_there_is_named() -> None:
    answer = CliRunner().invoke(app, ["oracle", "--records", "no.jsonl", "--rules", str(RULES)])
    assert 1 == answer.exit_code
    assert answer.stderr.startswith("galewatch: no.jsonl: cannot be read")
