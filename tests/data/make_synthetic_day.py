"""Write tests/data/synthetic-day: a day of made-up weather in the format of the hourly recordings.

For machines that have no recordings. It has what makes those hard: texts of six digits without a point,
nine decimals, missing values, a city without a column, and hours above 100 °F, below 0 °C, below 980 hPa
and below 10 %. Run it again with `python tests/data/make_synthetic_day.py`; the same bytes come out.
"""

from __future__ import annotations

import csv
import math
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import fastavro

DIRECTORY = Path(__file__).parent / "synthetic-day"
FIRST_HOUR = datetime(2001, 7, 1, 1, tzinfo=UTC)
HOURS = 24

# Coordinates as in config/stations.yaml. Each city: name, latitude, longitude, mean K, swing K, humidity,
# pressure.
CITIES = [
    ("Phoenix", 33.44838, -112.074043, 308.0, 8.0, 14.0, 1006.0),
    ("Las Vegas", 36.174969, -115.137222, 306.0, 7.0, 12.0, 1005.0),
    ("Eilat", 29.55805, 34.948212, 309.0, 6.0, 30.0, 1004.0),
    ("Minneapolis", 44.979969, -93.26384, 271.0, 4.0, 70.0, 984.0),
    ("New York", 40.714272, -74.005966, 295.0, 5.0, 65.0, 1016.0),
    ("Jerusalem", 31.769039, 35.216331, 300.0, 6.0, 40.0, 1010.0),
]
WITHOUT_COLUMN = ("San Francisco", 37.774929, -122.419418)


def temperature(mean: float, swing: float, longitude: float, hour: int, rng: random.Random) -> str:
    """Give a text in kelvin, in one of the shapes that the recordings have."""
    solar = (hour + 1 + longitude / 15) % 24
    kelvin = mean + swing * math.cos(math.tau * (solar - 15) / 24) + rng.uniform(-0.5, 0.5)
    shape = rng.random()
    if shape < 0.15:  # about one in seven
        return f"{kelvin * 1000:.0f}"
    return f"{kelvin:.9f}" if shape < 0.3 else f"{round(kelvin, 2)}"


def write(name: str, rows: list[dict[str, str]]) -> None:
    """Write one file, with a fixed sync marker so that it is the same every time."""
    fields = [{"name": key, "type": "string"} for key in rows[0]]
    schema = {"type": "record", "name": "SyntheticDay", "fields": fields}
    with (DIRECTORY / name).open("wb") as file:
        fastavro.writer(file, schema, rows, codec="deflate", sync_marker=b"synthetic-day-01")


def main() -> None:
    """Write the three files and the table of cities."""
    rng = random.Random(20010701)  # noqa: S311 - the same day every time
    tables: dict[str, list[dict[str, str]]] = {"temperature": [], "humidity": [], "pressure": []}
    for hour in range(HOURS):
        time = f"{FIRST_HOUR + timedelta(hours=hour):%Y-%m-%d %H:%M:%S}"
        rows: dict[str, dict[str, str]] = {name: {"datetime": time} for name in tables}
        for city, _, longitude, mean, swing, humidity, pressure in CITIES:
            column = city.replace(" ", "_")
            rows["temperature"][column] = temperature(mean, swing, longitude, hour, rng)
            rows["humidity"][column] = f"{round(humidity + rng.uniform(-6, 6))}.0"
            rows["pressure"][column] = f"{round(pressure + rng.uniform(-6, 6))}.0"
        for name, table in tables.items():
            table.append(rows[name])
    # Exactly at the thresholds: neither frost nor heat, and a hundredth of a degree over 100 °F.
    tables["temperature"][5]["Minneapolis"] = "273.15"
    tables["temperature"][6]["Minneapolis"] = "273.14"
    tables["temperature"][7]["New_York"] = "310.92"
    tables["temperature"][8]["New_York"] = "310.93"
    # Nothing known of an hour, of one metric, and of the newest hour.
    for table in tables.values():
        table[3]["Jerusalem"] = ""
        table[-1]["Eilat"] = ""
    tables["temperature"][10]["Jerusalem"] = ""
    tables["humidity"][11]["Jerusalem"] = ""
    DIRECTORY.mkdir(exist_ok=True)
    for name, table in tables.items():
        write(f"{name}.avro", table)
    with (DIRECTORY / "city_attributes.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["City", "Latitude", "Longitude"])
        out.writerows([city[:3] for city in CITIES] + [WITHOUT_COLUMN])


if __name__ == "__main__":
    main()
