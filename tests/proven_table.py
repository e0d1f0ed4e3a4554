"""The table of what a run has proven, beside the seconds that docs/testing.md allows each suite."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Budget", "Suite", "budgets", "mutants", "told"]

_TESTING: Final = Path(__file__).parents[1] / "docs" / "testing.md"
_WIDEST: Final = 64
_BUDGET: Final = re.compile(r"\| `([^`]+)` \|.*\| (\d+) \|[^|]*\| (\d+) \|[^|]*\|")


@dataclass(slots=True)
class Suite:
    """What the tests of one folder have proven."""

    passed: int = 0
    failed: int = 0
    seconds: float = 0.0
    full: bool = False
    """Whether tests took part that only `make test-full` runs."""
    properties: int = 0
    examples: int = 0
    said: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


class Budget(NamedTuple):
    """The seconds that a suite may take, on two cores that do nothing else."""

    test: int
    full: int


def budgets(text: str | None = None) -> dict[str, Budget]:
    """Read the suites' budgets from docs/testing.md, or from a text like it."""
    text = _TESTING.read_text(encoding="utf-8") if text is None else text
    rows = (_BUDGET.fullmatch(line) for line in text.splitlines())
    return {row[1]: Budget(int(row[2]), int(row[3])) for row in rows if row}


def told(suites: Mapping[str, Suite], allowed: Mapping[str, Budget] | None = None) -> Iterator[str]:
    """Write the table: suites, state machines, faults, rows and vectors."""
    allowed = budgets() if allowed is None else allowed
    rows = [
        [
            name,
            f"{suite.passed:,}" + (f" ({suite.failed} failed)" if suite.failed else ""),
            f"{suite.properties:,}" if suite.properties else "",
            f"{suite.examples:,}" if suite.examples else "",
            f"{suite.seconds:,.0f}",
            _against(suite, allowed.get(name)),
        ]
        for name, suite in sorted(suites.items())
    ]
    yield from _columns([["suite", "tests", "properties", "examples", "seconds", "budget"], *rows])
    yield from _states(_said(suites, "proven_states"))
    yield from _faults(_said(suites, "proven_fault"))
    yield from _sums("rows compared", "hop", _said(suites, "proven_rows"))
    yield from _sums("vectors judged", "vectors", _said(suites, "proven_vectors"))


def mutants(file: Path) -> Iterator[str]:
    """Say what `make mutants` gave, where it was run, and when."""
    if file.exists():
        judged = json.loads(file.read_text(encoding="utf-8"))
        seen = sum(one["test"] is not None for one in judged)
        at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
        yield ""
        yield f"mutants seen  {seen} of {len(judged)}, at {at:%Y-%m-%d %H:%M} UTC"


def _against(suite: Suite, budget: Budget | None) -> str:
    if not budget:
        return "none in docs/testing.md"
    seconds = budget.full if suite.full else budget.test
    return f"{seconds:,}" + ("  OVER ITS BUDGET" if suite.seconds > seconds else "")


def _said(suites: Mapping[str, Suite], name: str) -> list[dict[str, Any]]:
    return [value for _, suite in sorted(suites.items()) for value in suite.said.get(name, [])]


def _states(states: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if states:
        yield ""
        rows = [[str(one[key]) for key in ("machine", "examples", "steps")] for one in states]
        yield from _columns([["state machine", "examples", "steps"], *rows])


def _faults(faults: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if faults:
        yield ""
        rows = [
            [
                *(_short(str(one[key])) for key in ("fault", "observed", "outcome")),
                f"{float(one['recovery_s']):.1f} s",
            ]
            for one in faults
        ]
        yield from _columns([["fault", "observed", "outcome", "recovery"], *rows])


def _short(text: str) -> str:
    """Keep a row on a screen; the file of what was proven has the whole text."""
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def _sums(title: str, by: str, said: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Add up the rows of whatever is of one name."""
    if said:
        sums: dict[str, int] = {}
        for one in said:
            sums[str(one[by])] = sums.get(str(one[by]), 0) + int(one["rows"])
        yield ""
        yield from _columns(
            [[title, f"{sum(sums.values()):,}"], *([name, f"{n:,}"] for name, n in sums.items())]
        )


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(_justified(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _justified(cell: str, width: int) -> str:
    """Numbers to the right."""
    return cell.rjust(width) if re.match(r"[\d,.]+( s)?$", cell) else cell.ljust(width)
