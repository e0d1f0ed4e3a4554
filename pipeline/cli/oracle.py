"""The command `oracle`: what must come out, computed apart from everything that computes it."""

from __future__ import annotations

import dataclasses
import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.options import AsJson  # noqa: TC001 - typer resolves annotations
from pipeline.cli.output import console, show
from pipeline.oracle import OracleError, Outcome, Poison, as_json, judge, load_rules, read_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["oracle"]

Records = Annotated[
    str, typer.Option("--records", help="A file of records, one JSON object a line; - is the input.")
]
RulesFile = Annotated[Path, typer.Option("--rules", help="The rules, such as config/rules.yaml.")]

_TABLES: dict[str, tuple[str, ...]] = {
    "alerts": ("station_id", "observed_at", "rule_id", "source", "value", "threshold", "unit", "revision"),
    "averages": (
        "station_id",
        "window_start",
        "temperature_c_mean",
        "temperature_c_min",
        "temperature_c_max",
        "readings",
    ),
    "readings": ("station_id", "observed_at", "source", "revision", "temperature_c", "on_time"),
    "late": ("station_id", "observed_at", "source", "revision", "appended_at"),
    "rejected": ("station_id", "observed_at", "source", "reason"),
}


def oracle(*, records: Records, rules: RulesFile, as_json_: AsJson = False) -> None:
    """Tell what must come of records: alerts, averages, readings, late, rejected and dead-lettered ones.

    The record's fields are those of the topic and `appended_at`, or {"poison": "why"}; docs/data-contract.md
    tells all of them. With --json one object with a list of each.
    """
    with _sentences():
        outcome = judge(_read(records), load_rules(rules))
    if as_json_:
        print(json.dumps(as_json(outcome), ensure_ascii=False))  # noqa: T201 - what the command says
        return
    for name, columns in _TABLES.items():
        _show(name, [_row(one) for one in getattr(outcome, name)], columns)
    _show("dead-lettered", list(_letters(outcome)), ("line", "station_id", "observed_at", "reasons"))


def _read(records: str) -> Iterator[Any]:
    if records == "-":
        yield from read_lines(sys.stdin, "input")
        return
    try:
        with Path(records).open(encoding="utf-8") as file:
            yield from read_lines(file, records)
    except (OSError, UnicodeDecodeError) as error:
        raise OracleError(f"{records}: cannot be read: {error}") from None


def _row(one: Any) -> dict[str, Any]:
    record = getattr(one, "record", one)
    row = {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
    return row if record is one else {**row, "reason": one.reason}


def _letters(outcome: Outcome) -> Iterator[dict[str, Any]]:
    for letter in outcome.dead_lettered:
        message = letter.message
        of_record = (None, None) if isinstance(message, Poison) else (message.station_id, message.observed_at)
        yield {
            "line": message.line,
            "station_id": of_record[0],
            "observed_at": of_record[1],
            "reasons": ", ".join(letter.reasons),
        }


def _show(name: str, rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> None:
    console().print(f"{name}: {len(rows)}")
    if rows:
        show(rows, columns, as_json=False, nothing="")


@contextmanager
def _sentences() -> Iterator[None]:
    """As `output.sentences`; the oracle shares nothing with the product, so it has an error of its own."""
    try:
        yield
    except OracleError as error:
        print(f"galewatch: {error}", file=sys.stderr)  # noqa: T201 - the same
        raise typer.Exit(1) from None
