"""Airflow's connections, as the DAGs read them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline import airflow_connections
from pipeline.errors import ConfigError

SECRET = "not-to-be-shown"


def _connection(monkeypatch: pytest.MonkeyPatch, conn_id: str, **fields: Any) -> None:
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps({"conn_type": "generic", **fields}))


def test_the_history_is_a_database_with_a_user_and_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    _connection(
        monkeypatch, "galewatch_history", host="db", port=5433, schema="h", login="owner", password=SECRET
    )
    settings = airflow_connections.history_settings()
    assert (settings.host, settings.port, settings.database, settings.user) == ("db", 5433, "h", "owner")
    assert settings.password.get_secret_value() == SECRET


def test_kafka_is_all_brokers_of_the_extra_or_else_host_and_port(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = {"host": "kafka", "port": 9092, "login": "publisher", "password": SECRET}
    _connection(monkeypatch, "galewatch_kafka", **fields)
    assert airflow_connections.kafka_settings().bootstrap == "kafka:9092"
    _connection(monkeypatch, "galewatch_kafka", **fields, extra={"bootstrap": "a:1,b:2"})
    assert airflow_connections.kafka_settings().bootstrap == "a:1,b:2"


def test_the_registry_is_a_url_with_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    _connection(
        monkeypatch,
        "galewatch_registry",
        host="registry",
        port=8080,
        schema="http",
        login="client",
        password=SECRET,
        extra={"path": "/apis/ccompat/v7"},
    )
    assert airflow_connections.registry_settings().url == "http://registry:8080/apis/ccompat/v7"


def test_the_weather_is_the_url_of_the_connection_named(monkeypatch: pytest.MonkeyPatch) -> None:
    _connection(monkeypatch, "galewatch_open_meteo", host="api.example.org", port=443, schema="https")
    _connection(monkeypatch, "galewatch_selftest", host="weather-api", port=8000, extra={"path": "/selftest"})
    assert airflow_connections.weather_settings("galewatch_open_meteo").url == "https://api.example.org:443"
    assert (
        airflow_connections.weather_settings("galewatch_selftest").url == "http://weather-api:8000/selftest"
    )


def test_a_connection_without_a_password_is_named_and_nothing_of_it_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _connection(monkeypatch, "galewatch_kafka", host="kafka", port=9092, login="publisher")
    with pytest.raises(ConfigError, match=r"^Airflow's connection 'galewatch_kafka' has no password$"):
        airflow_connections.kafka_settings()
