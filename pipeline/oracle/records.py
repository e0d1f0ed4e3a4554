"""A record as it was appended to the topic, or as a source told it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

__all__ = ["MEASURES", "Poison", "Record", "Via", "event_id", "millis"]

MEASURES = ("temperature_c", "humidity_pct", "pressure_hpa", "wind_speed_ms")

Via = Literal["topic", "source"]

# The namespace of all event ids ever stored. A product that gives other ids loses what it knows.
_NAMESPACE = uuid.UUID("6f1d3a0e-6a1c-5c0e-9d55-67616c657761")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLI = timedelta(milliseconds=1)
_UNKNOWN = datetime.min.replace(tzinfo=UTC)


def millis(instant: datetime) -> int:
    """Give an instant as whole milliseconds since 1970; what is below a millisecond is cut off."""
    return (instant - _EPOCH) // _MILLI


def event_id(station_id: str, observed_at: datetime, source: str) -> str:
    """Give the id of an observation."""
    text = observed_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(uuid.uuid5(_NAMESPACE, f"{station_id}|{text.replace('.000Z', 'Z')}|{source}"))


@dataclass(frozen=True, kw_only=True)
class Record:
    """What one message says, or one record of a source's.

    Times have a zone and are kept as UTC in whole milliseconds. What was not fetched at a time of its own was
    when it was appended; what has no `event_id` has the id that follows from station, time and source.
    `garbled` says, in words, which measure of a source's is no number. `line` is where it stands in a file.
    """

    station_id: str
    source: str
    observed_at: datetime
    appended_at: datetime
    fetched_at: datetime = _UNKNOWN
    origin: str = "live"
    revision: int = 1
    temperature_c: float | None = None
    humidity_pct: float | None = None
    pressure_hpa: float | None = None
    wind_speed_ms: float | None = None
    quality: str | None = None
    event_id: str = ""
    via: Via = "topic"
    garbled: str | None = None
    partition: int | None = field(default=None, compare=False)
    offset: int | None = field(default=None, compare=False)
    line: int | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if self.fetched_at is _UNKNOWN:
            object.__setattr__(self, "fetched_at", self.appended_at)
        for name in ("observed_at", "appended_at", "fetched_at"):
            # An instant without a zone stops here, with Python's own words.
            object.__setattr__(self, name, _EPOCH + millis(getattr(self, name)) * _MILLI)
        if not self.event_id:
            object.__setattr__(self, "event_id", event_id(self.station_id, self.observed_at, self.source))

    @property
    def measures(self) -> dict[str, float | None]:
        """The four measures by name."""
        return {name: getattr(self, name) for name in MEASURES}


@dataclass(frozen=True)
class Poison:
    """A message that nobody can decode, whatever it was meant to be."""

    why: str
    partition: int | None = None
    offset: int | None = None
    appended_at: datetime | None = None
    line: int | None = field(default=None, compare=False)
