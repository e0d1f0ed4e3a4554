"""What a fault does to an answer, in the terms of each contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse, Response

from pipeline.weather_api.problems import problem
from pipeline.weather_api.weather import NOTHING, Observation, Series

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from starlette.types import Receive, Scope, Send

    from pipeline.readings import Origin
    from pipeline.stations import Station
    from pipeline.weather_api.faults import Contract, Fault
    from pipeline.weather_api.weather import Observer, Place, Weather

__all__ = [
    "BlankObserver",
    "BlankWeather",
    "Truncated",
    "changed_csv",
    "changed_forecast",
    "changed_observations",
    "refusal",
]

# Open-Meteo's own sentences. The window is in the text only: there is no Retry-After.
_LIMITS: Final = {
    "minutely": "Minutely API request limit exceeded. Please try again in one minute.",
    "hourly": "Hourly API request limit exceeded. Please try again in the next hour.",
    "daily": "Daily API request limit exceeded. Please try again tomorrow.",
    "concurrent": "Too many concurrent requests.",
}
_OVERLOADED: Final = "The service is overloaded. Please try again later."
_BROKEN: Final = b'Unexpected error while streaming data: "a fault that was asked for"'


def refusal(contract: Contract, fault: Fault) -> Response | None:
    """Build the answer of a fault that refuses the request; None for one that lets it through."""
    if fault.kind == "rate_limited":
        status, text = 429, _LIMITS[fault.window]
    elif fault.kind == "overloaded":
        status, text = 503, _OVERLOADED
    else:
        return None
    if contract == "open-meteo":
        return JSONResponse({"error": True, "reason": text}, status_code=status)
    return problem(status, text)


class BlankWeather:
    """Any weather, with no value known."""

    def __init__(self, weather: Weather) -> None:
        self._weather = weather

    @property
    def origin(self) -> Origin:
        """That of the weather."""
        return self._weather.origin

    def describe(self, now_hour: int) -> Mapping[str, str]:
        """As the weather does."""
        return self._weather.describe(now_hour)

    def places(self) -> tuple[Place, ...]:
        """Those of the weather."""
        return self._weather.places()

    def series(self, latitude: float, longitude: float, hours: range, now_hour: int) -> Series:
        """Give nothing for each hour."""
        about = self._weather.series(latitude, longitude, hours, now_hour).about
        return Series((NOTHING,) * len(hours), about)


class BlankObserver:
    """Any observer, who looks when he should and measures nothing."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    @property
    def origin(self) -> Origin:
        """That of the observer."""
        return self._observer.origin

    @property
    def about(self) -> str:
        """As the observer says."""
        return self._observer.about

    def observations(
        self, station: Station, start: datetime, end: datetime, now: datetime
    ) -> tuple[Observation, ...]:
        """Give nothing at each instant."""
        observed = self._observer.observations(station, start, end, now)
        return tuple(Observation(observation.at, NOTHING) for observation in observed)


def changed_forecast(answer: Any) -> Any:
    """Give temperatures in kelvin, unasked: the change that would do the most harm unnoticed."""
    for location in answer if isinstance(answer, list) else [answer]:
        for part in ("current", "hourly"):
            if "temperature_2m" in location.get(f"{part}_units", {}):
                location[f"{part}_units"]["temperature_2m"] = "K"
                values = location[part]["temperature_2m"]
                location[part]["temperature_2m"] = (
                    [_kelvin(value) for value in values] if isinstance(values, list) else _kelvin(values)
                )
    return answer


def _kelvin(celsius: float | None) -> float | None:
    return None if celsius is None else round(celsius + 273.15, 2)


def changed_csv(text: str) -> str:
    """Give the column of temperatures a name that tells no unit."""
    return text.replace("temperature_f", "temp", 1)


def changed_observations(answer: dict[str, Any]) -> dict[str, Any]:
    """Give bare numbers in place of measures with their units."""
    for feature in answer.get("features", [answer]):
        properties = feature["properties"]
        for name, measure in properties.items():
            if isinstance(measure, dict):
                properties[name] = measure["value"]
    return answer


class Truncated(Response):
    """Half of another answer.

    Either the connection breaks, after a head that promised the whole; or the body ends there as if it were
    whole, with Open-Meteo's words for what went wrong where it is JSON.
    """

    def __init__(self, whole: Response, *, clean: bool) -> None:
        body = bytes(whole.body)
        half = body[: len(body) // 2]
        if clean and whole.media_type == JSONResponse.media_type:
            half += _BROKEN
        super().__init__(half, status_code=whole.status_code)
        promised = len(half) if clean else len(body)
        kept = [(name, value) for name, value in whole.raw_headers if name != b"content-length"]
        self.raw_headers = [*kept, (b"content-length", b"%d" % promised)]
        self._clean = clean

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head and the half; the server closes a connection that is owed the rest."""
        if self._clean:
            await super().__call__(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": bytes(self.body), "more_body": True})
