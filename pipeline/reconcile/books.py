"""What the stores say about the same period: plain data, read by `collect`."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - a dataclass's annotation
from dataclasses import dataclass
from datetime import datetime

__all__ = ["AlertKey", "Books", "Loads", "Place", "Record", "Rows"]

Place = tuple[int, int]
"""A message's partition and offset on the topic of the readings."""

AlertKey = tuple[str, datetime, str, str]
"""Station, time of the observation, rule and source: the key of an alert's row."""


@dataclass(frozen=True, slots=True)
class Loads:
    """The sums of all loads of one source."""

    fetched: int
    stored: int
    revised: int
    unchanged: int
    rejected: int
    rejected_again: int
    to_publish: int


@dataclass(frozen=True, slots=True)
class Rows:
    """What lies in the history of one source; `revisions` are those that were to be published, added up."""

    readings: int
    rejected: int
    revisions: int
    streamed: int
    published: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Record:
    """A message of the topic that can be decoded, as far as its fate depends on it."""

    place: Place
    appended_at: datetime
    event_id: str
    station_id: str
    observed_at: datetime
    source: str
    origin: str
    revision: int
    fetched_at: datetime
    temperature_c: float | None
    alerts: tuple[str, ...]
    """The rules that it crosses."""


@dataclass(frozen=True, slots=True)
class Books:
    """Everything that is compared. `records` and `undecoded` are what lies on the topic since `since`.

    `moving` are windows, station and start, that messages belong to which came while the books were read.
    """

    since: datetime
    until: datetime
    loads: Mapping[str, Loads]
    rows: Mapping[str, Rows]
    # event ids that the history calls published within the period
    published: frozenset[str]
    # event ids on the topic, of sources that load, that the history does not know
    unknown: frozenset[str]
    records: tuple[Record, ...]
    undecoded: frozenset[Place]
    dead: frozenset[Place]
    stored: frozenset[str]
    alerts_by_station: frozenset[AlertKey]
    alerts_by_day: frozenset[AlertKey]
    alerts_on_topic: frozenset[str]
    # by station and start: mean, least, greatest, count
    averages: Mapping[tuple[str, datetime], tuple[float, float, float, int]]
    moving: frozenset[tuple[str, datetime]]
