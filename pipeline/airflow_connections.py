"""Each component's settings, out of Airflow's own connections: what its page shows is what the DAGs use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from airflow.sdk import Connection

from pipeline.errors import ConfigError
from pipeline.settings import HistorySettings, KafkaSettings, RegistrySettings, WeatherSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "HISTORY",
    "KAFKA",
    "REGISTRY",
    "SELFTEST",
    "history_settings",
    "kafka_settings",
    "registry_settings",
    "weather_settings",
]

HISTORY: Final = "galewatch_history"
KAFKA: Final = "galewatch_kafka"
REGISTRY: Final = "galewatch_registry"
SELFTEST: Final = "galewatch_selftest"
"""The environment's own weather API, below /selftest; those of the sources are named in their facts."""


def history_settings() -> HistorySettings:
    """Give the history's database; the connection's `schema` is its name."""
    found = Connection.get(HISTORY)
    host, port = _address(found)
    return HistorySettings(
        host=host,
        port=port,
        database=_given(found, "schema"),
        user=_given(found, "login"),
        password=_given(found, "password"),
    )


def kafka_settings() -> KafkaSettings:
    """Give Kafka as the publisher; the extra `bootstrap` names further brokers, host:port,host:port."""
    found = Connection.get(KAFKA)
    host, port = _address(found)
    return KafkaSettings(
        bootstrap=_extra(found).get("bootstrap") or f"{host}:{port}",
        user=_given(found, "login"),
        password=_given(found, "password"),
    )


def registry_settings() -> RegistrySettings:
    """Give the Schema Registry; the extra `path` is the Confluent API's."""
    found = Connection.get(REGISTRY)
    return RegistrySettings(url=_url(found), user=_given(found, "login"), password=_given(found, "password"))


def weather_settings(connection_id: str) -> WeatherSettings:
    """Give a weather API's root."""
    return WeatherSettings(url=_url(Connection.get(connection_id)))


def _url(found: Any) -> str:
    host, port = _address(found)
    return f"{found.schema or 'http'}://{host}:{port}{_extra(found).get('path', '')}"


def _address(found: Any) -> tuple[str, int]:
    return _given(found, "host"), int(_given(found, "port"))


def _given(found: Any, field: str) -> Any:
    value = getattr(found, field)
    if value in (None, ""):
        raise ConfigError(f"Airflow's connection '{found.conn_id}' has no {field}")
    return value


def _extra(found: Any) -> Mapping[str, str]:
    extra: Mapping[str, str] = found.extra_dejson
    return extra
