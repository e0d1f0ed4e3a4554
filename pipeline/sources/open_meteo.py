"""Open-Meteo's /v1/forecast: hourly values of many stations in one call.

The weather API of this project speaks the same contract and adds to each location the key
`galewatch_origin` (replay, synthetic, selftest); without it a value is live. The live service's data is
Open-Meteo.com's, licensed CC BY 4.0.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from pipeline.sources import Call, Fetched
from pipeline.sources._records import json_content
from pipeline.sources.forecast import SOURCE, VARIABLES, parse_forecast

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.stations import Station

__all__ = ["ATTRIBUTION", "OpenMeteo", "full_hours"]

ATTRIBUTION: Final = "Weather data by Open-Meteo.com (CC BY 4.0)"

_HOUR: Final = timedelta(hours=1)

# The service's own limit of locations in one call.
_LOCATIONS_PER_CALL: Final = 1000


class OpenMeteo:
    """Asks for hourly values of up to `batch` stations in one call, of the full hours of an interval."""

    def __init__(self, name: str = SOURCE, *, batch: int = 100) -> None:
        if not 1 <= batch <= _LOCATIONS_PER_CALL:
            raise ValueError(f"batch must be from 1 to {_LOCATIONS_PER_CALL}, got {batch}")
        self.name = name
        self._batch = batch

    def calls(self, stations: Sequence[Station], start: datetime, end: datetime) -> tuple[Call, ...]:
        """Ask for the full hours with start <= hour < end; for none when there is no such hour."""
        hours = full_hours(start, end)
        if not hours:
            return ()
        batches = (stations[first : first + self._batch] for first in range(0, len(stations), self._batch))
        return tuple(Call("/v1/forecast", tuple(batch), _parameters(batch, hours)) for batch in batches)

    def content(self, headers: Mapping[str, str], body: bytes) -> Any:  # noqa: ARG002 - the protocol's
        """Give the answer as it came; raises SourceUnavailableError where it breaks off."""
        return json_content(self.name, body)

    def parse(
        self, content: Any, stations: Sequence[Station], start: datetime, end: datetime, fetched_at: datetime
    ) -> Fetched:
        """Give a reading, a rejected reading or an empty slot for each station and hour."""
        return parse_forecast(content, stations, full_hours(start, end), fetched_at, source=self.name)


def full_hours(start: datetime, end: datetime) -> tuple[datetime, ...]:
    """List the full hours (UTC) in [start, end)."""
    if start.tzinfo is None or end.tzinfo is None:
        raise ValueError("start and end need a zone")
    first = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    if first < start:
        first += _HOUR
    return tuple(first + index * _HOUR for index in range(max(0, math.ceil((end - first) / _HOUR))))


def _parameters(batch: Sequence[Station], hours: Sequence[datetime]) -> dict[str, str]:
    return {
        "latitude": ",".join(str(station.latitude) for station in batch),
        "longitude": ",".join(str(station.longitude) for station in batch),
        "hourly": ",".join(VARIABLES.values()),
        "wind_speed_unit": "ms",
        "timeformat": "unixtime",
        "timezone": "GMT",
        # Both hours are part of the answer.
        "start_hour": f"{hours[0]:%Y-%m-%dT%H:%M}",
        "end_hour": f"{hours[-1]:%Y-%m-%dT%H:%M}",
    }
