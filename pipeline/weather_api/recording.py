"""Recorded hourly weather: an Avro file a metric, a column a city, each value a text, empty where missing.

The directory holds temperature.avro (kelvin), humidity.avro (%), pressure.avro (hPa) and
city_attributes.csv (City,Latitude,Longitude). A column has the city's name with underscores for blanks;
`datetime` is UTC, such as `2017-11-30 00:00:00`, and each hour follows the one before. Values become whole
hundredths of °C, % and hPa, rounded half to even in decimal: whoever reads the same files gets the same
numbers.
"""

from __future__ import annotations

import csv
import struct
import zlib
from array import array
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from pathlib import Path  # noqa: TC003 - part of a signature that tools resolve
from typing import TYPE_CHECKING, Any, Final

import fastavro
from fastavro.schema import SchemaParseException

from pipeline.config import shown
from pipeline.errors import ConfigError
from pipeline.weather_api.weather import NOTHING, Place, Values, hour_of, instant_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["Recording", "kelvin_hundredths", "load_recording", "plain_hundredths"]

_TIME: Final = "datetime"
_CITIES: Final = "city_attributes.csv"
_HUNDREDTH: Final = Decimal("0.01")
_ZERO_CELSIUS: Final = Decimal("273.15")
_MISSING: Final = -(2**31)

# What a damaged file leads fastavro to raise.
_DAMAGE: Final = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    SchemaParseException,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


def kelvin_hundredths(text: str) -> int:
    """Turn a text in kelvin into hundredths of a degree Celsius; raises ValueError when it is no number.

    A number of six digits without a point is one of three decimals that lost its point on the way into the
    file: in five years of 32 cities no temperature has exactly three decimals, while one in seven is such a
    number, from 242899 to 317737, and fits in between its neighbours as thousandths of a kelvin.
    """
    value = _decimal(text)
    if len(text) == len("273150") and text.isdecimal():
        value = value.scaleb(-3)
    return _hundredths(value - _ZERO_CELSIUS)


def plain_hundredths(text: str) -> int:
    """Turn a text into hundredths of its own unit; raises ValueError when it is no number."""
    return _hundredths(_decimal(text))


def _decimal(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    # The limit keeps the hundredths inside of 32 bits.
    if not value.is_finite() or abs(value) > 10**7:
        raise ValueError(f"{shown(text)} is no measurement")
    return value


def _hundredths(value: Decimal) -> int:
    return int(value.quantize(_HUNDREDTH, ROUND_HALF_EVEN).scaleb(2))


# The order is that of Values; wind was not recorded.
_METRICS: Final[tuple[tuple[str, Callable[[str], int]], ...]] = (
    ("temperature.avro", kelvin_hundredths),
    ("humidity.avro", plain_hundredths),
    ("pressure.avro", plain_hundredths),
)


@dataclass(frozen=True, slots=True)
class Recording:
    """The hours from `first_hour` to `last_hour`, both inclusive: of each city, hundredths by metric."""

    first_hour: int
    last_hour: int
    cities: Mapping[Place, tuple[array[int], ...]]

    @property
    def places(self) -> tuple[Place, ...]:
        """List the cities."""
        return tuple(self.cities)

    @property
    def about(self) -> str:
        """Say to people what was recorded."""
        return f"hourly, {len(self.cities)} cities, without wind"

    def within(self, place: Place, hour: int) -> tuple[tuple[int, Values], ...]:
        """Give what was observed in an hour as (milliseconds past the hour, values): once, or nothing."""
        values = self.at(place, hour)
        return () if values == NOTHING else ((0, values),)

    def at(self, city: Place, hour: int) -> Values:
        """Give what was recorded at a city in an hour; outside of the recording, nothing."""
        if not self.first_hour <= hour <= self.last_hour:
            return NOTHING
        recorded = (column[hour - self.first_hour] for column in self.cities[city])
        return Values(*(None if value == _MISSING else value / 100 for value in recorded))


def load_recording(directory: Path) -> Recording:
    """Read a directory of recordings; raises ConfigError that names the file and what is wrong with it."""
    if not directory.is_dir():
        raise ConfigError(f"GALEWATCH_REPLAY: '{directory}' is not a directory")
    places = _read_places(directory / _CITIES)
    files = {name: _read_file(directory / name, convert) for name, convert in _METRICS}
    (first_hour, columns), *others = files.values()
    hours = len(next(iter(columns.values())))
    for name, (start, more) in files.items():
        if (start, set(more), len(next(iter(more.values())))) != (first_hour, set(columns), hours):
            raise ConfigError(f"{directory / name}: its hours or cities are not those of {_METRICS[0][0]}")
    unplaced = set(columns) - set(places)
    if unplaced:
        raise ConfigError(f"{directory / _CITIES}: has no row for the recorded city '{min(unplaced)}'")
    return Recording(
        first_hour=first_hour,
        last_hour=first_hour + hours - 1,
        cities={places[key]: (columns[key], *(more[key] for _, more in others)) for key in columns},
    )


def _read_places(path: Path) -> dict[str, Place]:
    """Read the cities by the name of their column."""
    places = {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                place = Place(row["City"], float(row["Latitude"]), float(row["Longitude"]))
                places[place.name.replace(" ", "_")] = place
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except (AttributeError, KeyError, TypeError, ValueError, csv.Error) as error:
        raise ConfigError(f"{path}: is no table of City,Latitude,Longitude: {error}") from None
    return places


def _read_file(path: Path, convert: Callable[[str], int]) -> tuple[int, dict[str, array[int]]]:
    """Read one file: the number of its first hour, and its columns by city."""
    try:
        with path.open("rb") as file:
            reader = fastavro.reader(file)
            cities = [name for name in _fields(reader.writer_schema) if name != _TIME]
            return _read_rows(path, reader, cities, convert)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from None
    except _DAMAGE as error:
        raise ConfigError(f"{path}: is no whole Avro file of hourly texts by city: {error}") from error


def _fields(schema: Any) -> list[str]:
    fields = schema["fields"]
    names = [field["name"] for field in fields]
    if _TIME not in names or len(names) == 1 or any(field["type"] != "string" for field in fields):
        raise ValueError("its schema is not of the texts 'datetime' and one or more cities")
    return names


def _read_rows(
    path: Path, rows: Iterable[Any], cities: list[str], convert: Callable[[str], int]
) -> tuple[int, dict[str, array[int]]]:
    columns = {city: array("i") for city in cities}
    # Filling goes by the same few objects, a million times and a half: look each up once. Short texts repeat.
    append = [(city, column.append) for city, column in columns.items()]
    known = {"": _MISSING}
    first_hour = 0
    for number, row in enumerate(rows):
        time = datetime.fromisoformat(row[_TIME]).replace(tzinfo=UTC)
        first_hour = hour_of(time) if number == 0 else first_hour
        if time != instant_of(first_hour + number):
            raise ConfigError(f"{path}: '{row[_TIME]}' is no full hour that follows the one before")
        for city, put in append:
            text = row[city]
            value = known.get(text)
            if value is None:
                value = _converted(path, text, city, row[_TIME], convert)
                if len(text) <= len("273.15"):
                    known[text] = value
            put(value)
    if not columns[cities[0]]:
        raise ConfigError(f"{path}: holds no hour")
    return first_hour, columns


def _converted(path: Path, text: str, city: str, time: str, convert: Callable[[str], int]) -> int:
    try:
        return convert(text)
    except ValueError as error:
        raise ConfigError(f"{path}: '{city}' at {time}: {error}") from None
