"""One frozen settings object per component, from GALEWATCH_… variables, validated when it is made.

Each password comes from GALEWATCH_<COMPONENT>_PASSWORD or from the file that
GALEWATCH_<COMPONENT>_PASSWORD_FILE names. An error names the variable and, unless it is secret, the value.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipeline.config import shown
from pipeline.errors import ConfigError
from pipeline.platform import load_platform

__all__ = [
    "CassandraSettings",
    "ComponentSettings",
    "HistorySettings",
    "KafkaSettings",
    "RegistrySettings",
    "WeatherSettings",
]


def _http(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://")
    return url.rstrip("/")


Text = Annotated[str, Field(min_length=1)]
Port = Annotated[int, Field(ge=1, le=65535)]
Url = Annotated[str, AfterValidator(_http)]


class ComponentSettings(BaseSettings):
    """Settings of one component; subclasses give the prefix of their variables."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid")

    @classmethod
    def from_env(cls) -> Self:
        """Read the component's variables; raises ConfigError for the first that is missing or wrong."""
        try:
            return cls()
        except ValidationError as error:
            first = error.errors()[0]
            field = str(first["loc"][0]) if first["loc"] else "password"
            raise ConfigError(_sentence(cls, field, first["type"], first["msg"], first["input"])) from None


class _WithPassword(ComponentSettings):
    user: Text
    password: SecretStr

    @model_validator(mode="before")
    @classmethod
    def _password_from_file(cls, values: Any) -> Any:
        """Fill in the password from the file that X_PASSWORD_FILE names, unless it is given itself."""
        variable = f"{cls.model_config['env_prefix']}PASSWORD_FILE"
        named = os.environ.get(variable)
        if "password" in values or not named:
            return values
        try:
            secret = Path(named).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "is no text"
            raise ConfigError(f"{variable}: '{named}' cannot be read: {reason}") from None
        return {**values, "password": secret}

    @model_validator(mode="after")
    def _password_not_empty(self) -> Self:
        if not self.password.get_secret_value():
            prefix = self.model_config["env_prefix"]
            raise ConfigError(f"{prefix}PASSWORD: is empty (or the file that {prefix}PASSWORD_FILE names is)")
        return self


class KafkaSettings(_WithPassword):
    """GALEWATCH_KAFKA_…: `bootstrap` is host:port,host:port."""

    model_config = SettingsConfigDict(env_prefix="GALEWATCH_KAFKA_")

    bootstrap: Annotated[str, Field(pattern=r"^[^\s:,]+:\d+(,[^\s:,]+:\d+)*$")]


class RegistrySettings(_WithPassword):
    """GALEWATCH_REGISTRY_…: `url` is that of the Confluent API, without a slash at its end."""

    model_config = SettingsConfigDict(env_prefix="GALEWATCH_REGISTRY_")

    url: Url


class HistorySettings(_WithPassword):
    """GALEWATCH_HISTORY_…: the PostgreSQL database of the history and the outbox."""

    model_config = SettingsConfigDict(env_prefix="GALEWATCH_HISTORY_")

    host: Text
    port: Port = 5432
    database: Text


class CassandraSettings(_WithPassword):
    """GALEWATCH_CASSANDRA_…: `datacenter` is the platform's unless it is given."""

    model_config = SettingsConfigDict(env_prefix="GALEWATCH_CASSANDRA_")

    host: Text
    port: Port = 9042
    datacenter: Text = Field(default_factory=lambda: load_platform().cassandra.datacenter)


class WeatherSettings(ComponentSettings):
    """GALEWATCH_WEATHER_…: `url` is the root of the weather API, without a slash at its end."""

    model_config = SettingsConfigDict(env_prefix="GALEWATCH_WEATHER_")

    url: Url


def _sentence(settings: type[ComponentSettings], field: str, kind: str, message: str, value: Any) -> str:
    variable = f"{settings.model_config['env_prefix']}{field.upper()}"
    if kind == "missing":
        also = f", and neither is {variable}_FILE" if field == "password" else ""
        return f"{variable} is not set{also}"
    message = message.removeprefix("Value error, ")
    got = "" if field == "password" else f", got {shown(value)}"
    return f"{variable}: {message[0].lower()}{message[1:]}{got}"
