"""Faults over HTTP: switched on, seen on the wire, counted, and switched off."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from pipeline.errors import ContractError, RateLimitedError, SourceUnavailableError
from pipeline.feeds import load_feeds
from pipeline.sources.asking import Asker
from pipeline.sources.kinds import source_of
from pipeline.weather_api.app import open_app
from pipeline.weather_api.settings import WeatherApiSettings
from tests.local_server import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.sources import Fetched

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
PATHS = {
    "open-meteo": "/v1/forecast?latitude=33.4,47.6&longitude=-112,-122.3&hourly=temperature_2m,wind_speed_10m"
    "&current=temperature_2m&start_hour=2026-11-21T12:00&end_hour=2026-11-21T14:00",
    "gateway": "/gateway/readings.csv?start=2026-11-21T14:25:00Z&end=2026-11-21T14:30:00Z",
    "nws": "/stations/KJFK/observations?start=2026-11-21T10:00:00Z",
}
CONTRACTS = pytest.mark.parametrize("contract", PATHS)
CLIENT = httpx.Client()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serve(open_app(WeatherApiSettings(now=NOW, weather_faults="on"))) as url:
        yield url


@pytest.fixture
def api(server: str) -> Iterator[str]:
    """Give the service with no fault set."""
    yield server
    for contract in PATHS:
        assert CLIENT.delete(f"{server}/faults/{contract}").status_code == 200


def put(api: str, contract: str, **fault: Any) -> Any:
    """Set a fault and give the list."""
    response = CLIENT.put(f"{api}/faults/{contract}", json=fault)
    assert response.status_code == 200, response.text
    return response.json()


def ask(api: str, contract: str) -> httpx.Response:
    """Send a request that is answered with 200 where there is no fault."""
    return CLIENT.get(f"{api}{PATHS[contract]}")


def text_of(contract: str, response: httpx.Response) -> str:
    """Give the words of a refusal, which stand where the contract has them."""
    body = response.json()
    if contract == "open-meteo":
        assert set(body) == {"error", "reason"}
        return str(body["reason"])
    assert response.headers["content-type"] == "application/problem+json"
    assert body["status"] == response.status_code
    return str(body["detail"])


def receive(response: httpx.Response, into: bytearray) -> None:
    """Receive a body as it comes, keeping what came before an error."""
    for part in response.iter_raw():
        into.extend(part)


@CONTRACTS
def test_without_a_fault_all_is_well(api: str, contract: str) -> None:
    assert ask(api, contract).status_code == 200
    assert CLIENT.get(f"{api}/faults").json() == dict.fromkeys(PATHS)


@CONTRACTS
@pytest.mark.parametrize(
    ("window", "words"),
    [
        ("minutely", "Minutely API request limit exceeded. Please try again in one minute."),
        ("hourly", "Hourly API request limit exceeded. Please try again in the next hour."),
        ("daily", "Daily API request limit exceeded. Please try again tomorrow."),
        ("concurrent", "Too many concurrent requests."),
    ],
)
def test_a_limit_is_429_and_names_its_window(api: str, contract: str, window: str, words: str) -> None:
    put(api, contract, kind="rate_limited", window=window)
    response = ask(api, contract)
    assert (response.status_code, text_of(contract, response)) == (429, words)
    assert "retry-after" not in response.headers


@CONTRACTS
def test_an_overloaded_service_is_503(api: str, contract: str) -> None:
    put(api, contract, kind="overloaded")
    response = ask(api, contract)
    assert (response.status_code, "overloaded" in text_of(contract, response)) == (503, True)


@CONTRACTS
def test_a_slow_service_answers_the_same_but_later(api: str, contract: str) -> None:
    whole = ask(api, contract)
    put(api, contract, kind="slow", seconds=0.4)
    begin = time.monotonic()
    assert ask(api, contract).content == whole.content
    assert time.monotonic() - begin >= 0.4


def test_a_slow_contract_keeps_no_other_waiting(api: str) -> None:
    put(api, "gateway", kind="slow", seconds=30)
    with httpx.Client(timeout=0.5) as hasty, pytest.raises(httpx.ReadTimeout):
        hasty.get(f"{api}{PATHS['gateway']}")
    begin = time.monotonic()
    assert ask(api, "nws").status_code == 200
    assert time.monotonic() - begin < 10


@CONTRACTS
def test_a_truncated_answer_breaks_the_connection_in_the_middle_of_its_body(api: str, contract: str) -> None:
    whole = ask(api, contract)
    put(api, contract, kind="truncated")
    received = bytearray()
    with CLIENT.stream("GET", f"{api}{PATHS[contract]}") as response:
        assert response.status_code == 200
        assert int(response.headers["content-length"]) == len(whole.content)
        with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
            receive(response, received)
    assert received == whole.content[: len(whole.content) // 2]


@CONTRACTS
def test_a_cleanly_truncated_answer_looks_whole_to_http_and_is_not(api: str, contract: str) -> None:
    whole = ask(api, contract)
    put(api, contract, kind="truncated", clean=True)
    response = ask(api, contract)
    assert (response.status_code, int(response.headers["content-length"])) == (200, len(response.content))
    half = whole.content[: len(whole.content) // 2]
    if contract == "gateway":
        assert response.content == half
        assert "# rows=" not in response.text
        return
    assert response.content.startswith(half)
    with pytest.raises(json.JSONDecodeError):
        response.json()
    if contract == "open-meteo":
        assert response.text.endswith('Unexpected error while streaming data: "a fault that was asked for"')


def test_a_connection_works_on_after_one_that_broke(api: str) -> None:
    put(api, "nws", kind="truncated", times=1)
    with httpx.Client() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            client.get(f"{api}{PATHS['nws']}")
        assert client.get(f"{api}{PATHS['nws']}").status_code == 200


def test_nulls_leave_times_and_take_every_value_of_the_forecast(api: str) -> None:
    whole = ask(api, "open-meteo").json()
    put(api, "open-meteo", kind="nulls")
    for blank, full in zip(ask(api, "open-meteo").json(), whole, strict=True):
        assert blank["hourly"] == {
            "time": full["hourly"]["time"], "temperature_2m": [None] * 3, "wind_speed_10m": [None] * 3
        }  # fmt: skip
        assert blank["current"]["temperature_2m"] is None
        assert full["current"]["temperature_2m"] is not None


def test_nulls_leave_the_rows_of_the_gateway_and_empty_their_fields(api: str) -> None:
    whole = ask(api, "gateway").text.splitlines()
    put(api, "gateway", kind="nulls")
    blank = ask(api, "gateway").text.splitlines()
    assert [",".join(line.split(",")[:2]) + ",,,," for line in whole[1:-1]] == blank[1:-1]
    assert (whole[0], whole[-1]) == (blank[0], blank[-1])


def test_nulls_are_unchecked_measures_of_the_weather_service(api: str) -> None:
    put(api, "nws", kind="nulls")
    features = ask(api, "nws").json()["features"]
    assert len(features) == 4
    for feature in features:
        assert feature["properties"]["temperature"] == {
            "unitCode": "wmoUnit:degC", "value": None, "qualityControl": "Z"
        }  # fmt: skip


def test_a_changed_forecast_is_in_another_unit_than_was_asked(api: str) -> None:
    before = ask(api, "open-meteo").json()[0]
    put(api, "open-meteo", kind="contract")
    after = ask(api, "open-meteo").json()[0]
    assert (before["hourly_units"]["temperature_2m"], after["hourly_units"]["temperature_2m"]) == ("°C", "K")
    assert after["current_units"]["temperature_2m"] == "K"
    assert after["hourly"]["temperature_2m"] == [
        round(value + 273.15, 2) for value in before["hourly"]["temperature_2m"]
    ]


def test_a_changed_gateway_has_a_column_that_nobody_knows(api: str) -> None:
    before = ask(api, "gateway").text
    put(api, "gateway", kind="contract")
    after = ask(api, "gateway").text
    assert after.splitlines()[0] == "device_id,observed_at,temp,humidity_pct,pressure_pa,wind_speed_mph"
    assert after.splitlines()[1:] == before.splitlines()[1:]


@pytest.mark.parametrize("path", ["observations?start=2026-11-21T10:00:00Z", "observations/latest"])
def test_a_changed_weather_service_gives_bare_numbers(api: str, path: str) -> None:
    put(api, "nws", kind="contract")
    answer = CLIENT.get(f"{api}/stations/KJFK/{path}").json()
    properties = answer.get("features", [answer])[0]["properties"]
    assert isinstance(properties["temperature"], float)
    assert properties["windGust"] is None


def fetch(api: str, contract: str) -> Fetched:
    """Fetch some hours as the ingestion does."""
    (feed,) = (feed for feed in load_feeds() if feed.facts.id == contract)
    start, end = NOW.replace(hour=12, minute=0), NOW.replace(minute=0)
    asker = Asker(api, CLIENT)
    return asker.fetch(source_of(feed.facts), feed.stations[:2], start, end, fetched_at=NOW)


@CONTRACTS
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "rate_limited", "window": "hourly"}, RateLimitedError),
        ({"kind": "overloaded"}, SourceUnavailableError),
        ({"kind": "truncated"}, SourceUnavailableError),
        ({"kind": "truncated", "clean": True}, SourceUnavailableError),
        ({"kind": "contract"}, ContractError),
    ],
)
def test_the_source_tells_each_fault_for_what_it_is(
    api: str, contract: str, fault: dict[str, Any], error: type[Exception]
) -> None:
    put(api, contract, **fault)
    with pytest.raises(error, match=f"^{contract} "):
        fetch(api, contract)


@CONTRACTS
def test_the_source_counts_what_is_null_as_empty(api: str, contract: str) -> None:
    whole = fetch(api, contract)
    put(api, contract, kind="nulls")
    fetched = fetch(api, contract)
    assert (fetched.readings, fetched.rejected) == ((), ())
    assert fetched.empty == len(whole.readings) > 0


@CONTRACTS
def test_a_fault_of_so_many_times_is_gone_after_them(api: str, contract: str) -> None:
    listed = put(api, contract, kind="overloaded", times=2)
    assert listed[contract] == {"kind": "overloaded", "times": 2}
    assert ask(api, contract).status_code == 503
    assert CLIENT.get(f"{api}/faults").json()[contract] == {"kind": "overloaded", "times": 1}
    assert ask(api, contract).status_code == 503
    assert ask(api, contract).status_code == 200
    assert CLIENT.get(f"{api}/faults").json()[contract] is None


@CONTRACTS
def test_a_fault_is_of_one_contract_only(api: str, contract: str) -> None:
    put(api, contract, kind="overloaded")
    statuses = {name: ask(api, name).status_code for name in PATHS}
    assert statuses == {name: 503 if name == contract else 200 for name in PATHS}


def test_health_page_and_self_test_have_no_faults(api: str) -> None:
    for contract in PATHS:
        put(api, contract, kind="overloaded")
    hot = PATHS["open-meteo"].replace("/v1", "/selftest/v1")
    assert [CLIENT.get(f"{api}{path}").status_code for path in ("/", "/healthz", hot)] == [200] * 3


def test_a_new_fault_takes_the_place_of_the_old_one(api: str) -> None:
    put(api, "nws", kind="overloaded", times=5)
    listed = put(api, "nws", kind="slow", seconds=0.5)
    assert listed == {
        "open-meteo": None, "gateway": None, "nws": {"kind": "slow", "times": None, "seconds": 0.5}
    }  # fmt: skip


def test_deleting_a_fault_that_is_not_set_is_no_error(api: str) -> None:
    assert CLIENT.delete(f"{api}/faults/nws").json() == dict.fromkeys(PATHS)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ("{}", "kind: Field required"),
        ('{"kind": "flood"}', "kind: Input should be 'rate_limited', 'overloaded'"),
        ('{"kind": "slow", "seconds": 0}', "seconds: Input should be greater than 0, got 0"),
        ('{"kind": "slow", "seconds": "1"}', "seconds: Input should be a valid number, got '1'"),
        ('{"kind": "overloaded", "times": 0}', "times: Input should be greater than or equal to 1, got 0"),
        ('{"kind": "overloaded", "times": true}', "times: Input should be a valid integer"),
        ('{"kind": "rate_limited", "window": "yearly"}', "window: Input should be 'minutely', 'hourly'"),
        ('{"kind": "overloaded", "window": "daily"}', "window does not belong to the kind overloaded"),
        ('{"kind": "overloaded", "colour": 1}', "colour: Extra inputs are not permitted, got 1"),
        ("flood", "Invalid JSON"),
    ],
)
def test_a_wrong_fault_is_refused_by_field_and_sets_nothing(api: str, body: str, detail: str) -> None:
    response = CLIENT.put(f"{api}/faults/gateway", content=body)
    assert (response.status_code, response.headers["content-type"]) == (400, "application/problem+json")
    assert response.json()["detail"].startswith(detail)
    assert CLIENT.get(f"{api}/faults").json()["gateway"] is None


def test_a_contract_that_there_is_not_is_named(api: str) -> None:
    response = CLIENT.put(f"{api}/faults/openweathermap", json={"kind": "overloaded"})
    assert (response.status_code, response.json()["detail"]) == (
        404, "there is no contract 'openweathermap'; there are open-meteo, gateway, nws"
    )  # fmt: skip


def test_a_service_started_without_faults_has_no_switch() -> None:
    with serve(open_app(WeatherApiSettings(now=NOW))) as url:
        statuses = [
            CLIENT.get(f"{url}/faults").status_code,
            CLIENT.put(f"{url}/faults/nws", json={"kind": "overloaded"}).status_code,
            CLIENT.delete(f"{url}/faults/nws").status_code,
        ]
        assert statuses == [404] * 3
        assert ask(url, "nws").status_code == 200
        assert "without GALEWATCH_WEATHER_FAULTS=on" in CLIENT.get(url).text


def test_the_page_shows_what_is_set(api: str) -> None:
    assert CLIENT.get(api).text.count("<td>none</td>") == 3
    put(api, "gateway", kind="rate_limited", window="daily", times=3)
    page = CLIENT.get(api).text
    assert "rate_limited, window daily (429, and the text names the window; requests left: 3)" in page
    assert page.count("<td>none</td>") == 2
