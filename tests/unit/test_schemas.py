"""The schema files and the splitting of statements."""

from __future__ import annotations

import re

import fastavro
import pytest

from pipeline.errors import ConfigError
from pipeline.platform import load_platform
from pipeline.readings import Reading
from pipeline.rules import Alert
from pipeline.schemas import avro_schema, cassandra_statements, schema_text


def test_each_subject_of_the_platform_has_a_schema_that_parses() -> None:
    for name in load_platform().schema_registry.subjects.values():
        fastavro.parse_schema(avro_schema(name))


def test_the_schemas_have_the_fields_of_the_models() -> None:
    assert [field["name"] for field in avro_schema("reading.v1.avsc")["fields"]] == [
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
    tables = [re.match(r"CREATE TABLE IF NOT EXISTS (\w+) \(", statement) for statement in statements]
    assert [table and table[1] for table in tables] == [
        "alerts_by_station",
        "alerts_by_day",
        "averages_by_station",
        "latest_by_station",
        "readings_by_station",
    ]
    assert not any("--" in statement or ";" in statement for statement in statements)


def test_the_tables_have_the_columns_of_what_is_written_to_them() -> None:
    columns = {
        statement.split()[5]: set(
            re.findall(r"^ {4}(\w+) (?:text|timestamp|date|double|int|bigint),$", statement, re.MULTILINE)
        )
        for statement in cassandra_statements()
    }
    alert = {*Alert.model_fields, "raised_at"} - {"alert_id"}
    reading = {"event_id", *Reading.model_fields}
    assert columns["alerts_by_station"] == alert
    assert columns["alerts_by_day"] == alert | {"day"}
    assert columns["latest_by_station"] == reading
    assert columns["readings_by_station"] == reading | {"day"}
