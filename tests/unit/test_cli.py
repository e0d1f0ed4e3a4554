"""The commands' arguments and words; what they show of real services is tested with them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import typer
from typer.testing import CliRunner

from pipeline import cli
from pipeline.cli.options import instant
from pipeline.cli.output import show

if TYPE_CHECKING:
    from pathlib import Path

run = CliRunner().invoke


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("15m", 900), ("24h", 86_400), ("7d", 604_800), (" 1h ", 3600)]
)
def test_a_span_counts_back_from_now(text: str, seconds: int) -> None:
    expected = datetime.now(UTC) - timedelta(seconds=seconds)
    assert abs(instant(text) - expected) < timedelta(seconds=5)


@pytest.mark.parametrize(
    "text", ["2026-07-01T12:00:00Z", "2026-07-01T12:00", "2026-07-01T14:00:00+02:00", "2026-07-01 12:00:00"]
)
def test_a_time_is_utc_unless_it_has_a_zone(text: str) -> None:
    assert datetime(2026, 7, 1, 12, tzinfo=UTC) == instant(text)


@pytest.mark.parametrize("text", ["", "yesterday", "7w", "2026-13-01"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="24h"):
        instant(text)


@pytest.mark.parametrize(
    "command",
    [["alerts"], ["averages", "--station", "a"], ["history"], ["latest"], ["simulate"], ["schemas", "apply"]],
)
def test_nothing_running_is_one_sentence_and_exit_code_1(
    command: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in (
        "cassandra_reader", "kafka_devices", "postgres_reader", "registry_admin", "registry_client",
    ):  # fmt: skip
        (tmp_path / name).write_text("not-to-be-shown")
    monkeypatch.setenv("GALEWATCH_PORT_OFFSET", "40000")
    monkeypatch.setattr("pipeline.infra.layout.Layout.secrets", tmp_path)
    result = run(cli.app, command)
    assert result.exit_code == 1
    assert result.stdout == ""
    (sentence,) = result.stderr.splitlines()
    assert sentence.startswith("galewatch: ")
    assert "127.0.0.1" in sentence
    assert "not-to-be-shown" not in sentence


def test_every_command_is_there_and_says_what_it_does() -> None:
    commands = cli.app.registered_commands
    named = [str(getattr(command.callback, "__name__", "")) for command in commands]
    assert {
        "alerts", "averages", "history", "latest", "simulate", "status", "doctor", "reconcile", "demo",
        "backfill", "oracle",
    } == set(named)  # fmt: skip
    for name in (*named, "dlq"):
        assert run(cli.app, [name, "--help"]).exit_code == 0
    assert all(command.callback and command.callback.__doc__ for command in commands)


def test_an_environment_that_was_never_set_up_says_so() -> None:
    result = run(cli.app, ["alerts", "--env", "t0never0"])
    assert (1, True) == (result.exit_code, "`make up` does it" in result.stderr)


def test_a_limit_of_none_is_refused() -> None:
    assert run(cli.app, ["alerts", "--limit", "0"]).exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "code"), [(["--rate", "0"], 1), (["--hot", "101"], 1), (["--schema", "v3"], 2)]
)
def test_a_fleet_that_cannot_be_is_refused(arguments: list[str], code: int) -> None:
    assert run(cli.app, ["simulate", *arguments]).exit_code == code


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--source", "fax", "--from", "7d"], "has no source 'fax'; it has open-meteo, gateway, nws"),
        (["--source", "nws", "--from", "2099-01-01"], "no interval of 'nws' is over between"),
        (["--source", "nws", "--from", "2d", "--to", "3d"], "no interval of 'nws' is over between"),
    ],
)
def test_a_backfill_of_nothing_is_one_sentence(arguments: list[str], words: str) -> None:
    result = run(cli.app, ["backfill", *arguments])
    assert (1, True) == (result.exit_code, words in result.stderr)


ROW = {"observed_at": datetime(2026, 7, 1, 12, tzinfo=UTC), "value": 45.0, "note": None, "origin": "selftest"}


def test_json_is_one_object_a_line_with_utc_times(capsys: pytest.CaptureFixture[str]) -> None:
    show([ROW, ROW], ("observed_at",), as_json=True, nothing="nothing")
    first, second = capsys.readouterr().out.splitlines()
    assert first == second
    expected = {"observed_at": "2026-07-01T12:00:00Z", "value": 45.0, "note": None, "origin": "selftest"}
    assert expected == json.loads(first)


def test_a_table_shows_where_a_reading_comes_from(capsys: pytest.CaptureFixture[str]) -> None:
    show([ROW], ("observed_at", "value", "note", "origin"), as_json=False, nothing="nothing")
    out = capsys.readouterr().out
    for text in ("2026-07-01T12:00:00Z", "45", "selftest"):
        assert text in out


def test_no_rows_are_said_so_and_no_json(capsys: pytest.CaptureFixture[str]) -> None:
    show([], ("origin",), as_json=False, nothing="no alerts")
    assert capsys.readouterr().out == "no alerts\n"
    show([], ("origin",), as_json=True, nothing="no alerts")
    assert capsys.readouterr().out == ""
