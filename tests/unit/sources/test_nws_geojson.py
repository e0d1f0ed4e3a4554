"""What the US weather service answers becomes readings; a changed contract is one clear error."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.errors import ContractError, SourceUnavailableError
from pipeline.sources.nws_geojson import NwsGeoJson
from pipeline.stations import Station
from tests.unit.sources.documents import ANYTHING, with_change, with_each_change

if TYPE_CHECKING:
    from pipeline.sources import Fetched

START = datetime(2026, 7, 1, 23, tzinfo=UTC)
END = START + timedelta(hours=1)
LATER = END + timedelta(minutes=1)
SOURCE = NwsGeoJson("nws")
KTUS = Station(id="nws-ktus", source="nws", code="KTUS", name="Tucson", latitude=32.13, longitude=-110.96)

# In the form of api.weather.gov, without the properties that are not read.
PROPERTIES: dict[str, Any] = {
    "station": "https://api.weather.gov/stations/KTUS",
    "timestamp": "2026-07-01T23:53:00+00:00",
    "temperature": {"unitCode": "wmoUnit:degC", "value": 31.4, "qualityControl": "V"},
    "windSpeed": {"unitCode": "wmoUnit:km_h-1", "value": 10.8, "qualityControl": "V"},
    "windGust": {"unitCode": "wmoUnit:km_h-1", "value": None, "qualityControl": "Z"},
    "barometricPressure": {"unitCode": "wmoUnit:Pa", "value": 100940, "qualityControl": "V"},
    "relativeHumidity": {"unitCode": "wmoUnit:percent", "value": 17.625000000000004, "qualityControl": "V"},
}

changed = partial(with_change, PROPERTIES)


def parse(*properties: dict[str, Any]) -> Fetched:
    """Parse a collection of observations with these properties."""
    features = [{"type": "Feature", "properties": one} for one in properties]
    return SOURCE.parse({"type": "FeatureCollection", "features": features}, [KTUS], START, END, LATER)


def test_an_observation_becomes_a_reading_in_canonical_units_with_its_flag() -> None:
    fetched = parse(PROPERTIES)
    (reading,) = fetched.readings
    assert (fetched.rejected, fetched.empty) == ((), 0)
    assert (reading.station_id, reading.source, reading.origin, reading.quality) == (
        "nws-ktus",
        "nws",
        "live",
        "V",
    )
    assert (reading.observed_at, reading.fetched_at) == (START + timedelta(minutes=53), LATER)
    assert list(reading.measures.values()) == [31.4, 17.625000000000004, 1009.4, 3.0]


def test_an_offset_and_the_units_of_the_answer_are_kept_to() -> None:
    other = {
        **changed("timestamp", "2026-07-01T18:53:00-05:00"),
        "temperature": {"unitCode": "unit:degF", "value": 77},
        "windSpeed": {"unitCode": "wmoUnit:m_s-1", "value": 3},
        "barometricPressure": {"unitCode": "wmoUnit:hPa", "value": 1009.4},
    }
    (reading,) = parse(other).readings
    assert reading.observed_at == START + timedelta(minutes=53)
    assert list(reading.measures.values()) == [25.0, 17.625000000000004, 1009.4, 3.0]


def test_flags_that_differ_are_all_named_and_those_of_absent_values_are_not() -> None:
    (mixed,) = parse(changed("windSpeed.qualityControl", "C")).readings
    assert mixed.quality == "C,V"
    (absent,) = parse(
        changed("windSpeed", {"unitCode": "wmoUnit:km_h-1", "value": None, "qualityControl": "Z"})
    ).readings
    assert (absent.quality, absent.wind_speed_ms) == ("V", None)
    (none,) = parse(
        {
            name: value if not isinstance(value, dict) else {**value, "qualityControl": None}
            for name, value in PROPERTIES.items()
        }
    ).readings
    assert none.quality is None


def test_an_observation_without_any_value_is_empty() -> None:
    nothing = {
        name: {**value, "value": None} if isinstance(value, dict) else value
        for name, value in PROPERTIES.items()
    }
    fetched = parse(nothing, PROPERTIES)
    assert (len(fetched.readings), fetched.rejected, fetched.empty) == (1, (), 1)


@pytest.mark.parametrize("instant", ["2026-07-01T22:59:59+00:00", "2026-07-02T00:00:00+00:00"])
def test_an_observation_of_another_interval_is_left_to_that_one(instant: str) -> None:
    fetched = parse(changed("timestamp", instant), PROPERTIES)
    assert (len(fetched.readings), fetched.rejected, fetched.empty) == (1, (), 0)


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("temperature.value", 999, "temperature_c is 999, outside of -100 to 70"),
        ("temperature.value", "31.4", "temperature_c is '31.4', no number"),
        ("temperature.value", 10**400, "temperature_c is 1000"),
        ("barometricPressure.value", 10**400, "pressure_hpa is 1000"),
        ("relativeHumidity.value", True, "humidity_pct is True, no number"),
        ("temperature.qualityControl", "X", r"temperature_c failed the quality control (flag X)"),
        ("windSpeed.qualityControl", "B", r"wind_speed_ms failed the quality control (flag B)"),
        ("temperature.qualityControl", "V" * 40, "quality: "),
        ("temperature.qualityControl", [], "the quality control of temperature_c is [], no text"),
        ("windSpeed.qualityControl", 1, "the quality control of wind_speed_ms is 1, no text"),
        ("timestamp", "yesterday", "timestamp is 'yesterday', no time with an offset"),
        ("timestamp", "2026-07-01T23:53:00", "timestamp is '2026-07-01T23:53:00', no time with an offset"),
    ],
)
def test_a_bad_observation_is_rejected_with_a_reason_and_the_others_are_kept(
    path: str, value: Any, reason: str
) -> None:
    fetched = parse(changed(path, value), PROPERTIES)
    assert len(fetched.readings) == 1
    (rejected,) = fetched.rejected
    assert (rejected.source, rejected.station_id) == ("nws", "nws-ktus")
    assert reason in rejected.reason
    raw = json.loads(rejected.raw)
    assert raw["windSpeed"]["value"] == 10.8
    assert (rejected.observed_at is None) == (path == "timestamp")


@pytest.mark.parametrize("value", ANYTHING, ids=repr)
def test_anything_in_any_place_is_read_or_refused(value: Any) -> None:
    answer = {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": PROPERTIES}]}
    for document in with_each_change(answer, value):
        try:
            fetched = SOURCE.parse(document, [KTUS], START, END, LATER)
        except ContractError as error:
            assert "for station 'nws-ktus'" in str(error)  # noqa: PT017 - refusing is one of two right outcomes
        else:
            assert len(fetched.readings) + len(fetched.rejected) + fetched.empty <= 1


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        (changed("temperature", 31.4), "'temperature' as 31.4 for station 'nws-ktus', no measure"),
        (changed("temperature", ...), "'temperature' as None"),
        (changed("windSpeed.unitCode", ...), "'windSpeed' as .*no measure"),
        (
            changed("windSpeed.unitCode", "wmoUnit:Pa"),
            "'windSpeed' in 'wmoUnit:Pa' .*, no unit of wind_speed",
        ),
        (changed("windSpeed.unitCode", "wmoUnit:furlong"), "'windSpeed' in 'wmoUnit:furlong'"),
        (changed("windSpeed.unitCode", "km_h-1"), "'windSpeed' in 'km_h-1'"),
        (changed("windSpeed.unitCode", 7), "'windSpeed' in 7"),
        (changed("timestamp", ...), "the timestamp None for station 'nws-ktus'"),
        (changed("timestamp", 1782949980), "the timestamp 1782949980"),
        (changed("station", "https://api.weather.gov/stations/KJFK"), "an observation of 'KJFK'"),
        (changed("station", ...), "an observation of ''"),
        ({**PROPERTIES, "galewatch_origin": "dream"}, "the unknown origin 'dream'"),
    ],
)
def test_a_changed_contract_is_one_clear_error(properties: dict[str, Any], message: str) -> None:
    with pytest.raises(ContractError, match=f"^nws answered .*{message}"):
        parse(properties)


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        {"type": "Feature"},
        {"type": "FeatureCollection"},
        {"type": "Feature", "features": []},
        {"type": "FeatureCollection", "features": [None]},
        {"type": "FeatureCollection", "features": [{"properties": []}]},
    ],
)
def test_another_document_is_a_changed_contract(content: Any) -> None:
    with pytest.raises(
        ContractError, match=r"^nws answered (no FeatureCollection|a feature without properties)"
    ):
        SOURCE.parse(content, [KTUS], START, END, LATER)


def test_a_body_that_breaks_off_is_worth_another_try() -> None:
    assert SOURCE.content({}, b'{"type": "FeatureCollection"}') == {"type": "FeatureCollection"}
    with pytest.raises(SourceUnavailableError, match=r"^nws answered a body that breaks off"):
        SOURCE.content({}, b'{"type": "FeatureColl')


def test_each_station_is_asked_by_its_code() -> None:
    code = KTUS.model_copy(update={"id": "other", "code": None})
    one, two = SOURCE.calls([KTUS, code], START, END)
    assert (one.path, one.stations) == ("/stations/KTUS/observations", (KTUS,))
    assert one.parameters == {"start": "2026-07-01T23:00:00Z", "end": "2026-07-02T00:00:00Z"}
    assert two.path == "/stations/other/observations"
