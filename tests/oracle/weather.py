"""What the recorded files say, read by other means than the product's, for the oracle to judge.

Nothing of the product is imported. Values are decimals and fractions throughout and become floats at the
very end; stations are found by their coordinates in the recording's own table of cities.
"""

from __future__ import annotations

import csv
from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import fastavro

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

HOUR = timedelta(hours=1)


@dataclass(frozen=True, order=True)
class Observed:
    """What one station observed; None is "not measured"."""

    station_id: str
    observed_at: datetime
    temperature_c: float | None = None
    humidity_pct: float | None = None
    pressure_hpa: float | None = None
    wind_speed_ms: float | None = None


def recorded(
    directory: Path, now_hour: datetime, hours: int, stations: Mapping[str, tuple[float, float]]
) -> list[Observed]:
    """List what the `hours` hours up to `now_hour` (included) show, when it shows the recording's last hour.

    `stations` maps an id to latitude and longitude. Those that are at no recorded city observe nothing.
    """
    names = ("temperature", "humidity", "pressure")
    tables = {name: last_rows(directory / f"{name}.avro", hours) for name in names}
    cities = {}
    with (directory / "city_attributes.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            cities[Decimal(row["Latitude"]), Decimal(row["Longitude"])] = row["City"].replace(" ", "_")
    observed = []
    for station_id, (latitude, longitude) in stations.items():
        city = cities.get((Decimal(str(latitude)), Decimal(str(longitude))))
        if city is None or city not in tables["temperature"][-1]:
            continue
        for back in range(hours):
            index = -1 - back
            temperature = celsius(tables["temperature"][index][city])
            humidity = plain(tables["humidity"][index][city])
            pressure = plain(tables["pressure"][index][city])
            if (temperature, humidity, pressure) != (None, None, None):
                hour = now_hour - back * HOUR
                observed.append(Observed(station_id, hour, temperature, humidity, pressure))
    return sorted(observed, key=lambda item: (item.station_id, item.observed_at))


def places_of(directory: Path, cities: Mapping[str, str]) -> dict[str, tuple[float, float]]:
    """Give latitude and longitude of each station's city, for `recorded`; `cities` maps an id to a name."""
    with (directory / "city_attributes.csv").open(encoding="utf-8", newline="") as file:
        known = {
            row["City"]: (float(row["Latitude"]), float(row["Longitude"])) for row in csv.DictReader(file)
        }
    return {station_id: known[city] for station_id, city in cities.items() if city in known}


def last_rows(path: Path, count: int) -> list[dict[str, str]]:
    """Give the newest `count` rows of a file, the newest last."""
    rows: deque[Any] = deque(maxlen=count)
    with path.open("rb") as file:
        rows.extend(fastavro.reader(file))
    assert len(rows) == count, f"{path} has only {len(rows)} hours"
    assert list(rows) == sorted(rows, key=lambda row: row["datetime"]), f"{path} is not in the order of time"
    return list(rows)


def celsius(text: str) -> float | None:
    """Give the Celsius temperature of a text in kelvin, with two decimals.

    Six digits without a point are thousandths of a kelvin: that is how the files write numbers of three
    decimals.
    """
    if text == "":
        return None
    pointless = len(text) == 6 and "." not in text
    kelvin = Fraction(int(text), 1000) if pointless else Fraction(text)
    return two_decimals(kelvin - Fraction("273.15"))


def plain(text: str) -> float | None:
    """Give a text's number with two decimals."""
    return None if text == "" else two_decimals(Fraction(text))


def two_decimals(value: Fraction) -> float:
    """Round to hundredths, halves to even, which is how Python rounds fractions."""
    return float(Fraction(round(value * 100), 100))


def compressed(readings: Iterable[Observed], start: datetime, step_seconds: int = 10) -> list[Observed]:
    """Give each station's temperatures in their order, one every `step_seconds` from `start` on."""
    by_station: defaultdict[str, list[Observed]] = defaultdict(list)
    for reading in sorted(readings, key=lambda item: (item.station_id, item.observed_at)):
        if reading.temperature_c is not None:
            by_station[reading.station_id].append(reading)
    return [
        Observed(station_id, start + index * timedelta(seconds=step_seconds), reading.temperature_c)
        for station_id, items in by_station.items()
        for index, reading in enumerate(items)
    ]
