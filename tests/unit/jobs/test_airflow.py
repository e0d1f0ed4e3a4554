"""Airflow's connections, before they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from pipeline.jobs.airflow import wanted_connections
from pipeline.jobs.runtime import Job, JobSettings

if TYPE_CHECKING:
    from pathlib import Path


def _job(folder: Path, weather_source: Literal["live", "local"] = "local") -> Job:
    for name in ("postgres_history", "kafka_publisher", "registry_client"):
        (folder / name).write_text(f"{name}-secret")
    return Job(
        JobSettings(
            secrets_dir=folder, weather_source=weather_source, kafka_bootstrap="kafka-1:9092,kafka-2:9092"
        )
    )


def test_each_login_has_its_own_password(tmp_path: Path) -> None:
    passwords = {c.conn_id: c.password for c in wanted_connections(_job(tmp_path)) if c.login}
    assert passwords == {
        "galewatch_history": "postgres_history-secret",
        "galewatch_kafka": "kafka_publisher-secret",
        "galewatch_registry": "registry_client-secret",
    }


def test_no_password_shows_in_a_connections_text(tmp_path: Path) -> None:
    assert "-secret" not in repr(wanted_connections(_job(tmp_path)))


def test_all_brokers_are_in_the_extra(tmp_path: Path) -> None:
    kafka = next(c for c in wanted_connections(_job(tmp_path)) if c.conn_id == "galewatch_kafka")
    assert ("kafka-1", 9092) == (kafka.host, kafka.port)
    assert kafka.extra == {"bootstrap": "kafka-1:9092,kafka-2:9092"}


@pytest.mark.parametrize(
    ("source", "url"),
    [("live", ("https", "api.open-meteo.com", 443)), ("local", ("http", "weather-api", 8000))],
)
def test_the_weather_is_live_or_local_and_the_selftest_always_local(
    source: Literal["live", "local"], url: tuple[str, str, int], tmp_path: Path
) -> None:
    by_id = {c.conn_id: (c.schema, c.host, c.port) for c in wanted_connections(_job(tmp_path, source))}
    assert url == by_id["galewatch_open_meteo"]
    # It has no public service.
    assert by_id["galewatch_gateway"] == ("http", "weather-api", 8000)
    assert by_id["galewatch_selftest"] == ("http", "weather-api", 8000)
