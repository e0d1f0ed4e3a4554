"""The day that the demo plays: the last 24 full hours, as the sources give them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipeline.demo.in_process import client
from pipeline.feeds import load_feeds
from pipeline.sources.asking import Asker
from pipeline.sources.kinds import source_of
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
    """Fetch the last 24 full hours of every station from its source; raises ConfigError or a SourceError."""
    now = settings.clock()
    end = now.replace(minute=0, second=0, microsecond=0)
    start = end - _DAY
    feeds = [feed for feed in load_feeds(config) if feed.stations]
    weather = open_weather(settings, [station for feed in feeds for station in feed.stations])
    with client(create_app(weather, settings.clock)) as http:
        asker = Asker(str(http.base_url), http)
        fetched = {
            feed.facts.id: asker.fetch(source_of(feed.facts), feed.stations, start, end, fetched_at=now)
            for feed in feeds
        }
    return Day(start, end, weather.forecast.origin, fetched)
