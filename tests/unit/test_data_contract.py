"""The numbers and names in docs/data-contract.md are those of the code."""

from __future__ import annotations

import re

import pytest

from pipeline.infra.layout import PROJECT_ROOT
from pipeline.platform import load_platform
from pipeline.readings import FIELDS, LIMITS, Reading
from pipeline.schemas import avro_schema, schema_text
from pipeline.topics.dead_letters import REDRIVEN_FROM
from pipeline.units import METRICS, Metric

TEXT = (PROJECT_ROOT / "docs" / "data-contract.md").read_text(encoding="utf-8")
PLATFORM = load_platform()
DAY = 86_400


def row(begins: str) -> str:
    """Give the row of a table by the text of its first cell."""
    found = [line for line in TEXT.splitlines() if line.startswith("|") and begins in line.split("|")[1]]
    assert 1 == len(found), (begins, found)
    return found[0]


@pytest.mark.parametrize("metric", METRICS)
def test_limits_are_those_of_a_reading(metric: Metric) -> None:
    low, high = LIMITS[metric]
    assert f"{low:g} to {high:g}, or null" in row(f"`{FIELDS[metric]}`")


def test_every_field_of_a_reading_is_told() -> None:
    told = set(re.findall(r"`(\w+)`", TEXT))
    assert {*Reading.model_fields, "event_id"} <= told
    assert {field["name"] for field in avro_schema("reading.v2.avsc")["fields"]} <= told


def test_every_schema_and_topic_is_told() -> None:
    for subject, schemas in PLATFORM.schema_registry.subjects.items():
        assert all(schema in row(f"`{subject}`") for schema in schemas)
    assert all(f"`{topic}`" in TEXT for topic in PLATFORM.kafka.topics)
    assert f"Compatibility is {PLATFORM.schema_registry.compatibility}" in TEXT
    assert f"`{REDRIVEN_FROM}`" in TEXT


TOLD_AS = {
    "station_id": "station",
    "observed_at": "time",
    "rule_id": "rule",
    "window_start": "start of the window",
}


def test_every_table_of_cassandra_is_told_with_its_key() -> None:
    keys = re.findall(
        r"CREATE TABLE IF NOT EXISTS (\w+) \(.*?PRIMARY KEY \((.*?)\)\n\)",
        schema_text("cassandra.cql"),
        re.DOTALL,
    )
    assert 6 == len(keys)
    for table, key in keys:
        if table != "query_progress":
            columns = re.findall(r"\w+", key)
            said = row(f"`{table}`").split("|")[2].replace("(", "").replace(")", "").strip()
            # One row tells of both tables of the alerts, which differ in what their partitions are.
            said = said.replace(
                "station or day, time", "day, time, station" if "day" in columns else "station, time"
            )
            assert [TOLD_AS.get(column, column) for column in columns] == said.split(", ")


def test_spans_are_those_of_the_platform() -> None:
    horizon = PLATFORM.ingest.streaming_horizon_seconds // 3600
    assert f"({horizon} hours)" in row("**fresher than the horizon**")
    lateness = PLATFORM.streaming.allowed_lateness_seconds // 3600
    assert f"more than {lateness} hours after it was observed" in row("**late**")
    assert f"{PLATFORM.streaming.window_seconds // 60} minutes)" in TEXT
    for topic, begins in (("readings", "topics `readings`"), ("readings.dlq", "topic `readings.dlq`")):
        kept = int(PLATFORM.kafka.topics[topic].config["retention.ms"]) // 1000 // DAY
        assert f"| {kept} days |" in row(begins)
    lifetimes = {
        int(seconds) // DAY
        for seconds in re.findall(r"default_time_to_live = (\d+)", schema_text("cassandra.cql"))
    }
    assert {400, 30, 1} == lifetimes
    assert "| 30 days |" in row("readings by station")
    assert "| 400 days |" in row("alerts, averages")
    assert 3600 == PLATFORM.cassandra.selftest_ttl_seconds
