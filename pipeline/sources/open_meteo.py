"""Open-Meteo's /v1/forecast: hourly values of many stations in one call.

The weather API of this project speaks the same contract and adds to each location the key
`galewatch_origin` (replay, synthetic, selftest); without it a value is live. The live service's data is
Open-Meteo.com's, licensed CC BY 4.0.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Self

import httpx

from pipeline.errors import (
    ContractError,
    InvalidRequestError,
    RateLimitedError,
    SourceError,
    SourceUnavailableError,
)
from pipeline.sources import Fetched
from pipeline.sources.forecast import SOURCE, VARIABLES, parse_forecast

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.stations import Station

__all__ = ["ATTRIBUTION", "OpenMeteo", "full_hours"]

ATTRIBUTION: Final = "Weather data by Open-Meteo.com (CC BY 4.0)"

_HOUR = timedelta(hours=1)

# A hundred stations take about a second: a service that needs thirty is in trouble, and retrying is better.
_TIMEOUT = httpx.Timeout(30.0, connect=5.0)

# The service's own limit of locations in one call.
_LOCATIONS_PER_CALL = 1000

# What a refusal's text names, and for how many seconds at most. There is no Retry-After: the text is all.
_RATE_WINDOWS: Final = (("minutely", 60), ("concurrent", 60), ("hourly", 3600), ("daily", 86400))

# For a text that names none of them.
_UNKNOWN_WINDOW_SECONDS = 3600

_SHOWN_REASON_LENGTH = 200
_SHOWN_END_LENGTH = 80


class OpenMeteo:
    """Fetches hourly values; `client` defaults to one of its own, which `close` or `with` closes."""

    name: str = SOURCE

    def __init__(self, base_url: str, client: httpx.Client | None = None, batch_size: int = 100) -> None:
        if not 1 <= batch_size <= _LOCATIONS_PER_CALL:
            raise ValueError(f"batch_size must be from 1 to {_LOCATIONS_PER_CALL}, got {batch_size}")
        self._url = f"{base_url.rstrip('/')}/v1/forecast"
        self._owns_client = client is None
        self._client = client or httpx.Client(timeout=_TIMEOUT, headers={"User-Agent": "galewatch"})
        self._batch_size = batch_size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the client, unless it was given."""
        if self._owns_client:
            self._client.close()

    def fetch(
        self, stations: Sequence[Station], start: datetime, end: datetime, *, fetched_at: datetime
    ) -> Fetched:
        """Fetch the values of the full hours with start <= hour < end.

        A value that cannot be one rejects the reading of its station and hour; the others are kept.
        Raises a SourceError of pipeline.errors.
        """
        hours = full_hours(start, end)
        if not hours:
            return Fetched((), ())
        parts = []
        for first in range(0, len(stations), self._batch_size):
            batch = stations[first : first + self._batch_size]
            parts.append(parse_forecast(self.ask(batch, hours), batch, hours, fetched_at))
        return Fetched(
            readings=tuple(reading for part in parts for reading in part.readings),
            rejected=tuple(rejected for part in parts for rejected in part.rejected),
            empty=sum(part.empty for part in parts),
        )

    def ask(self, batch: Sequence[Station], hours: Sequence[datetime]) -> Any:
        """Fetch the answer for one batch of stations as it is, parsed JSON; raises a SourceError."""
        parameters: Mapping[str, str] = {
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
        try:
            response = self._client.get(self._url, params=parameters)
        except httpx.TimeoutException as error:
            raise SourceUnavailableError(f"{SOURCE} did not answer in time ({self._url})") from error
        except httpx.RequestError as error:
            raise SourceUnavailableError(f"{SOURCE} cannot be reached ({self._url}): {error}") from error
        if response.status_code != httpx.codes.OK:
            raise _refusal(response)
        try:
            return response.json()
        except ValueError as error:
            # The service streams: what fails after the first byte breaks a body whose status said 200.
            end = response.text[-_SHOWN_END_LENGTH:]
            raise SourceUnavailableError(f"{SOURCE} answered a body that breaks off: …{end!r}") from error


def full_hours(start: datetime, end: datetime) -> tuple[datetime, ...]:
    """List the full hours (UTC) in [start, end)."""
    if start.tzinfo is None or end.tzinfo is None:
        raise ValueError("start and end need a zone")
    first = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    if first < start:
        first += _HOUR
    return tuple(first + index * _HOUR for index in range(max(0, math.ceil((end - first) / _HOUR))))


def _refusal(response: httpx.Response) -> SourceError:
    """Tell by status and text what to do about an answer that is no 200."""
    try:
        reason = str(response.json()["reason"])
    except (ValueError, KeyError, TypeError):
        reason = response.text.strip()[:_SHOWN_REASON_LENGTH] or "no reason given"
    said = f"{SOURCE} answered {response.status_code}: {reason}"
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        return RateLimitedError(said, _window_seconds(reason))
    if response.is_server_error or response.status_code == httpx.codes.REQUEST_TIMEOUT:
        return SourceUnavailableError(said)
    if response.is_client_error:
        return InvalidRequestError(said)
    return ContractError(f"{said} (its contract has no such status)")


def _window_seconds(reason: str) -> int:
    text = reason.lower()
    return next((seconds for name, seconds in _RATE_WINDOWS if name in text), _UNKNOWN_WINDOW_SECONDS)
