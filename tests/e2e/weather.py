"""What the end-to-end test feeds: two hot days of recorded weather, cut out of the shared recording."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastavro
import yaml

from pipeline.infra.layout import PROJECT_ROOT
from tests.oracle.weather import Observed, recorded

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["HOURS", "compressed_cities", "cut_recording", "station_places"]

HOURS = 360
"""Hours that are kept: compressed to one every 10 seconds they are one hour."""

# A heat wave in the south-west of the United States; evening in Israel. In UTC, as recorded.
_LAST_HOUR = "2017-06-20 22:00:00"
_STEP = timedelta(seconds=10)
_NAMES = ("temperature", "humidity", "pressure")


def cut_recording(target: Path) -> Path:
    """Write the last HOURS hours up to the heat wave into `target`, and give it.

    From `$GALEWATCH_SHARED/data/hourly-weather` (default ../shared); where that is missing, the committed
    synthetic day is taken as it is.
    """
    shared = (
        Path(os.environ.get("GALEWATCH_SHARED", PROJECT_ROOT.parent / "shared")) / "data" / "hourly-weather"
    )
    target.mkdir()
    if not shared.is_dir():
        return shutil.copytree(PROJECT_ROOT / "tests" / "data" / "synthetic-day", target, dirs_exist_ok=True)
    shutil.copy(shared / "city_attributes.csv", target)
    for name in _NAMES:
        with (shared / f"{name}.avro").open("rb") as file:
            reader = fastavro.reader(file)
            schema: Any = reader.writer_schema
            rows = [row for row in reader if row["datetime"] <= _LAST_HOUR][-HOURS:]  # type: ignore[index,call-overload]
        with (target / f"{name}.avro").open("wb") as file:
            fastavro.writer(file, schema, rows)
    return target


def compressed_cities(
    recording: Path, cities: Sequence[str], hours: int, start: datetime, prefix: str
) -> list[Observed]:
    """Give the last hours of some cities, one every ten seconds from `start` on, under names of their own.

    As many hours as the recording has, where it has fewer. What was not measured stays so.
    """
    with (recording / "temperature.avro").open("rb") as file:
        hours = min(hours, sum(1 for _ in fastavro.reader(file)))
    places = station_places()
    last = datetime(2000, 1, 1, tzinfo=UTC)
    observed = recorded(recording, last, hours, {city: places[city] for city in cities})
    first = last - (hours - 1) * timedelta(hours=1)
    return [
        replace(
            item,
            station_id=f"{prefix}-{item.station_id}",
            observed_at=start + (item.observed_at - first) // timedelta(hours=1) * _STEP,
        )
        for item in observed
    ]


def station_places() -> dict[str, tuple[float, float]]:
    """Read id, latitude and longitude of the product's stations of Open-Meteo."""
    stations = yaml.safe_load((PROJECT_ROOT / "config" / "stations.yaml").read_text(encoding="utf-8"))[
        "stations"
    ]
    return {
        station["id"]: (station["latitude"], station["longitude"])
        for station in stations
        if "source" not in station
    }
