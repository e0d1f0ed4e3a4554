"""A plot of temperatures over a day, in characters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import plotille

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Line", "plot"]

_ROWS: Final = 14
_AXIS: Final = 13
"""Columns that plotille takes for the axis and its numbers."""
_WIDTHS: Final = (80, 60, 40, 30)
"""Columns for 24 hours: plotille writes a number under every tenth, which is so a full hour."""
_STEPS: Final = (0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0)
_HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class Line:
    """Points as (hours since the start, °C), in the order of time; `colour` is a terminal's name of one."""

    label: str
    colour: str
    points: Sequence[tuple[float, float]]


def plot(lines: Sequence[Line], width: int) -> str:
    """Draw lines over 24 hours, at most `width` columns wide if that is possible; coloured on a terminal."""
    figure = plotille.Figure()
    figure.width = next((columns for columns in _WIDTHS if columns <= width - _AXIS), _WIDTHS[-1])
    figure.height = _ROWS
    figure.color_mode = "names"
    figure.x_label, figure.y_label = "hour", "°C"
    figure.x_ticks_fkt = lambda low, _: f"{low:.0f}"
    figure.y_ticks_fkt = lambda low, _: f"{low:.1f}"
    low, high = _limits([value for line in lines for _, value in line.points])
    figure.set_x_limits(0, _HOURS)
    figure.set_y_limits(low, high)
    for line in lines:
        hours, values = [list(column) for column in zip(*line.points, strict=True)] or ([], [])
        figure.plot(hours, values, lc=line.colour, label=line.label)
    drawn: str = figure.show(legend=True)
    return drawn


def _limits(values: Sequence[float]) -> tuple[float, float]:
    """Choose limits around all values such that every row is a round number of degrees high."""
    low, high = (min(values), max(values)) if values else (0.0, 0.0)
    for step in _STEPS:
        bottom = math.floor(low / step) * step
        if bottom + step * _ROWS >= high:
            return bottom, bottom + step * _ROWS
    return low, high
