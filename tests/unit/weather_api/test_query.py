"""The parameters of /v1/forecast, and what is wrong with some."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.weather_api.query import BadRequestError, ForecastQuery, parse_query
from pipeline.weather_api.weather import hour_of

NOW = datetime(2026, 7, 1, 12, 34, 56, tzinfo=UTC)
TODAY = hour_of(datetime(2026, 7, 1, tzinfo=UTC))
PLACE = {"latitude": "33.45", "longitude": "-112.07"}


def parse(**parameters: str) -> ForecastQuery:
    """Read the parameters of a request for one place."""
    return parse_query({**PLACE, **parameters}, NOW)


def test_without_a_range_it_is_this_week_in_default_units() -> None:
    assert parse(hourly="temperature_2m") == ForecastQuery(
        places=((33.45, -112.07),),
        hourly=("temperature",),
        current=(),
        hours=range(TODAY, TODAY + 7 * 24),
        units={"temperature": "°C", "humidity": "%", "pressure": "hPa", "wind_speed": "km/h"},
        time_format="iso8601",
    )


@pytest.mark.parametrize(
    ("parameters", "first", "last"),
    [
        ({"past_days": "1", "forecast_days": "1"}, -24, 23),
        ({"past_days": "2", "forecast_days": "0"}, -48, -1),
        ({"start_date": "2026-06-30", "end_date": "2026-07-01"}, -24, 23),
        ({"start_hour": "2026-07-01T11:00", "end_hour": "2026-07-01T11:00"}, 11, 11),
        ({"start_hour": "2026-06-30T23:00", "end_hour": "2026-07-01T02:00"}, -1, 2),
    ],
)
def test_ranges_include_both_their_ends(parameters: dict[str, str], first: int, last: int) -> None:
    assert parse(**parameters).hours == range(TODAY + first, TODAY + last + 1)


def test_units_and_lists_are_read() -> None:
    query = parse(
        current="wind_speed_10m,temperature_2m",
        temperature_unit="fahrenheit",
        wind_speed_unit="kn",
        timeformat="unixtime",
        timezone="UTC",
        models="whatever",
    )
    assert query.current == ("wind_speed", "temperature")
    assert (query.units["temperature"], query.units["wind_speed"], query.time_format) == (
        "°F",
        "kn",
        "unixtime",
    )


def test_a_thousand_places_may_be_asked() -> None:
    query = parse_query({"latitude": ",".join(["1"] * 1000), "longitude": ",".join(["2"] * 1000)}, NOW)
    assert len(query.places) == 1000


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"latitude": ""}, "Value of type 'String' required for key 'latitude'."),
        ({"latitude": "91"}, "Latitude must be in range of -90 to 90°. Given: 91."),
        ({"longitude": "-180.1"}, "Longitude must be in range of -180 to 180°. Given: -180.1."),
        ({"latitude": "nan"}, "Latitude must be in range of -90 to 90°. Given: nan."),
        ({"latitude": "north"}, "Invalid value 'north' for key 'latitude'."),
        ({"latitude": "1,2"}, "Parameter 'latitude' and 'longitude' must have the same number of elements."),
        (
            {"latitude": ",".join(["1"] * 1001), "longitude": ",".join(["1"] * 1001)},
            "At most 1000 locations may be asked at once. Given: 1001.",
        ),
        (
            {"hourly": "temperature_2m,mood"},
            (
                "Invalid variable 'mood' for key 'hourly'. Served: temperature_2m, relative_humidity_2m,"
                " pressure_msl, wind_speed_10m."
            ),
        ),
        (
            {"wind_speed_unit": "knots"},
            "Invalid value 'knots' for key 'wind_speed_unit'. Possible: kmh, ms, mph, kn.",
        ),
        ({"timezone": "Europe/Oslo"}, "Invalid timezone 'Europe/Oslo': times are served in GMT."),
        ({"past_days": "93"}, "Parameter 'past_days' must be from 0 to 92. Given: 93."),
        ({"forecast_days": "-1"}, "Parameter 'forecast_days' must be from 0 to 16. Given: -1."),
        (
            {"start_hour": "2026-07-01T12:30", "end_hour": "2026-07-01T13:00"},
            "Invalid time '2026-07-01T12:30' for key 'start_hour'. Make sure to use 'YYYY-MM-DDThh:00'.",
        ),
        (
            {"start_hour": "2026-07-01T12:00"},
            "Invalid time '' for key 'end_hour'. Make sure to use 'YYYY-MM-DDThh:00'.",
        ),
        (
            {"start_hour": "2026-07-01T12:00", "end_hour": "2026-07-01T11:00"},
            "'end_hour' must not be before 'start_hour'. Given: 2026-07-01T12:00 to 2026-07-01T11:00.",
        ),
        (
            {"start_date": "2026-02-30", "end_date": "2026-03-01"},
            "Invalid time '2026-02-30T00:00' for key 'start_date': there is no such time.",
        ),
        (
            {"start_date": "2026-07-01", "end_date": "2026-07-02", "past_days": "1"},
            "Parameter 'start_date' is mutually exclusive with 'past_days'.",
        ),
        (
            {"latitude": "1,1,1", "longitude": "1,1,1", "start_date": "1900-01-01", "end_date": "2020-01-01"},
            "Too much at once: 3 locations times 1051920 hours.",
        ),
    ],
)
def test_a_wrong_parameter_is_named(parameters: dict[str, str], reason: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        parse(**parameters)
    assert str(caught.value) == reason
