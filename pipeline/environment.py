"""An environment as seen from the machine that it runs on: published ports, and secrets of its folder."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from pipeline.errors import ConfigError
from pipeline.infra.errors import InfraError
from pipeline.infra.layout import Layout
from pipeline.platform import Platform, load_platform
from pipeline.settings import (
    CassandraSettings,
    HistorySettings,
    KafkaSettings,
    RegistrySettings,
    WeatherSettings,
)

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ENVIRONMENT_VARIABLE", "PORT_OFFSET_VARIABLE", "Environment"]

ENVIRONMENT_VARIABLE = "GALEWATCH_ENV"
PORT_OFFSET_VARIABLE = "GALEWATCH_PORT_OFFSET"

_HOST = "127.0.0.1"
_HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Environment:
    """Where each service is and how to log in; `secrets` is a folder with one file each."""

    name: str
    secrets: Path
    port_offset: int = 0
    platform: Platform = field(default_factory=load_platform)

    @classmethod
    def from_env(cls, name: str | None = None) -> Self:
        """Take the environment named, or $GALEWATCH_ENV, or dev; raises ConfigError for one that cannot be.

        The ports are moved by $GALEWATCH_PORT_OFFSET, or else by what the environment's tfvars file says.
        """
        try:
            named = name or os.environ.get(ENVIRONMENT_VARIABLE)
            layout = Layout(named) if named else Layout()
        except InfraError as error:
            raise ConfigError(f"{ENVIRONMENT_VARIABLE}: {error}") from None
        return cls(name=layout.environment, secrets=layout.secrets, port_offset=_offset(layout))

    def kafka(self, user: str = "reader") -> KafkaSettings:
        """Give Kafka as one of its users."""
        bootstrap = f"{_HOST}:{self._port(self.platform.ports.kafka)}"
        return KafkaSettings(bootstrap=bootstrap, user=user, password=self.secret(f"kafka_{user}"))

    def registry(self, user: str = "client") -> RegistrySettings:
        """Give the Schema Registry as one of its users."""
        url = f"http://{_HOST}:{self._port(self.platform.ports.schema_registry)}"
        return RegistrySettings(
            url=f"{url}{self.platform.schema_registry.path}",
            user=user,
            password=self.secret(f"registry_{user}"),
        )

    def history(self, user: str = "reader") -> HistorySettings:
        """Give the history as one of its roles."""
        return HistorySettings(
            host=_HOST,
            port=self._port(self.platform.ports.postgres),
            database="history",
            user=user,
            password=self.secret(f"postgres_{user}"),
        )

    def cassandra(self, user: str = "reader") -> CassandraSettings:
        """Give Cassandra as one of its roles."""
        return CassandraSettings(
            host=_HOST,
            port=self._port(self.platform.ports.cassandra),
            user=user,
            password=self.secret(f"cassandra_{user}"),
            datacenter=self.platform.cassandra.datacenter,
        )

    def weather(self) -> WeatherSettings:
        """Give the environment's own weather API."""
        return WeatherSettings(url=self.address("weather_api"))

    def address(self, service: str) -> str:
        """Give the URL of a service with pages, by the name of its port in platform.yaml."""
        return f"http://{_HOST}:{self._port(getattr(self.platform.ports, service))}"

    def secret(self, name: str) -> str:
        """Read a secret; raises ConfigError naming its file where there is none."""
        path = self.secrets / name
        try:
            value = path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigError(
                f"the secret {path} cannot be read ({error.strerror}): environment '{self.name}' is not "
                "set up on this machine; `make up` does it"
            ) from None
        if not value:
            raise ConfigError(f"the secret {path} is empty")
        return value

    def _port(self, port: int) -> int:
        return port + self.port_offset


def _offset(layout: Layout) -> int:
    given = os.environ.get(PORT_OFFSET_VARIABLE)
    if given is None or given == "":
        try:
            return int(layout.variables().get("port_offset", 0))
        except InfraError:
            # An environment of a test has no tfvars file.
            return 0
    if not given.isdecimal() or int(given) > _HIGHEST_PORT:
        raise ConfigError(f"{PORT_OFFSET_VARIABLE}: must be a whole number from 0 on, got {given!r}")
    return int(given)
