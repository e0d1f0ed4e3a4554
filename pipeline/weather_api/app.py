"""The web application: the forecast, the same for the self-test, health, and a page for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from pipeline.weather_api.answer import build_answer
from pipeline.weather_api.climate import Climate
from pipeline.weather_api.page import build_page
from pipeline.weather_api.query import BadRequestError, parse_query
from pipeline.weather_api.recording import load_recording
from pipeline.weather_api.replay import Replay
from pipeline.weather_api.weather import SelfTest, Weather, hour_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from starlette.requests import Request

    from pipeline.weather_api.settings import WeatherApiSettings

__all__ = ["create_app", "open_weather"]

_SELFTEST: Final = SelfTest()


def open_weather(settings: WeatherApiSettings) -> Weather:
    """Open what the settings name; raises ConfigError when a recording cannot be read."""
    if settings.replay is None:
        return Climate(settings.seed)
    return Replay(load_recording(settings.replay), hour_of(settings.replay_end or settings.clock()))


def create_app(weather: Weather, clock: Callable[[], datetime]) -> Starlette:
    """Build the application that serves `weather` by `clock`."""
    app = Starlette(
        routes=[
            Route("/", page),
            Route("/healthz", health),
            Route("/v1/forecast", forecast),
            Route("/selftest/v1/forecast", selftest),
        ]
    )
    app.state.weather = weather
    app.state.clock = clock
    return app


# Starlette runs what is not async in threads, so that a large answer keeps nobody waiting.


def page(request: Request) -> Response:
    """Say to people what is served."""
    state = request.app.state
    return HTMLResponse(build_page(state.weather, state.clock()))


async def health(request: Request) -> Response:
    """Answer that the service runs, and what it serves."""
    return JSONResponse({"status": "ok", "origin": request.app.state.weather.origin})


def forecast(request: Request) -> Response:
    """Answer Open-Meteo's /v1/forecast."""
    return _answer(request, request.app.state.weather)


def selftest(request: Request) -> Response:
    """Answer as Open-Meteo would if it were hot: see SelfTest."""
    return _answer(request, _SELFTEST)


def _answer(request: Request, weather: Weather) -> Response:
    now = request.app.state.clock()
    try:
        query = parse_query(_parameters(request), now)
    except BadRequestError as error:
        return JSONResponse({"error": True, "reason": str(error)}, status_code=400)
    return JSONResponse(build_answer(weather, query, now))


def _parameters(request: Request) -> Mapping[str, str]:
    """Give the parameters by name; one that is given several times is a list, as if joined by commas."""
    parameters: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    return parameters
