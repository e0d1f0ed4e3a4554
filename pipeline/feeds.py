"""What is watched: each source (config/sources.yaml) with its stations (config/stations.yaml)."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path  # noqa: TC003 - kept at run time beside the other annotations
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from pipeline.config import Entry, config_dir, load_config
from pipeline.errors import ConfigError
from pipeline.readings import SLUG
from pipeline.stations import Station, load_stations, stations_of

__all__ = ["Feed", "SourceFacts", "interval_around", "load_feeds", "load_sources"]

_DURATION: Final = re.compile(r"([1-9]\d{0,3})([mhd])")
_MINUTES: Final = {"m": 1, "h": 60, "d": 1440}
_HOUR: Final = timedelta(hours=1)

# The values of this contract are of full hours.
_HOURLY: Final = "open-meteo"


def _duration(text: str) -> str:
    if not _DURATION.fullmatch(text):
        raise ValueError("must be a number of minutes, hours or days, such as 5m, 1h or 1d")
    return text


def _url(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", text):
        raise ValueError("must be a URL that starts with http:// or https://")
    return text.rstrip("/")


Duration = Annotated[str, AfterValidator(_duration)]


class SourceFacts(Entry):
    """One entry of sources.yaml; a duration is text such as 5m, and a time span as the property …_time."""

    id: Annotated[str, Field(pattern=SLUG, max_length=64)]
    kind: Literal["open-meteo", "gateway-csv", "nws-geojson"]
    interval: Duration
    lookback: Duration | None = None
    catch_up: Duration
    live: Annotated[str, AfterValidator(_url)] | None = None
    # The smallest of the services' own limits is 1000 locations in one call.
    batch: Annotated[int, Field(ge=1, le=1000)] = 100

    @model_validator(mode="after")
    def _interval_divides_its_hour_or_day(self) -> Self:
        day = timedelta(days=1)
        whole = _HOUR if self.interval_time < _HOUR else day
        if self.interval_time > day or whole % self.interval_time:
            raise ValueError("interval must divide an hour or a day evenly")
        if self.kind == _HOURLY and self.interval_time < _HOUR:
            raise ValueError(f"interval must be 1h or more for the kind {_HOURLY}, whose values are hourly")
        return self

    @property
    def interval_time(self) -> timedelta:
        """How long an interval is."""
        return _time(self.interval)

    @property
    def lookback_time(self) -> timedelta:
        """How long before each interval is asked for again."""
        return _time(self.lookback) if self.lookback else timedelta()

    @property
    def catch_up_time(self) -> timedelta:
        """How far back missing intervals are made up for."""
        return _time(self.catch_up)

    @property
    def cron(self) -> str:
        """The cron expression of the intervals' ends, in UTC."""
        minutes = self.interval_time // timedelta(minutes=1)
        if minutes < 60:  # noqa: PLR2004 - minutes of an hour
            return f"*/{minutes} * * * *"
        hours = minutes // 60
        return "0 * * * *" if hours == 1 else "0 0 * * *" if hours == 24 else f"0 */{hours} * * *"  # noqa: PLR2004

    @property
    def dag_id(self) -> str:
        """The id of its DAG."""
        return f"ingest_{self.id.replace('-', '_')}"

    @property
    def connection_id(self) -> str:
        """The id of its connection in Airflow."""
        return f"galewatch_{self.id.replace('-', '_')}"


class _SourceFile(Entry):
    sources: Annotated[tuple[SourceFacts, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Feed:
    """A source and the stations that it observes; there may be none."""

    facts: SourceFacts
    stations: tuple[Station, ...]


def interval_around(now: datetime, length: timedelta) -> tuple[datetime, datetime]:
    """Give the interval that `now` is in, as [start, end); intervals are counted from midnight (UTC)."""
    now = now.astimezone(UTC)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    start = midnight + (now - midnight) // length * length
    return start, start + length


def load_sources(path: Path) -> tuple[SourceFacts, ...]:
    """Load a source file; raises ConfigError that names the file, the field and the value."""
    sources = load_config(path, _SourceFile).sources
    counts = Counter(facts.dag_id for facts in sources)
    for index, facts in enumerate(sources):
        if counts[facts.dag_id] > 1:
            raise ConfigError(
                f"{path}: sources[{index}].id: '{facts.id}' is given {counts[facts.dag_id]} times"
            )
    return sources


def load_feeds(directory: Path | None = None) -> tuple[Feed, ...]:
    """Load sources.yaml and stations.yaml of a configuration directory; raises ConfigError.

    A station of an unknown source is an error, and so are two that one source knows by the same code.
    """
    directory = directory or config_dir()
    sources = load_sources(directory / "sources.yaml")
    stations = load_stations(directory / "stations.yaml")
    known = [facts.id for facts in sources]
    codes = Counter((station.source, station.source_code) for station in stations)
    for index, station in enumerate(stations):
        place = f"{directory / 'stations.yaml'}: stations[{index}] (id '{station.id}')"
        if station.source not in known:
            raise ConfigError(
                f"{place}.source: sources.yaml has no source '{station.source}'; it has {', '.join(known)}"
            )
        if codes[station.source, station.source_code] > 1:
            raise ConfigError(
                f"{place}.code: the source '{station.source}' has several stations '{station.source_code}'"
            )
    return tuple(Feed(facts, stations_of(stations, facts.id)) for facts in sources)


def _time(text: str) -> timedelta:
    return timedelta(minutes=int(text[:-1]) * _MINUTES[text[-1]])
