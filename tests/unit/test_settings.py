"""Settings from the environment: named errors, and secrets that stay secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from pipeline.errors import ConfigError
from pipeline.platform import load_platform
from pipeline.settings import (
    CassandraSettings,
    ComponentSettings,
    HistorySettings,
    KafkaSettings,
    RegistrySettings,
    WeatherSettings,
)

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "correct-horse"

GOOD: dict[type[ComponentSettings], dict[str, str]] = {
    KafkaSettings: {"BOOTSTRAP": "kafka:9092,kafka-2:9092", "USER": "publisher", "PASSWORD": SECRET},
    RegistrySettings: {"URL": "http://registry:8080/apis/ccompat/v7", "USER": "client", "PASSWORD": SECRET},
    HistorySettings: {"HOST": "postgres", "DATABASE": "history", "USER": "history", "PASSWORD": SECRET},
    CassandraSettings: {"HOST": "cassandra", "USER": "reader", "PASSWORD": SECRET},
    WeatherSettings: {"URL": "http://weather-api:8000"},
}


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for settings, variables in GOOD.items():
        for name in (*variables, "PASSWORD_FILE", "PORT", "DATACENTER"):
            monkeypatch.delenv(f"{settings.model_config['env_prefix']}{name}", raising=False)


def set_env(
    monkeypatch: pytest.MonkeyPatch, settings: type[ComponentSettings], **changes: str | None
) -> None:
    """Set the variables of a component, changed; None leaves one out."""
    for name, value in {**GOOD[settings], **changes}.items():
        if value is not None:
            monkeypatch.setenv(f"{settings.model_config['env_prefix']}{name}", value)


@pytest.mark.parametrize("settings", GOOD)
def test_a_component_reads_its_variables(
    settings: type[ComponentSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_env(monkeypatch, settings)
    read = settings.from_env()
    for name, value in GOOD[settings].items():
        found = getattr(read, name.lower())
        assert (found.get_secret_value() if name == "PASSWORD" else found) == value


@pytest.mark.parametrize(("settings", "name"), [(s, n) for s, variables in GOOD.items() for n in variables])
def test_a_missing_variable_is_named(
    settings: type[ComponentSettings], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_env(monkeypatch, settings, **{name: None})
    variable = f"{settings.model_config['env_prefix']}{name}"
    also = f", and neither is {variable}_FILE" if name == "PASSWORD" else ""
    with pytest.raises(ConfigError, match=f"^{variable} is not set{also}$"):
        settings.from_env()


@pytest.mark.parametrize(
    ("settings", "name", "value", "message"),
    [
        (KafkaSettings, "BOOTSTRAP", "kafka", "GALEWATCH_KAFKA_BOOTSTRAP: .*got 'kafka'"),
        (KafkaSettings, "USER", "", "GALEWATCH_KAFKA_USER: .*got ''"),
        (HistorySettings, "PORT", "54x32", "GALEWATCH_HISTORY_PORT: .*got '54x32'"),
        (CassandraSettings, "PORT", "0", "GALEWATCH_CASSANDRA_PORT: .*got '0'"),
        (
            WeatherSettings,
            "URL",
            "weather-api",
            "GALEWATCH_WEATHER_URL: must start with http.*got 'weather-api'",
        ),
    ],
)
def test_a_wrong_value_is_named(
    settings: type[ComponentSettings], name: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_env(monkeypatch, settings, **{name: value})
    with pytest.raises(ConfigError, match=f"^{message}$") as caught:
        settings.from_env()
    assert SECRET not in str(caught.value)


def test_a_password_may_stand_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "kafka_publisher"
    path.write_text(f"{SECRET}\n", encoding="utf-8")
    set_env(monkeypatch, KafkaSettings, PASSWORD=None, PASSWORD_FILE=str(path))
    assert KafkaSettings.from_env().password.get_secret_value() == SECRET


def test_a_password_itself_wins_over_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    set_env(monkeypatch, KafkaSettings, PASSWORD_FILE="/nowhere")
    assert KafkaSettings.from_env().password.get_secret_value() == SECRET


def test_a_password_file_that_is_missing_or_empty_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "secret"
    set_env(monkeypatch, KafkaSettings, PASSWORD=None, PASSWORD_FILE=str(path))
    with pytest.raises(
        ConfigError, match=r"^GALEWATCH_KAFKA_PASSWORD_FILE: '.*/secret' cannot be read: No such file"
    ):
        KafkaSettings.from_env()
    path.write_text("\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"^GALEWATCH_KAFKA_PASSWORD: is empty"):
        KafkaSettings.from_env()


def test_a_secret_is_in_no_text_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    set_env(monkeypatch, KafkaSettings)
    settings = KafkaSettings.from_env()
    assert SECRET not in f"{settings!r} {settings} {settings.model_dump_json()}"


def test_settings_do_not_change(monkeypatch: pytest.MonkeyPatch) -> None:
    set_env(monkeypatch, WeatherSettings)
    settings = WeatherSettings.from_env()
    with pytest.raises(ValidationError, match="frozen"):
        settings.url = "http://elsewhere"  # type: ignore[misc]


def test_the_datacenter_is_the_platforms_unless_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    set_env(monkeypatch, CassandraSettings)
    assert CassandraSettings.from_env().datacenter == load_platform().cassandra.datacenter
    monkeypatch.setenv("GALEWATCH_CASSANDRA_DATACENTER", "north")
    assert CassandraSettings.from_env().datacenter == "north"
