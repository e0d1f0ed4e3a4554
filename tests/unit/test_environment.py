"""Addresses and passwords of an environment, as seen from its machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.environment import Environment
from pipeline.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    for name in ("kafka_reader", "registry_client", "postgres_reader", "cassandra_reader"):
        (tmp_path / name).write_text(f"{name}-secret\n")
    return Environment("dev", tmp_path, port_offset=100)


def test_every_service_is_on_loopback_at_its_port_plus_the_offset(environment: Environment) -> None:
    ports = environment.platform.ports
    assert f"127.0.0.1:{ports.kafka + 100}" == environment.kafka().bootstrap
    assert ("127.0.0.1", ports.postgres + 100) == (environment.history().host, environment.history().port)
    assert ("127.0.0.1", ports.cassandra + 100) == (
        environment.cassandra().host,
        environment.cassandra().port,
    )
    assert environment.registry().url == f"http://127.0.0.1:{ports.schema_registry + 100}/apis/ccompat/v7"
    assert environment.weather().url == f"http://127.0.0.1:{ports.weather_api + 100}"


def test_each_login_takes_its_own_secret(environment: Environment) -> None:
    assert environment.kafka().password.get_secret_value() == "kafka_reader-secret"
    assert environment.history().password.get_secret_value() == "postgres_reader-secret"


def test_a_missing_secret_names_its_file_and_what_to_do(environment: Environment) -> None:
    with pytest.raises(ConfigError, match=r"kafka_admin cannot be read.*make up"):
        environment.kafka("admin")


def test_an_empty_secret_is_an_error(environment: Environment) -> None:
    (environment.secrets / "kafka_reader").write_text("\n")
    with pytest.raises(ConfigError, match="kafka_reader is empty"):
        environment.kafka()


def test_the_environment_is_dev_unless_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GALEWATCH_ENV", raising=False)
    assert Environment.from_env().name == "dev"
    monkeypatch.setenv("GALEWATCH_ENV", "staging")
    assert Environment.from_env().name == "staging"
    assert Environment.from_env("t123abc").name == "t123abc"


@pytest.mark.parametrize("name", ["DEV", "a/b", "../dev"])
def test_a_name_that_no_environment_has_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="GALEWATCH_ENV"):
        Environment.from_env(name)


@pytest.mark.parametrize("offset", ["x", "-1", "1.5", "70000"])
def test_a_port_offset_that_is_none_is_refused(offset: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GALEWATCH_PORT_OFFSET", offset)
    with pytest.raises(ConfigError, match=f"GALEWATCH_PORT_OFFSET: .*{offset!r}"):
        Environment.from_env()


def test_the_port_offset_of_the_variable_counts_before_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GALEWATCH_PORT_OFFSET", "7")
    assert Environment.from_env("staging").port_offset == 7
    monkeypatch.delenv("GALEWATCH_PORT_OFFSET")
    assert Environment.from_env("t123abc").port_offset == 0
