"""Weather sources: each fetches an interval of readings of some stations, in canonical units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pipeline.readings import Reading, RejectedReading
    from pipeline.stations import Station

__all__ = ["Fetched", "Source"]


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a source gave: readings, records that cannot be, and how many slots had no value at all."""

    readings: tuple[Reading, ...]
    rejected: tuple[RejectedReading, ...]
    empty: int = 0


class Source(Protocol):
    """A place that readings come from."""

    @property
    def name(self) -> str:
        """The source's name, a slug: part of each event id."""

    def fetch(
        self, stations: Sequence[Station], start: datetime, end: datetime, *, fetched_at: datetime
    ) -> Fetched:
        """Fetch what was observed in [start, end); raises a SourceError of pipeline.errors."""
