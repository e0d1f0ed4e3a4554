"""The spans and limits of docs/data-contract.md."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Policy"]


def _limits() -> dict[str, tuple[float, float]]:
    return {
        "temperature_c": (-100, 70),
        "humidity_pct": (0, 100),
        "pressure_hpa": (500, 1100),
        "wind_speed_ms": (0, 120),
    }


@dataclass(frozen=True)
class Policy:
    """What is late, from the future, out of range, history only; all limits include their ends."""

    allowed_lateness: timedelta = timedelta(hours=4)
    """From the observation to its appending; longer is late."""
    future: timedelta = timedelta(minutes=5)
    """From the appending to the observation; longer is a dead letter."""
    fetched_ahead: timedelta = timedelta(days=1)
    """From the appending to the fetching; longer is a dead letter."""
    earliest: datetime = datetime(1900, 1, 1, tzinfo=UTC)
    """No time is before this one."""
    window: timedelta = timedelta(minutes=5)
    """The length of an average's window; windows are aligned with 1970."""
    horizon: timedelta = timedelta(hours=3)
    """From the observation to its fetching; what is this old or older goes to the history only."""
    limits: Mapping[str, tuple[float, float]] = field(default_factory=_limits)
    """The least and the greatest value of each measure."""
