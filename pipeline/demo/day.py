"""The day that the demo plays: the last 24 full hours, as the sources give them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipeline.demo.in_process import client
from pipeline.sources.asking import Asker
from pipeline.sources.open_meteo import OpenMeteo
from pipeline.stations import load_stations, stations_of
from pipeline.weather_api.app import create_app, open_weather

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipeline.readings import Origin, Reading
    from pipeline.sources import Fetched
    from pipeline.weather_api.settings import WeatherApiSettings

__all__ = ["Day", "fetch"]

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Day:
    """What the sources gave of [start, end), by the source's name."""

    start: datetime
    end: datetime
    origin: Origin
    fetched: Mapping[str, Fetched]

    @property
    def readings(self) -> list[Reading]:
        """The readings of all sources in the order in which they were observed."""
        found = [reading for part in self.fetched.values() for reading in part.readings]
        return sorted(found, key=lambda reading: (reading.observed_at, reading.station_id))


def fetch(settings: WeatherApiSettings, config: Path) -> Day:
    """Fetch the last 24 full hours of every station; raises ConfigError or a SourceError."""
    end = settings.clock().replace(minute=0, second=0, microsecond=0)
    start = end - _DAY
    stations = load_stations(config / "stations.yaml")
    feeds = open_weather(settings, stations)
    with client(create_app(feeds, settings.clock)) as http:
        source, asker = OpenMeteo(), Asker(str(http.base_url), http)
        own = stations_of(stations, source.name)
        fetched = {source.name: asker.fetch(source, own, start, end, fetched_at=settings.clock())}
    return Day(start, end, feeds.forecast.origin, fetched)
