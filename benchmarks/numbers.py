"""Percentiles, and what a list of latencies is summed up to. Pure."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Summary", "percentile", "summarise"]


@dataclass(frozen=True, slots=True)
class Summary:
    """Latencies in milliseconds; `missing` were sent and never seen. All but the counts are NaN for none."""

    count: int
    missing: int
    p50: float
    p95: float
    p99: float
    max: float

    def as_json(self) -> dict[str, Any]:
        """Give the fields, NaN as null."""
        return {name: None if math.isnan(value) else value for name, value in asdict(self).items()}


def percentile(values: Sequence[float], percent: float) -> float:
    """Give the least value that at least `percent` of all do not exceed (nearest rank); NaN for none."""
    if not values:
        return math.nan
    rank = max(1, math.ceil(percent / 100 * len(values)))
    return sorted(values)[rank - 1]


def summarise(latencies_s: Sequence[float], missing: int = 0) -> Summary:
    """Sum up latencies given in seconds."""
    p50, p95, p99, greatest = (
        round(percentile(latencies_s, percent) * 1000, 2) for percent in (50, 95, 99, 100)
    )
    return Summary(len(latencies_s), missing, p50, p95, p99, greatest)
