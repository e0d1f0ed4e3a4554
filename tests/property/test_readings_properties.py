"""What holds of every reading."""

from __future__ import annotations

import io
import uuid
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any

import fastavro
from hypothesis import given
from hypothesis import strategies as st

from pipeline.readings import Reading, event_id, utc_text
from pipeline.schemas import avro_schema
from tests.strategies import instants, readings, slugs

if TYPE_CHECKING:
    from datetime import datetime

SCHEMA = fastavro.parse_schema(avro_schema("reading.v2.avsc"))


@given(readings())
def test_a_reading_survives_avro(reading: Reading) -> None:
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, SCHEMA, reading.to_avro(), strict=True)
    buffer.seek(0)
    record: Any = fastavro.schemaless_reader(buffer, SCHEMA, None)
    assert Reading.from_avro(record) == reading


@given(readings())
def test_a_reading_survives_json(reading: Reading) -> None:
    assert Reading.model_validate_json(reading.model_dump_json()) == reading


@given(slugs, instants, slugs, st.integers(-14 * 60, 14 * 60))
def test_an_event_id_is_a_uuid_of_station_instant_and_source(
    station_id: str, instant: datetime, source: str, offset: int
) -> None:
    found = event_id(station_id, instant, source)
    assert uuid.UUID(found).version == 5
    assert found == event_id(station_id, instant.astimezone(timezone(timedelta(minutes=offset))), source)


@given(st.lists(st.tuples(slugs, instants, slugs), unique=True, min_size=2, max_size=20))
def test_different_events_have_different_ids(events: list[tuple[str, datetime, str]]) -> None:
    assert len({event_id(*event) for event in events}) == len(events)


@given(instants, instants)
def test_texts_of_instants_are_as_different_as_the_instants(one: datetime, other: datetime) -> None:
    assert (utc_text(one) == utc_text(other)) == (one == other)
