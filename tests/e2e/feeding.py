"""Readings that come from no source: loaded as if one had told them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pipeline.readings import Reading
from tests.loads import a_load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.e2e.stack import Stack
    from tests.oracle.weather import Observed

__all__ = ["DEVICES", "SOURCE", "store"]

# What devices produce themselves is in no history, so it has another source than what is loaded.
DEVICES = "e2e-device"
SOURCE = "e2e"

_HORIZON = timedelta(hours=3)


def store(stack: Stack, observed: Sequence[Observed]) -> None:
    """Load temperatures, all of which are to be published."""
    now = datetime.now(UTC)
    readings = [
        Reading(
            station_id=item.station_id,
            observed_at=item.observed_at,
            source=SOURCE,
            origin="synthetic",
            temperature_c=item.temperature_c,
            fetched_at=now,
        )
        for item in observed
    ]
    with stack.history() as history:
        report = history.load(a_load(SOURCE, "e2e", now), readings, horizon=_HORIZON, now=now)
    assert len(observed) == report.to_publish
