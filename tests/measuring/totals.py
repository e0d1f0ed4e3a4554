"""How many lines and branches there are, and how many of them the tests ran."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BRANCHES_PERCENT", "LINES_PERCENT", "Totals"]

LINES_PERCENT: Final = 95
BRANCHES_PERCENT: Final = 90


class Totals(NamedTuple):
    """Counted over all files of a language."""

    lines: int
    all_lines: int
    branches: int
    all_branches: int

    @classmethod
    def of_python(cls, report: Mapping[str, Any]) -> Totals:
        """Read them from what `coverage json` wrote."""
        totals = report["totals"]
        return cls(
            totals["covered_lines"], totals["num_statements"],
            totals["covered_branches"], totals["num_branches"],
        )  # fmt: skip

    @property
    def enough(self) -> bool:
        """Whether both are as high as they should be."""
        return (
            100 * self.lines >= LINES_PERCENT * self.all_lines
            and 100 * self.branches >= BRANCHES_PERCENT * self.all_branches
        )

    def told(self, language: str) -> str:
        """Give one line for people."""
        return (
            f"{language:<7} lines {_percent(self.lines, self.all_lines)} of {self.all_lines:,}, "
            f"branches {_percent(self.branches, self.all_branches)} of {self.all_branches:,}"
            + ("" if self.enough else f"  BELOW {LINES_PERCENT} % OR {BRANCHES_PERCENT} %")
        )


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "none"
