"""A reading: its id, its limits, and its Avro record."""

from __future__ import annotations

import io
import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import fastavro
import pytest

from pipeline.errors import ReadingError
from pipeline.readings import Reading, event_id, utc_text
from pipeline.schemas import avro_schema

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


def values(**changes: Any) -> dict[str, Any]:
    """Give the values of a fine reading, changed."""
    return {
        "station_id": "phoenix",
        "observed_at": NOON,
        "source": "open-meteo",
        "origin": "live",
        "temperature_c": 41.5,
        "humidity_pct": 12.0,
        "pressure_hpa": 1006.5,
        "wind_speed_ms": 3.2,
        "fetched_at": NOON + timedelta(hours=1),
        **changes,
    }


def test_the_event_id_never_changes() -> None:
    # Every stored row is keyed by it: another value here orphans them all.
    assert event_id("phoenix", NOON, "open-meteo") == "f6454fd7-24b0-577a-a2b6-4b8eb38f02ea"
    assert Reading.parse(values()).event_id == event_id("phoenix", NOON, "open-meteo")


def test_the_event_id_is_of_the_instant_not_of_its_zone() -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5, minutes=45)))
    assert event_id("phoenix", NOON, "open-meteo") == event_id("phoenix", elsewhere, "open-meteo")


@pytest.mark.parametrize(
    "changes",
    [{"station_id": "tucson"}, {"observed_at": NOON + timedelta(milliseconds=1)}, {"source": "gateway"}],
)
def test_another_station_time_or_source_is_another_event(changes: dict[str, Any]) -> None:
    assert Reading.parse(values(**changes)).event_id != Reading.parse(values()).event_id


@pytest.mark.parametrize(
    "changes",
    [{"revision": 2}, {"temperature_c": 40.0}, {"fetched_at": NOON}, {"origin": "replay"}],
)
def test_a_revision_is_the_same_event(changes: dict[str, Any]) -> None:
    assert Reading.parse(values(**changes)).event_id == Reading.parse(values()).event_id


def test_times_are_written_with_milliseconds_only_where_there_are_any() -> None:
    assert utc_text(NOON) == "2026-07-01T12:00:00Z"
    assert utc_text(NOON + timedelta(microseconds=7999)) == "2026-07-01T12:00:00.007Z"


def test_times_become_utc_in_whole_milliseconds() -> None:
    observed = datetime(2026, 7, 1, 14, 0, 0, 123999, tzinfo=timezone(timedelta(hours=2)))
    reading = Reading.parse(values(observed_at=observed))
    assert reading.observed_at == datetime(2026, 7, 1, 12, 0, 0, 123000, tzinfo=UTC)
    assert reading.observed_at.tzinfo is UTC


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ReadingError, match=r"observed_at: the time has no zone, got datetime"):
        Reading.parse(values(observed_at=NOON.replace(tzinfo=None)))


@pytest.mark.parametrize(
    ("field", "low", "high"),
    [
        ("temperature_c", -100.0, 70.0),
        ("humidity_pct", 0.0, 100.0),
        ("pressure_hpa", 500.0, 1100.0),
        ("wind_speed_ms", 0.0, 120.0),
    ],
)
def test_the_limits_of_a_value_are_inclusive(field: str, low: float, high: float) -> None:
    for value in (low, high):
        assert Reading.parse(values(**{field: value})).measures[field] == value
    for value in (math.nextafter(low, -math.inf), math.nextafter(high, math.inf)):
        with pytest.raises(ReadingError, match=f"^{field} is .*, outside of {low:g} to {high:g}$"):
            Reading.parse(values(**{field: value}))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_finite_number_is_refused(value: float) -> None:
    with pytest.raises(ReadingError, match=f"^temperature_c is {value}, no finite number$"):
        Reading.parse(values(temperature_c=value))


def test_a_value_may_be_missing() -> None:
    reading = Reading.parse(values(temperature_c=None))
    assert reading.value("temperature") is None
    assert reading.value("wind_speed") == 3.2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"station_id": "Phoenix AZ"}, "station_id: .*got 'Phoenix AZ'"),
        ({"origin": "dream"}, "origin: .*got 'dream'"),
        ({"revision": 0}, "revision: .*got 0"),
        ({"colour": "blue"}, "colour: .*got 'blue'"),
    ],
)
def test_the_reason_names_field_and_value(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ReadingError, match=message):
        Reading.parse(values(**changes))


def test_the_avro_record_fits_the_schema_and_comes_back() -> None:
    reading = Reading.parse(values(humidity_pct=None, revision=3))
    buffer = io.BytesIO()
    schema = fastavro.parse_schema(avro_schema("reading.v2.avsc"))
    fastavro.schemaless_writer(buffer, schema, reading.to_avro())
    buffer.seek(0)
    record: Any = fastavro.schemaless_reader(buffer, schema, None)
    assert Reading.from_avro(record) == reading


def test_a_record_with_the_id_of_another_event_is_refused() -> None:
    record = {**Reading.parse(values()).to_avro(), "event_id": event_id("tucson", NOON, "open-meteo")}
    with pytest.raises(ReadingError, match=r"event_id: is '.*', but the observation's id is"):
        Reading.from_avro(record)
