"""The schema files and the splitting of statements."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from typing import Any

import fastavro
import pytest

from pipeline.errors import ConfigError
from pipeline.platform import load_platform
from pipeline.publisher import READING_SCHEMA
from pipeline.readings import Reading
from pipeline.rules import Alert
from pipeline.schemas import avro_schema, cassandra_statements, schema_text

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
_TYPE = "(?:text|timestamp|date|double|int|bigint|boolean)"


def test_each_subject_of_the_platform_has_a_schema_that_parses() -> None:
    for names in load_platform().schema_registry.subjects.values():
        for name in names:
            fastavro.parse_schema(avro_schema(name))


def test_what_is_written_is_a_registered_version_and_the_newest_reads_it() -> None:
    registry = load_platform().schema_registry
    assert READING_SCHEMA in registry.subjects["readings-value"]
    assert registry.newest("readings-value") == "reading.v2.avsc"


def test_the_first_version_is_read_as_the_second_without_a_quality() -> None:
    writer, reader = (fastavro.parse_schema(avro_schema(f"reading.v{version}.avsc")) for version in (1, 2))
    given = Reading(station_id="a", observed_at=NOON, source="s", origin="live", fetched_at=NOON, quality="V")
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, writer, given.to_avro())
    buffer.seek(0)
    record: Any = fastavro.schemaless_reader(buffer, writer, reader)
    assert Reading.from_avro(record) == given.model_copy(update={"quality": None})


def test_the_schemas_have_the_fields_of_the_models() -> None:
    assert [field["name"] for field in avro_schema(READING_SCHEMA)["fields"]] == [
        "event_id",
        *Reading.model_fields,
    ]
    assert [field["name"] for field in avro_schema("alert.v1.avsc")["fields"]] == [
        *Alert.model_fields,
        "raised_at",
    ]


def test_an_unknown_schema_file_is_named() -> None:
    with pytest.raises(ConfigError, match=r"there is no schema file 'reading\.v9\.avsc'"):
        schema_text("reading.v9.avsc")
    with pytest.raises(ConfigError, match="there is no schema file"):
        schema_text("../rules.py")


def test_the_statements_create_each_table_and_may_be_run_again() -> None:
    statements = cassandra_statements()
    made = [re.match(r"CREATE TABLE IF NOT EXISTS (\w+) \(", statement) for statement in statements]
    altered = [re.match(r"ALTER TABLE (\w+) ADD IF NOT EXISTS ", statement) for statement in statements]
    assert all(one or other for one, other in zip(made, altered, strict=True))
    assert [table[1] for table in made if table] == [
        "alerts_by_station",
        "alerts_by_day",
        "averages_by_station",
        "latest_by_station",
        "readings_by_station",
        "query_progress",
    ]
    assert not any("--" in statement or ";" in statement for statement in statements)


def test_the_tables_have_the_columns_of_what_is_written_to_them() -> None:
    columns: dict[str, set[str]] = {}
    for statement in cassandra_statements():
        words = statement.split()
        created = words[0] == "CREATE"
        pattern = rf"^ {{4}}(\w+) {_TYPE},$" if created else rf"(\w+) {_TYPE}(?:,|$)"
        columns.setdefault(words[5 if created else 2], set()).update(
            re.findall(pattern, statement, re.MULTILINE)
        )
    alert = {*Alert.model_fields, "raised_at"} - {"alert_id"}
    reading = {"event_id", *Reading.model_fields}
    assert columns["alerts_by_station"] == alert
    assert columns["alerts_by_day"] == alert | {"day"}
    assert columns["latest_by_station"] == reading
    assert columns["readings_by_station"] == reading | {"day", "on_time"}
