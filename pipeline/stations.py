"""The stations that Galewatch watches (config/stations.yaml)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path  # noqa: TC003 - kept at run time beside the other annotations
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field

from pipeline.config import Entry, load_config
from pipeline.errors import ConfigError
from pipeline.readings import SLUG

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["DEFAULT_SOURCE", "SELFTEST_STATION_ID", "Station", "load_stations", "stations_of"]

DEFAULT_SOURCE: Final = "open-meteo"
"""The source of a station that names none."""

SELFTEST_STATION_ID = "galewatch-selftest"
"""Reserved: the station whose one reading proves the path. It is in no station file."""


class Station(Entry):
    """A place that readings come from; latitude and longitude in degrees, north and east positive.

    `source` is the id of the one source that observes it; `code` is what that source calls it, where that is
    not its id here (the US weather service says KJFK).
    """

    id: Annotated[str, Field(pattern=SLUG, max_length=64)]
    name: Annotated[str, Field(min_length=1)]
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    source: Annotated[str, Field(pattern=SLUG, max_length=64)] = DEFAULT_SOURCE
    code: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$", max_length=64)] | None = None

    @property
    def source_code(self) -> str:
        """What its source calls it."""
        return self.code or self.id


class _StationFile(Entry):
    stations: Annotated[tuple[Station, ...], Field(min_length=1)]


def load_stations(path: Path) -> tuple[Station, ...]:
    """Load a station file; raises ConfigError that names the file, the field and the value."""
    stations = load_config(path, _StationFile).stations
    counts = Counter(station.id for station in stations)
    for index, station in enumerate(stations):
        place = f"{path}: stations[{index}].id"
        if counts[station.id] > 1:
            raise ConfigError(f"{place}: '{station.id}' is given {counts[station.id]} times")
        if station.id == SELFTEST_STATION_ID:
            raise ConfigError(f"{place}: '{station.id}' is reserved for the self-test")
    return stations


def stations_of(stations: Iterable[Station], source: str) -> tuple[Station, ...]:
    """List the stations that a source observes, in their order."""
    return tuple(station for station in stations if station.source == source)
