"""What the commands print: tables for people, one JSON object a line for programs, errors as one sentence."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.errors import GalewatchError, IncompatibleSchemaError, ServiceError
from pipeline.readings import utc_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["console", "print_json", "sentences", "show"]

# Output that goes into a file has no width of its own.
_WIDTH = 160


@contextmanager
def sentences() -> Iterator[None]:
    """Turn an error of ours into one sentence and exit code 1."""
    try:
        yield
    except GalewatchError as error:
        # Who refuses a schema is running.
        may_be_away = isinstance(error, ServiceError) and not isinstance(error, IncompatibleSchemaError)
        hint = " (is it running? `galewatch status` tells)" if may_be_away else ""
        print(f"galewatch: {error}{hint}", file=sys.stderr)  # noqa: T201 - this is what the command says
        raise typer.Exit(1) from None


def show(rows: Sequence[dict[str, Any]], columns: Sequence[str], *, as_json: bool, nothing: str) -> None:
    """Show rows as a table of those columns, or whole as JSON; `nothing` is said where there are none."""
    if as_json:
        for row in rows:
            print_json(row)
        return
    if not rows:
        print(nothing)  # noqa: T201 - the same
        return
    table = Table(header_style="bold")
    for column in columns:
        is_number = any(isinstance(row[column], int | float) for row in rows)
        table.add_column(column, justify="right" if is_number else "left")
    for row in rows:
        # What is not the real weather says so by its colour as well.
        origin = row.get("origin", "live")
        style = None if origin == "live" else "magenta" if origin == "selftest" else "cyan"
        table.add_row(*(_cell(row[column]) for column in columns), style=style)
    console().print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return utc_text(value)
    # Brackets in a message are brackets, not the console's markup.
    return f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else escape(str(value))


def print_json(row: dict[str, Any]) -> None:
    """Print one object on one line."""
    plain = {key: utc_text(value) if isinstance(value, datetime) else value for key, value in row.items()}
    print(json.dumps(plain, ensure_ascii=False))  # noqa: T201 - the same


def console() -> Console:
    """Give the console for what was asked for: standard output."""
    return Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False)
