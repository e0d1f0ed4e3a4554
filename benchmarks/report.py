"""What a bench leaves: a table on the terminal, and a JSON file and a plot of the same name."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

__all__ = ["plot_drain", "plot_latency", "table", "write_json"]

# Files only: no display is needed.
mpl.use("Agg")


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """Make a table whose first column is words and whose others are numbers."""
    made = Table(title=title, title_justify="left", header_style="bold")
    for index, column in enumerate(columns):
        made.add_column(column, justify="right" if index else "left")
    for row in rows:
        made.add_row(*(_cell(value) for value in row))
    return made


def write_json(folder: Path, name: str, document: Mapping[str, Any]) -> Path:
    """Write a document as <name>-<time>.json into a folder, and give the path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def plot_latency(path: Path, phases: Mapping[str, Mapping[str, Sequence[tuple[float, float]]]]) -> None:
    """Draw, for each phase and each kind of row, (seconds since the phase's start, latency in s) points."""
    from matplotlib import pyplot as plt  # noqa: PLC0415 - after the choice of the backend

    figure, axes = plt.subplots(len(phases), 1, figsize=(9, 3 * len(phases)), squeeze=False, sharey=True)
    for axis, (phase, kinds) in zip(axes[:, 0], phases.items(), strict=True):
        for kind, points in kinds.items():
            axis.plot(
                [at for at, _ in points],
                [max(took, 1e-4) * 1000 for _, took in points],
                ".",
                ms=3,
                label=kind,
            )
        axis.set(title=phase, xlabel="seconds", ylabel="produce → visible, ms", yscale="log")
        axis.grid(visible=True, which="major", alpha=0.3)
        if kinds:
            axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def plot_drain(path: Path, rates: Mapping[str, float], cpu: Mapping[str, Mapping[str, float]]) -> None:
    """Draw events a second, and CPU seconds per million events by process, for each consumer."""
    from matplotlib import pyplot as plt  # noqa: PLC0415 - the same

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
    left.bar(list(rates), list(rates.values()), color="tab:blue")
    left.set(title="events a second", ylabel="events/s")
    _stacked(right, cpu)
    right.set(title="CPU seconds per million events")
    right.legend(fontsize=7, loc="upper right")
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _stacked(axis: Axes, cpu: Mapping[str, Mapping[str, float]]) -> None:
    names = dict.fromkeys(name for parts in cpu.values() for name in parts)
    floor = dict.fromkeys(cpu, 0.0)
    for name in names:
        heights = [parts.get(name, 0.0) for parts in cpu.values()]
        axis.bar(list(cpu), heights, bottom=list(floor.values()), label=name)
        floor = {consumer: floor[consumer] + height for consumer, height in zip(cpu, heights, strict=True)}


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.1f}" if abs(value) < 1000 else f"{value:,.0f}"  # noqa: PLR2004 - a digit more or less
    return f"{value:,}" if isinstance(value, int) else str(value)
