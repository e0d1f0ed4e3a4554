"""The web application: three contracts, their faults, the self-test, health, and a page for people."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from pipeline.weather_api import nws
from pipeline.weather_api.answer import build_answer
from pipeline.weather_api.fault_effects import (
    BlankObserver,
    BlankWeather,
    Truncated,
    changed_csv,
    changed_forecast,
    changed_observations,
    refusal,
)
from pipeline.weather_api.faults import CONTRACTS, Fault, Faults
from pipeline.weather_api.feeds import Feeds, open_weather
from pipeline.weather_api.gateway import MEDIA_TYPE, ORIGIN_HEADER, build_csv, parse_gateway_query
from pipeline.weather_api.page import build_page
from pipeline.weather_api.problems import ProblemError, problem
from pipeline.weather_api.query import BadRequestError, parse_query
from pipeline.weather_api.weather import SelfTest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from starlette.requests import Request

    from pipeline.stations import Station
    from pipeline.weather_api.faults import Contract
    from pipeline.weather_api.settings import WeatherApiSettings
    from pipeline.weather_api.weather import Weather

__all__ = ["create_app", "open_app", "open_weather"]

_SELFTEST: Final = SelfTest()


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request of a contract, with the feeds to answer it from and whether to change its form."""

    request: Request
    feeds: Feeds
    now: datetime
    changed: bool

    @property
    def parameters(self) -> Mapping[str, str]:
        """The parameters by name; one that is given several times is a list, as if joined by commas."""
        parameters: dict[str, str] = {}
        for name, value in self.request.query_params.multi_items():
            parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
        return parameters


def open_app(settings: WeatherApiSettings) -> Starlette:
    """Build the application that the settings describe; raises ConfigError."""
    faults = Faults() if settings.weather_faults == "on" else None
    return create_app(open_weather(settings), settings.clock, faults)


def create_app(feeds: Feeds, clock: Callable[[], datetime], faults: Faults | None = None) -> Starlette:
    """Build the application that serves `feeds` by `clock`; without `faults` none can be switched on."""
    routes = [
        Route("/", page),
        Route("/healthz", health),
        Route("/v1/forecast", _contract("open-meteo", _forecast)),
        Route("/selftest/v1/forecast", selftest),
        Route("/gateway/readings.csv", _contract("gateway", _readings)),
        Route("/stations/{station}/observations", _contract("nws", _observations)),
        Route("/stations/{station}/observations/latest", _contract("nws", _latest)),
    ]
    if faults is not None:
        routes += [
            Route("/faults", list_faults),
            Route("/faults/{contract}", set_fault, methods=["PUT", "DELETE"]),
        ]
    app = Starlette(routes=routes)
    app.state.feeds = feeds
    app.state.clock = clock
    app.state.faults = faults
    return app


# Starlette runs what is not async in threads, so that a large answer keeps nobody waiting.


def page(request: Request) -> Response:
    """Say to people what is served."""
    state = request.app.state
    return HTMLResponse(build_page(state.feeds, state.clock(), state.faults))


async def health(request: Request) -> Response:
    """Answer that the service runs, and what it serves."""
    return JSONResponse({"status": "ok", "origin": request.app.state.feeds.forecast.origin})


def selftest(request: Request) -> Response:
    """Answer as Open-Meteo would if it were hot: see SelfTest. It has no faults."""
    state = request.app.state
    return _forecast_of(_SELFTEST, _Asked(request, state.feeds, state.clock(), changed=False))


async def list_faults(request: Request) -> Response:
    """Tell what fault each contract has."""
    return JSONResponse(request.app.state.faults.listed())


async def set_fault(request: Request) -> Response:
    """Set the fault of a contract, or with DELETE reset it; the answer is the list."""
    faults: Faults = request.app.state.faults
    named = request.path_params["contract"]
    contract = next((name for name in CONTRACTS if name == named), None)
    if contract is None:
        return problem(404, f"there is no contract {named[:80]!r}; there are {', '.join(CONTRACTS)}")
    if request.method == "DELETE":
        faults.delete(contract)
    else:
        try:
            faults.put(contract, Fault.parse(await request.body()))
        except ProblemError as error:
            return problem(error.status, error.detail)
    return JSONResponse(faults.listed())


def _contract(
    contract: Contract, answer: Callable[[_Asked], Response]
) -> Callable[[Request], Awaitable[Response]]:
    """Make an endpoint of what answers a contract, with the fault that is set for it."""

    async def endpoint(request: Request) -> Response:
        state = request.app.state
        fault: Fault | None = state.faults.take(contract) if state.faults else None
        if fault is not None and (refused := refusal(contract, fault)):
            return refused
        if fault is not None and fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        feeds: Feeds = state.feeds
        if fault is not None and fault.kind == "nulls":
            feeds = replace(
                feeds,
                forecast=BlankWeather(feeds.forecast),
                gateway=BlankObserver(feeds.gateway),
                nws=BlankObserver(feeds.nws),
            )
        changed = fault is not None and fault.kind == "contract"
        asked = _Asked(request, feeds, state.clock(), changed=changed)
        try:
            response = await run_in_threadpool(answer, asked)
        except ProblemError as error:
            return problem(error.status, error.detail)
        if fault is not None and fault.kind == "truncated" and response.status_code == 200:  # noqa: PLR2004
            return Truncated(response, clean=fault.clean)
        return response

    return endpoint


def _forecast(asked: _Asked) -> Response:
    return _forecast_of(asked.feeds.forecast, asked)


def _forecast_of(weather: Weather, asked: _Asked) -> Response:
    try:
        query = parse_query(asked.parameters, asked.now)
    except BadRequestError as error:
        return JSONResponse({"error": True, "reason": str(error)}, status_code=400)
    answer = build_answer(weather, query, asked.now)
    return JSONResponse(changed_forecast(answer) if asked.changed else answer)


def _readings(asked: _Asked) -> Response:
    query = parse_gateway_query(asked.parameters, asked.feeds.devices)
    text = build_csv(asked.feeds.gateway, query, asked.now)
    return Response(
        changed_csv(text) if asked.changed else text,
        media_type=MEDIA_TYPE,
        headers={ORIGIN_HEADER: asked.feeds.gateway.origin},
    )


def _observations(asked: _Asked) -> Response:
    station = _airport(asked)
    base = str(asked.request.base_url).rstrip("/")
    return _geojson(nws.collection(asked.feeds.nws, station, asked.parameters, asked.now, base), asked)


def _latest(asked: _Asked) -> Response:
    station = _airport(asked)
    base = str(asked.request.base_url).rstrip("/")
    return _geojson(nws.latest(asked.feeds.nws, station, asked.now, base), asked)


def _airport(asked: _Asked) -> Station:
    """Find the station of a request that says who asks, as the weather service demands."""
    if not asked.request.headers.get("user-agent"):
        raise ProblemError(403, "A User-Agent header is required to identify the application.")
    code = asked.request.path_params["station"]
    if code not in asked.feeds.stations:
        raise ProblemError(404, f"there is no station {code[:80]!r}")
    return asked.feeds.stations[code]


def _geojson(answer: dict[str, Any], asked: _Asked) -> Response:
    changed = changed_observations(answer) if asked.changed else answer
    return JSONResponse(changed, media_type=nws.MEDIA_TYPE)
