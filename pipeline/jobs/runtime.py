"""What every job needs: its settings, the secrets, patience with a service that starts, and a log."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipeline.config import shown
from pipeline.errors import ConfigError, JobError
from pipeline.platform import Platform, load_platform

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Job", "JobSettings", "SecretFiles"]

Answer = TypeVar("Answer")

_PAUSE_SECONDS = 1.0


class JobSettings(BaseSettings):
    """GALEWATCH_…: where the services are, as seen from the job; every value has the platform's default."""

    model_config = SettingsConfigDict(env_prefix="GALEWATCH_", frozen=True, extra="forbid")

    secrets_dir: Path = Path("/run/galewatch/secrets")
    # Enough for a Cassandra that starts on a busy machine; Terraform starts jobs when the service is healthy.
    deadline_seconds: Annotated[float, Field(gt=0)] = 180
    replication: Annotated[int, Field(ge=1, le=9)] = 1
    history_host: str = "postgres"
    history_port: int = 5432
    kafka_bootstrap: str = "kafka:9092"
    registry_url: str = ""
    cassandra_host: str = "cassandra"
    cassandra_port: int = 9042
    weather_source: Literal["live", "local"] = "local"

    @classmethod
    def from_env(cls) -> Self:
        """Read the variables; raises ConfigError for the first that is wrong."""
        try:
            return cls()
        except ValidationError as error:
            first = error.errors()[0]
            variable = "GALEWATCH_" + ".".join(str(step) for step in first["loc"]).upper()
            raise ConfigError(f"{variable}: {first['msg']}, got {shown(first['input'])}") from None


class SecretFiles:
    """The secrets of an environment: a folder with one file each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __getitem__(self, name: str) -> str:
        """Read a secret; raises ConfigError naming the file if it is missing or empty."""
        path = self._folder / name
        try:
            value = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "is no text"
            raise ConfigError(f"the secret {path} cannot be read: {reason}") from None
        if not value:
            raise ConfigError(f"the secret {path} is empty")
        return value


class Job:
    """One run of a job; `say` writes a line to its log, which ends up in Terraform's state: no secrets."""

    def __init__(
        self,
        settings: JobSettings,
        *,
        platform: Platform | None = None,
        say: Callable[[str], None] = print,
    ) -> None:
        self.settings = settings
        self.platform = platform or load_platform()
        self.secrets = SecretFiles(settings.secrets_dir)
        self.say = say
        self._deadline = time.monotonic() + settings.deadline_seconds

    def wait_for(
        self, what: str, attempt: Callable[[], Answer], *, failing_with: type[Exception] | tuple[Any, ...]
    ) -> Answer:
        """Repeat `attempt` until it raises nothing; raises JobError with the last reason at the deadline."""
        while True:
            try:
                return attempt()
            except failing_with as error:
                reason = " ".join(str(error).split()) or type(error).__name__
            if time.monotonic() + _PAUSE_SECONDS > self._deadline:
                raise JobError(f"{what} was not ready within {self.settings.deadline_seconds:g} s: {reason}")
            time.sleep(_PAUSE_SECONDS)
