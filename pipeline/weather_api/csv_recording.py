"""Recorded weather as plain CSV: `stations.csv`, and beside it any number of files of observations.

`stations.csv` has the columns station_id,name,latitude,longitude; every other `*.csv` of the folder has
station_id,observed_at,temperature_c,humidity_pct,pressure_hpa,wind_speed_ms, in canonical units, an empty
field where nothing was measured. Times are RFC 3339 with a zone, at most milliseconds, and may be as close
together as one likes; rows and files may be in any order. The first row that is wrong is one error that
names file, line and field.
"""

from __future__ import annotations

import csv
import math
import re
from array import array
from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import pairwise
from operator import itemgetter
from pathlib import Path  # noqa: TC003 - part of a signature that tools resolve
from typing import TYPE_CHECKING, Final

from pipeline.config import shown
from pipeline.errors import ConfigError
from pipeline.readings import FIELDS, SLUG
from pipeline.units import METRICS
from pipeline.weather_api.interval import instant
from pipeline.weather_api.weather import Place, Values

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["STATIONS_FILE", "CsvRecording", "load_csv_recording"]

STATIONS_FILE: Final = "stations.csv"
_STATION_COLUMNS: Final = ("station_id", "name", "latitude", "longitude")
_MEASURES: Final = tuple(FIELDS[metric] for metric in METRICS)
_COLUMNS: Final = ("station_id", "observed_at", *_MEASURES)
# More than any file has, so that a number tells file and line.
_LINES: Final = 2**32
_HOUR_MS: Final = 3_600_000


@dataclass(slots=True)
class _Column:
    """One station's observations: instants in milliseconds since 1970, values (NaN: none), file and line."""

    instants: array[int] = field(default_factory=lambda: array("q"))
    values: tuple[array[float], ...] = field(default_factory=lambda: tuple(array("d") for _ in METRICS))
    origins: array[int] = field(default_factory=lambda: array("q"))

    def sort(self) -> int | None:
        """Bring it into the order of time; gives the place of a second observation at the same time."""
        order = sorted(range(len(self.instants)), key=self.instants.__getitem__)
        for one, other in pairwise(order):
            if self.instants[one] == self.instants[other]:
                return self.origins[other]
        self.instants = array("q", (self.instants[index] for index in order))
        self.values = tuple(array("d", map(column.__getitem__, order)) for column in self.values)
        self.origins = array("q")
        return None


class CsvRecording:
    """The observations of the stations, by hour."""

    def __init__(self, columns: dict[Place, _Column]) -> None:
        self._columns = columns
        observed = [column.instants for column in columns.values() if column.instants]
        self.first_hour = min(instants[0] for instants in observed) // _HOUR_MS
        self.last_hour = max(instants[-1] for instants in observed) // _HOUR_MS
        self.places = tuple(columns)
        self.about = f"{sum(map(len, observed))} observations of {len(columns)} stations in CSV files"

    def within(self, place: Place, hour: int) -> tuple[tuple[int, Values], ...]:
        """Give what was observed in an hour as (milliseconds past the hour, values), in the order of time."""
        column = self._columns[place]
        begin = hour * _HOUR_MS
        first, last = (bisect_left(column.instants, edge) for edge in (begin, begin + _HOUR_MS))
        return tuple(
            (
                column.instants[index] - begin,
                Values(*(None if math.isnan(v[index]) else v[index] for v in column.values)),
            )
            for index in range(first, last)
        )


def load_csv_recording(directory: Path) -> CsvRecording:
    """Read a folder of CSV files; raises ConfigError that names the file, the line and the field."""
    places = _read_stations(directory / STATIONS_FILE)
    columns = {station_id: _Column() for station_id in places}
    paths = [path for path in sorted(directory.glob("*.csv")) if path.name != STATIONS_FILE]
    for number, path in enumerate(paths):
        _read_observations(path, number * _LINES, columns)
    for station_id, column in columns.items():
        twice = column.sort()
        if twice is not None:
            number, line = divmod(twice, _LINES)
            raise ConfigError(
                f"{paths[number]}: line {line}: observed_at is that of another row of '{station_id}'"
            )
    if not any(column.instants for column in columns.values()):
        raise ConfigError(f"{directory}: no CSV file beside {STATIONS_FILE} holds an observation")
    return CsvRecording({places[station_id]: column for station_id, column in columns.items()})


@dataclass(frozen=True, slots=True)
class _Row:
    """One row and where it stands, to name it in errors."""

    path: Path
    line: int
    fields: dict[str, str]

    def wrong(self, name: str, reason: str) -> ConfigError:
        return ConfigError(f"{self.path}: line {self.line}: {name} is {shown(self.fields[name])}, {reason}")

    def number(self, name: str, low: float = -math.inf, high: float = math.inf) -> float:
        try:
            value = float(self.fields[name])
        except ValueError:
            raise self.wrong(name, "no number") from None
        if not math.isfinite(value):
            raise self.wrong(name, "no finite number")
        if not low <= value <= high:
            raise self.wrong(name, f"outside of {low:g} to {high:g}")
        return value

    def millis(self, name: str) -> int:
        try:
            return round(instant(self.fields[name]).timestamp() * 1000)
        except ValueError:
            raise self.wrong(name, "no time such as 2026-01-31T12:00:00Z") from None


def _read_stations(path: Path) -> dict[str, Place]:
    places: dict[str, Place] = {}
    for row in _rows(path, _STATION_COLUMNS):
        station_id = row.fields["station_id"]
        if not re.fullmatch(SLUG, station_id):
            raise row.wrong("station_id", "no id of lowercase letters, digits and single hyphens")
        if station_id in places:
            raise row.wrong("station_id", "given before")
        places[station_id] = Place(
            row.fields["name"],
            row.number("latitude", -90, 90),
            row.number("longitude", -180, 180),
            station_id,
        )
    if not places:
        raise ConfigError(f"{path}: names no station")
    return places


def _read_observations(path: Path, origin: int, columns: dict[str, _Column]) -> None:
    for row in _rows(path, _COLUMNS):
        column = columns.get(row.fields["station_id"])
        if column is None:
            raise row.wrong("station_id", f"no station of {STATIONS_FILE}")
        column.instants.append(row.millis("observed_at"))
        column.origins.append(origin + row.line)
        for name, values in zip(_MEASURES, column.values, strict=True):
            values.append(row.number(name) if row.fields[name] else math.nan)


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[_Row]:
    """Give the rows of a file that has just those columns, in any order."""
    try:
        # With or without the mark that spreadsheets write at the beginning.
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            for name in columns:
                if header.count(name) != 1:
                    wrong = "is missing" if name not in header else "is given twice"
                    raise ConfigError(f"{path}: line 1: the column {name} {wrong}")
            for name in header:
                if name not in columns:
                    raise ConfigError(f"{path}: line 1: {shown(name)} is no column of {','.join(columns)}")
            take = itemgetter(*(header.index(name) for name in columns))
            for row in reader:
                if len(row) != len(header):
                    found = f"has {len(row)} fields where the header has {len(header)}"
                    raise ConfigError(f"{path}: line {reader.line_num}: {found}")
                yield _Row(path, reader.line_num, dict(zip(columns, take(row), strict=True)))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is no text in UTF-8") from None
    except csv.Error as error:
        raise ConfigError(f"{path}: line {reader.line_num}: {error}") from None
