"""Weather sources: each knows what to ask for an interval of some stations, and reads the answers.

They are pure; `asking` sends what they ask. What a source gives is in canonical units: its answers are
converted here, once, by pipeline.units.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from pipeline.readings import Reading, RejectedReading
    from pipeline.stations import Station

__all__ = ["Call", "Fetched", "Source", "together"]


@dataclass(frozen=True, slots=True)
class Call:
    """One GET request: the path below the source's root, the parameters, and the stations asked for."""

    path: str
    stations: tuple[Station, ...]
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a source gave: readings, records that cannot be, and how many slots had no value at all."""

    readings: tuple[Reading, ...]
    rejected: tuple[RejectedReading, ...]
    empty: int = 0


class Source(Protocol):
    """A place that readings come from, by its contract."""

    @property
    def name(self) -> str:
        """The source's name, a slug: part of each event id."""

    def calls(self, stations: Sequence[Station], start: datetime, end: datetime) -> tuple[Call, ...]:
        """Give the calls that ask for what these stations observed in [start, end)."""

    def content(self, headers: Mapping[str, str], body: bytes) -> Any:
        """Take the content out of an answer with status 200, as plain JSON; `headers` ignore case.

        Raises SourceUnavailableError when the body breaks off, ContractError when it is something else.
        """

    def parse(
        self, content: Any, stations: Sequence[Station], start: datetime, end: datetime, fetched_at: datetime
    ) -> Fetched:
        """Turn the content of the answer to one call into readings; raises ContractError.

        A record that cannot be a reading is rejected with its reason, and the others are kept.
        """


def together(parts: Iterable[Fetched]) -> Fetched:
    """Put what several calls gave into one."""
    kept = tuple(parts)
    return Fetched(
        readings=tuple(reading for part in kept for reading in part.readings),
        rejected=tuple(rejected for part in kept for rejected in part.rejected),
        empty=sum(part.empty for part in kept),
    )
