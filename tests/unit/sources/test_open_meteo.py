"""The Open-Meteo client against a real server that answers and fails as the service does."""

from __future__ import annotations

import asyncio
import socket
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from pipeline.errors import (
    ContractError,
    InvalidRequestError,
    RateLimitedError,
    RetryableError,
    SourceError,
    SourceUnavailableError,
)
from pipeline.sources.asking import Asker
from pipeline.sources.open_meteo import OpenMeteo, full_hours
from pipeline.stations import Station
from tests.local_server import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
STATIONS = [Station(id=f"s{index}", name="S", latitude=index, longitude=-index) for index in range(5)]


class Service:
    """A service under the test's control: what it answers next, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.answer: Response | None = None
        self.delay_seconds = 0.0

    async def forecast(self, request: Request) -> Response:
        """Answer what the test set, else a degree per latitude for each hour."""
        self.asked.append(dict(request.query_params))
        await asyncio.sleep(self.delay_seconds)
        if self.answer is not None:
            return self.answer
        query = request.query_params
        start = datetime.fromisoformat(query["start_hour"] + "Z")
        end = datetime.fromisoformat(query["end_hour"] + "Z")
        times = [int((start + index * HOUR).timestamp()) for index in range((end - start) // HOUR + 1)]
        units = ["°C", "%", "hPa", "m/s"]
        names = query["hourly"].split(",")
        objects: list[dict[str, Any]] = [
            {
                "hourly_units": {"time": "unixtime", **dict(zip(names, units, strict=True))},
                "hourly": {"time": times, **{name: [float(latitude)] * len(times) for name in names}},
            }
            for latitude in query["latitude"].split(",")
        ]
        for item in objects:
            item["hourly"]["pressure_msl"] = [1013.0] * len(times)
        return JSONResponse(objects[0] if len(objects) == 1 else objects)


SERVICE = Service()

# One for all, because a client loads the machine's certificates when it is made.
CLIENT = httpx.Client()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serve(Starlette(routes=[Route("/v1/forecast", SERVICE.forecast)])) as root:
        yield root


@pytest.fixture(autouse=True)
def service() -> Service:
    SERVICE.__init__()  # type: ignore[misc]
    return SERVICE


def fetch(
    url: str, stations: list[Station], hours: int = 1, *, batch: int = 100, client: httpx.Client = CLIENT
) -> Any:
    """Fetch some hours from noon on."""
    source = OpenMeteo(batch=batch)
    with Asker(url, client) as asker:
        return asker.fetch(source, stations, NOON, NOON + hours * HOUR, fetched_at=NOON + HOUR)


def refused(url: str) -> SourceError:
    """Give the error that fetching ends in."""
    with pytest.raises(SourceError) as caught:
        fetch(url, STATIONS[:1])
    return caught.value


@pytest.mark.parametrize("count", [1, 2, 5])
def test_each_station_has_its_own_values(url: str, count: int) -> None:
    fetched = fetch(url, STATIONS[:count], hours=2)
    found = [(reading.station_id, reading.observed_at, reading.temperature_c) for reading in fetched.readings]
    assert found == [(f"s{i}", NOON + h * HOUR, float(i)) for i in range(count) for h in range(2)]


def test_the_request_says_what_is_expected(url: str, service: Service) -> None:
    fetch(url, STATIONS[1:3], hours=3)
    assert service.asked == [
        {
            "latitude": "1.0,2.0",
            "longitude": "-1.0,-2.0",
            "hourly": "temperature_2m,relative_humidity_2m,pressure_msl,wind_speed_10m",
            "wind_speed_unit": "ms",
            "timeformat": "unixtime",
            "timezone": "GMT",
            "start_hour": "2026-07-01T12:00",
            "end_hour": "2026-07-01T14:00",
        }
    ]


def test_stations_are_asked_in_batches(url: str, service: Service) -> None:
    fetched = fetch(url, STATIONS, batch=2)
    assert [asked["latitude"] for asked in service.asked] == ["0.0,1.0", "2.0,3.0", "4.0"]
    assert [reading.station_id for reading in fetched.readings] == ["s0", "s1", "s2", "s3", "s4"]


@pytest.mark.parametrize("batch", [0, 1001])
def test_a_batch_that_the_service_would_refuse_is_refused(batch: int) -> None:
    with pytest.raises(ValueError, match=f"batch must be from 1 to 1000, got {batch}"):
        OpenMeteo(batch=batch)


def test_nothing_is_asked_for_no_hour_or_no_station(url: str, service: Service) -> None:
    assert fetch(url, STATIONS, hours=0).readings == ()
    assert fetch(url, []).readings == ()
    assert service.asked == []


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, 60, [0]),
        (0, 61, [0, 60]),
        (1, 60, []),
        (-1, 60, [0]),
        (0, 0, []),
        (60, 0, []),
        (-30, 150, [0, 60, 120]),
    ],
)
def test_full_hours_lie_from_the_start_to_before_the_end(start: int, end: int, expected: list[int]) -> None:
    minute = timedelta(minutes=1)
    assert full_hours(NOON + start * minute, NOON + end * minute) == tuple(
        NOON + m * minute for m in expected
    )


def test_times_without_a_zone_are_refused() -> None:
    with pytest.raises(ValueError, match="need a zone"):
        full_hours(NOON.replace(tzinfo=None), NOON)


def test_an_invalid_request_is_not_retryable(url: str, service: Service) -> None:
    reason = "Latitude must be in range of -90 to 90°. Given: 91."
    service.answer = JSONResponse({"error": True, "reason": reason}, status_code=400)
    error = refused(url)
    assert isinstance(error, InvalidRequestError)
    assert not isinstance(error, RetryableError)
    assert str(error) == f"open-meteo answered 400: {reason}"


@pytest.mark.parametrize(
    ("reason", "seconds"),
    [
        ("Minutely API request limit exceeded. Please try again in one minute.", 60),
        ("Hourly API request limit exceeded. Please try again in the next hour.", 3600),
        ("Daily API request limit exceeded. Please try again tomorrow.", 86400),
        ("Too many concurrent requests", 60),
        ("Slow down", 3600),
    ],
)
def test_a_rate_limit_is_left_for_as_long_as_its_text_says(
    url: str, service: Service, reason: str, seconds: int
) -> None:
    service.answer = JSONResponse({"error": True, "reason": reason}, status_code=429)
    error = refused(url)
    assert isinstance(error, RateLimitedError)
    assert error.retry_after_seconds == seconds
    assert reason in str(error)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
def test_a_service_in_trouble_is_retryable(url: str, service: Service, status: int) -> None:
    service.answer = PlainTextResponse("upstream is overloaded", status_code=status)
    error = refused(url)
    assert isinstance(error, SourceUnavailableError)
    assert str(error) == f"open-meteo answered {status}: upstream is overloaded"


def test_a_body_that_breaks_off_in_a_200_is_retryable(url: str, service: Service) -> None:
    body = '{"latitude":0.0,"hourly":{"time":[1,2Unexpected error while streaming data: timeoutReached'
    service.answer = Response(body, media_type="application/json")
    error = refused(url)
    assert isinstance(error, SourceUnavailableError)
    assert "Unexpected error while streaming data: timeoutReached" in str(error)


def test_another_document_in_a_200_is_a_changed_contract(url: str, service: Service) -> None:
    service.answer = JSONResponse({"status": "ok"})
    assert isinstance(refused(url), ContractError)


def test_a_redirect_is_a_changed_contract(url: str, service: Service) -> None:
    service.answer = Response(status_code=301, headers={"location": "/elsewhere"})
    assert isinstance(refused(url), ContractError)


def test_a_slow_service_is_retryable(url: str, service: Service) -> None:
    service.delay_seconds = 0.5
    with (
        httpx.Client(timeout=0.05) as client,
        pytest.raises(SourceUnavailableError, match="did not answer in time"),
    ):
        fetch(url, STATIONS[:1], client=client)


def test_a_service_that_is_not_there_is_retryable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(SourceUnavailableError, match=rf"cannot be reached \(http://127\.0\.0\.1:{port}/"):
            fetch(f"http://127.0.0.1:{port}", STATIONS[:1])


def test_a_connection_that_is_cut_in_mid_body_is_retryable() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n"
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def cut() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(head + b'{"latitude":')

        thread = threading.Thread(target=cut)
        thread.start()
        with pytest.raises(SourceUnavailableError, match="cannot be reached"):
            fetch(f"http://127.0.0.1:{listener.getsockname()[1]}", STATIONS[:1])
        thread.join()


def test_a_client_of_its_own_is_closed_and_one_that_was_given_is_not(url: str) -> None:
    asker = Asker(url)
    with asker:
        assert len(asker.fetch(OpenMeteo(), STATIONS[:1], NOON, NOON + HOUR, fetched_at=NOON).readings) == 1
    assert asker._client.is_closed
    fetch(url, STATIONS[:1])
    assert not CLIENT.is_closed


def test_what_is_no_json_number_passes_as_text_and_rejects_its_reading() -> None:
    # Airflow's database, through which the content goes, takes no NaN.
    assert OpenMeteo().content({}, b'{"hourly": [NaN, -Infinity, 1]}') == {"hourly": ["NaN", "-Infinity", 1]}
