"""The one place that asks sources over HTTP, and tells by status and text what to do about a refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self

import httpx

from pipeline.errors import (
    ContractError,
    InvalidRequestError,
    RateLimitedError,
    SourceError,
    SourceUnavailableError,
)
from pipeline.sources import together

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pipeline.sources import Call, Fetched, Source
    from pipeline.stations import Station

__all__ = ["Asker"]

# A hundred stations take about a second: a service that needs thirty is in trouble, and retrying is better.
_TIMEOUT: Final = httpx.Timeout(30.0, connect=5.0)

# The US weather service refuses who does not say who asks.
_HEADERS: Final = {"User-Agent": "galewatch"}

# What a refusal's text names, and for how many seconds at most. Open-Meteo sends no Retry-After: the text is
# all.
_RATE_WINDOWS: Final = (("minutely", 60), ("concurrent", 60), ("hourly", 3600), ("daily", 86400))

# For a text that names none of them.
_UNKNOWN_WINDOW_SECONDS: Final = 3600

# Where the reason stands: in Open-Meteo's errors, or in a problem of RFC 9457.
_REASONS: Final = ("reason", "detail", "title")
_SHOWN_REASON_LENGTH: Final = 200


class Asker:
    """Asks sources below one root; `client` defaults to one of its own, which `close` or `with` closes."""

    def __init__(self, base_url: str, client: httpx.Client | None = None) -> None:
        self._url = base_url.rstrip("/")
        self._owns_client = client is None
        self._client = client or httpx.Client(timeout=_TIMEOUT, headers=_HEADERS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the client, unless it was given."""
        if self._owns_client:
            self._client.close()

    def fetch(
        self,
        source: Source,
        stations: Sequence[Station],
        start: datetime,
        end: datetime,
        *,
        fetched_at: datetime,
    ) -> Fetched:
        """Fetch what the stations observed in [start, end); raises a SourceError of pipeline.errors."""
        return together(
            source.parse(self.ask(source, call), call.stations, start, end, fetched_at)
            for call in source.calls(stations, start, end)
        )

    def ask(self, source: Source, call: Call) -> Any:
        """Give the content of the answer to one call, plain JSON; raises a SourceError."""
        url = self._url + call.path
        try:
            response = self._client.get(url, params=dict(call.parameters))
        except httpx.TimeoutException as error:
            raise SourceUnavailableError(f"{source.name} did not answer in time ({url})") from error
        except httpx.RequestError as error:
            raise SourceUnavailableError(f"{source.name} cannot be reached ({url}): {error}") from error
        if response.status_code != httpx.codes.OK:
            raise _refusal(source.name, response)
        return source.content(response.headers, response.content)


def _refusal(name: str, response: httpx.Response) -> SourceError:
    """Tell by status and text what to do about an answer that is no 200."""
    reason = _reason(response)
    said = f"{name} answered {response.status_code}: {reason}"
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        return RateLimitedError(said, _window_seconds(reason, response.headers.get("Retry-After", "")))
    if response.is_server_error or response.status_code == httpx.codes.REQUEST_TIMEOUT:
        return SourceUnavailableError(said)
    if response.is_client_error:
        return InvalidRequestError(said)
    return ContractError(f"{said} (its contract has no such status)")


def _reason(response: httpx.Response) -> str:
    try:
        body = response.json()
    except ValueError:
        body = None
    found = [body[key] for key in _REASONS if body.get(key)] if isinstance(body, dict) else []
    text = str(found[0]) if found else response.text
    return " ".join(text.split())[:_SHOWN_REASON_LENGTH] or "no reason given"


def _window_seconds(reason: str, retry_after: str) -> int:
    """Give the longest of what the text and the header Retry-After (in seconds) say."""
    text = reason.lower()
    said = [seconds for name, seconds in _RATE_WINDOWS if name in text]
    if retry_after.isascii() and retry_after.isdecimal():
        said.append(int(retry_after))
    return max(said, default=_UNKNOWN_WINDOW_SECONDS)
