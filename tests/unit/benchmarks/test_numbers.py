"""Percentiles and sums."""

from __future__ import annotations

import math

import pytest

from benchmarks.numbers import percentile, summarise


@pytest.mark.parametrize(
    ("percent", "expected"), [(0, 1), (50, 50), (95, 95), (99, 99), (99.5, 100), (100, 100)]
)
def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed(percent: float, expected: float) -> None:
    values = [float(value) for value in range(100, 0, -1)]
    assert expected == percentile(values, percent)


def test_of_one_value_every_percentile_is_that_value() -> None:
    assert {7.0} == {percentile([7.0], percent) for percent in (0, 1, 50, 99, 100)}


def test_latencies_are_told_in_milliseconds() -> None:
    summary = summarise([0.005, 0.001, 0.002], missing=4)
    assert (3, 4, 2.0, 5.0, 5.0, 5.0) == (
        summary.count,
        summary.missing,
        summary.p50,
        summary.p95,
        summary.p99,
        summary.max,
    )


def test_nothing_measured_is_null_in_json_and_not_zero() -> None:
    summary = summarise([], missing=2)
    assert math.isnan(summary.p99)
    assert {"count": 0, "missing": 2, "p50": None, "p95": None, "p99": None, "max": None} == summary.as_json()
