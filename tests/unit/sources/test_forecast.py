"""What Open-Meteo answers becomes readings; a changed contract is one clear error."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from pipeline.errors import ContractError
from pipeline.sources.forecast import parse_forecast
from pipeline.stations import Station
from tests.unit.sources.documents import ANYTHING, with_change, with_each_change

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
HOURS = (NOON, NOON + timedelta(hours=1))
LATER = NOON + timedelta(hours=3)
PHOENIX = Station(id="phoenix", name="Phoenix", latitude=33.45, longitude=-112.07)
OSLO = Station(id="oslo", name="Oslo", latitude=59.91, longitude=10.75)

ANSWER: dict[str, Any] = {
    "latitude": 33.4375,
    "longitude": -112.0625,
    "generationtime_ms": 0.05,
    "utc_offset_seconds": 0,
    "timezone": "GMT",
    "hourly_units": {
        "time": "unixtime",
        "temperature_2m": "°C",
        "relative_humidity_2m": "%",
        "pressure_msl": "hPa",
        "wind_speed_10m": "m/s",
    },
    "hourly": {
        "time": [int(hour.timestamp()) for hour in HOURS],
        "temperature_2m": [41.2, None],
        "relative_humidity_2m": [12, 11],
        "pressure_msl": [1006.5, 1006.1],
        "wind_speed_10m": [3.4, None],
    },
}

changed = partial(with_change, ANSWER)


@pytest.mark.parametrize("value", ANYTHING, ids=repr)
def test_anything_in_any_place_is_read_or_refused(value: Any) -> None:
    for document in with_each_change(ANSWER, value):
        try:
            fetched = parse_forecast(document, [PHOENIX], HOURS, LATER)
        except ContractError as error:
            assert str(error).startswith("open-meteo ")  # noqa: PT017 - refusing is one of two right outcomes
        else:
            assert len(fetched.readings) + len(fetched.rejected) + fetched.empty == len(HOURS)


def test_each_hour_becomes_a_reading() -> None:
    fetched = parse_forecast(ANSWER, [PHOENIX], HOURS, LATER)
    assert (fetched.rejected, fetched.empty) == ((), 0)
    first, second = fetched.readings
    assert (first.station_id, first.observed_at, first.source, first.origin) == (
        "phoenix",
        NOON,
        "open-meteo",
        "live",
    )
    assert (first.revision, first.fetched_at) == (1, LATER)
    assert list(first.measures.values()) == [41.2, 12.0, 1006.5, 3.4]
    assert list(second.measures.values()) == [None, 11.0, 1006.1, None]


def test_the_origin_travels_with_the_reading() -> None:
    fetched = parse_forecast({**ANSWER, "galewatch_origin": "replay"}, [PHOENIX], HOURS, LATER)
    assert {reading.origin for reading in fetched.readings} == {"replay"}


def test_several_locations_come_as_an_array_in_the_order_asked() -> None:
    fetched = parse_forecast(
        [ANSWER, changed("hourly.temperature_2m", [9.0, 8.0])], [PHOENIX, OSLO], HOURS, LATER
    )
    assert [(reading.station_id, reading.temperature_c) for reading in fetched.readings] == [
        ("phoenix", 41.2),
        ("phoenix", None),
        ("oslo", 9.0),
        ("oslo", 8.0),
    ]


def test_an_hour_without_any_value_is_empty_and_no_reading() -> None:
    nothing = {name: [None, None] for name in ANSWER["hourly"] if name != "time"}
    fetched = parse_forecast(changed("hourly", {**ANSWER["hourly"], **nothing}), [PHOENIX], HOURS, LATER)
    assert (fetched.readings, fetched.rejected, fetched.empty) == ((), (), 2)


def test_hours_that_were_not_asked_are_left_out_and_hours_that_are_missing_are_empty() -> None:
    fetched = parse_forecast(ANSWER, [PHOENIX], (NOON, NOON - timedelta(hours=1)), LATER)
    assert [reading.observed_at for reading in fetched.readings] == [NOON]
    assert fetched.empty == 1


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (317382.0, "temperature_c is 317382, outside of -100 to 70"),
        (math.nan, "temperature_c is nan, no finite number"),
        ("41.2", "temperature_c is '41.2', no number"),
        (True, "temperature_c is True, no number"),
        ([41.2], "temperature_c is [41.2], no number"),
    ],
)
def test_a_bad_value_rejects_its_reading_with_a_reason_and_keeps_the_rest(value: Any, reason: str) -> None:
    fetched = parse_forecast(changed("hourly.temperature_2m", [value, 40.0]), [PHOENIX], HOURS, LATER)
    assert [reading.temperature_c for reading in fetched.readings] == [40.0]
    (rejected,) = fetched.rejected
    assert (rejected.station_id, rejected.observed_at, rejected.source) == ("phoenix", NOON, "open-meteo")
    assert rejected.reason == reason
    raw = json.loads(rejected.raw)
    assert str(raw.pop("temperature_2m")) == str(value)
    assert raw == {"relative_humidity_2m": 12, "pressure_msl": 1006.5, "wind_speed_10m": 3.4}


def test_a_number_too_large_for_a_double_is_rejected() -> None:
    fetched = parse_forecast(changed("hourly.temperature_2m", [10**400, 40.0]), [PHOENIX], HOURS, LATER)
    assert (len(fetched.readings), len(fetched.rejected)) == (1, 1)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "answered neither an object nor an array of objects: None"),
        ([None], r"answered neither an object nor an array of objects: \[None\]"),
        ([ANSWER, ANSWER], "answered 2 locations where 1 were asked"),
        (changed("hourly", ...), "answered no 'hourly' for station 'phoenix'"),
        (changed("hourly_units", ...), "answered no 'hourly_units' for station 'phoenix'"),
        (
            changed("hourly_units.temperature_2m", "°F"),
            r"'temperature_2m' in '°F' for station 'phoenix', where '°C'",
        ),
        (changed("hourly_units.pressure_msl", ...), "'pressure_msl' in None .* where 'hPa' was asked"),
        (changed("hourly_units.time", "iso8601"), "'time' in 'iso8601' .* where 'unixtime' was asked"),
        (changed("hourly.wind_speed_10m", ...), "no full column 'wind_speed_10m' for station 'phoenix'"),
        (changed("hourly.wind_speed_10m", [1.0]), "no full column 'wind_speed_10m'"),
        (changed("hourly.time", None), "no full column 'time'"),
        (changed("hourly.time", ["2026-07-01T12:00", "2026-07-01T13:00"]), "the time '2026-07-01T12:00'"),
        (changed("hourly.time", [10**20, 0]), "the time 100000000000000000000"),
        (changed("galewatch_origin", "dream"), "the unknown origin 'dream' for station 'phoenix'"),
        (changed("galewatch_origin", ["live"]), "the unknown origin"),
    ],
)
def test_a_changed_contract_is_one_clear_error(answer: Any, message: str) -> None:
    with pytest.raises(
        ContractError, match=f"^open-meteo answered .*{message.removeprefix('answered ')}"
    ) as caught:
        parse_forecast(answer, [PHOENIX], HOURS, LATER)
    assert "\n" not in str(caught.value)
