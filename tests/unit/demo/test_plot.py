"""The plot's limits: all values inside, rows of round degrees."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from pipeline.demo.plot import Line, plot


def numbers_beside(drawn: str) -> list[float]:
    return [float(found) for found in re.findall(r"^ *(-?[\d.]+) \|", drawn, re.MULTILINE)]


@pytest.mark.parametrize(("low", "high"), [(-26.4, 44.7), (20.1, 20.1), (-89.0, 56.7), (0.0, 6.9)])
def test_every_value_lies_between_the_rows_which_are_equally_high(low: float, high: float) -> None:
    rows = numbers_beside(plot([Line("a", "red", [(0.0, low), (23.0, high)])], 110))
    steps = {round(upper - lower, 3) for upper, lower in pairwise(rows)}
    assert rows[-1] <= low
    assert rows[0] >= high
    (step,) = steps
    assert 0 == rows[-1] % step


@pytest.mark.parametrize("width", [30, 60, 80, 110, 300])
def test_it_stays_as_narrow_as_asked_where_that_is_possible(width: int) -> None:
    drawn = plot([Line("a", "red", [(0.0, 1.0), (23.0, 2.0)])], width)
    graph = drawn.partition("Legend")[0].splitlines()
    assert max(len(line.rstrip(" ⠀")) for line in graph) <= max(width, 55) + len("-> (hour)")


def test_without_a_point_it_is_an_empty_plot() -> None:
    assert "(hour)" in plot([Line("a", "red", [])], 80)


def test_into_a_file_go_no_colours() -> None:
    assert "\x1b" not in plot([Line("a", "red", [(0.0, 1.0), (23.0, 2.0)])], 80)
