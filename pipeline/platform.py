"""The platform's facts (config/platform.yaml) as frozen, typed objects."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - pydantic resolves the annotations at run time
from pathlib import Path  # noqa: TC003 - the same
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, ValidationInfo, field_validator

from pipeline.config import Entry, config_dir, load_config
from pipeline.schemas.modes import Mode  # noqa: TC001 - pydantic resolves the annotations at run time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "Cassandra",
    "Database",
    "Ingest",
    "Kafka",
    "KafkaUser",
    "Platform",
    "Ports",
    "Postgres",
    "Role",
    "SchemaRegistry",
    "Streaming",
    "Topic",
    "config_dir",
    "load_platform",
]

Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[int, Field(gt=0)]
Name = Annotated[str, Field(min_length=1)]
# A secret's name is its file's.
SecretName = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]


class Ports(Entry):
    """Ports published on 127.0.0.1, before the environment's `port_offset`."""

    airflow: Port
    cassandra: Port
    driver_alerts: Port
    driver_tables: Port
    kafka: Port
    postgres: Port
    schema_registry: Port
    spark_master: Port
    weather_api: Port


class Topic(Entry):
    """One topic; `config` is Kafka's own topic configuration."""

    partitions: Annotated[int, Field(ge=1)]
    config: Mapping[str, str] = {}


class KafkaUser(Entry):
    """What one SCRAM user may do; `group_prefix` is the prefix of the consumer groups that it may use."""

    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    group_prefix: str | None = None


class Kafka(Entry):
    """Topics by name and users by name."""

    topics: Mapping[str, Topic]
    users: Mapping[str, KafkaUser]


class SchemaRegistry(Entry):
    """`path` is the Confluent API's; `subjects` maps a subject to its schema files, oldest first.

    `compatibility` is the mode of every subject that has none of its own in `modes`.
    """

    path: Annotated[str, Field(pattern="^/")]
    compatibility: Mode = "BACKWARD_TRANSITIVE"
    modes: Mapping[str, Mode] = {}
    users: tuple[str, ...]
    subjects: Mapping[str, Annotated[tuple[Name, ...], Field(min_length=1)]]

    def mode(self, subject: str) -> Mode:
        """Give the compatibility mode of a subject."""
        return self.modes.get(subject, self.compatibility)

    def newest(self, subject: str) -> str:
        """Give the file of a subject's newest version."""
        return self.subjects[subject][-1]


class Database(Entry):
    """One PostgreSQL database: the role that owns it and those that may only select."""

    owner: Name
    readers: tuple[str, ...] = ()


class Postgres(Entry):
    """Databases by name."""

    databases: Mapping[str, Database]


class Role(Entry):
    """One Cassandra role; without a flag it may only select."""

    superuser: bool = False
    modify: bool = False


class Cassandra(Entry):
    """Keyspace, datacenter and roles; rows of the self-test live `selftest_ttl_seconds`."""

    keyspace: Name
    datacenter: Name
    roles: Mapping[str, Role]
    selftest_ttl_seconds: Seconds


class Streaming(Entry):
    """Lengths of the streaming part, in seconds.

    A reading is late when it was appended more than `allowed_lateness_seconds` after its observation.
    """

    real_time_batch_seconds: Annotated[int, Field(ge=20)]
    allowed_lateness_seconds: Seconds
    window_seconds: Seconds


class Ingest(Entry):
    """A reading observed less than `streaming_horizon_seconds` before its fetch is streamed."""

    streaming_horizon_seconds: Seconds


class Platform(Entry):
    """All of config/platform.yaml."""

    ports: Ports
    kafka: Kafka
    schema_registry: SchemaRegistry
    postgres: Postgres
    cassandra: Cassandra
    streaming: Streaming
    ingest: Ingest
    volumes: tuple[str, ...]
    secrets: tuple[SecretName, ...]

    @field_validator("secrets")
    @classmethod
    def _fit_the_users(cls, secrets: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        """Refuse a user without a secret here, rather than in a container that finds no file."""
        if twice := sorted({name for name in secrets if secrets.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)} is given twice")
        # A section that is wrong itself is not there, and has its own error.
        users = {f"{system}_{user}" for system, names in _users(info.data) for user in names}
        if missing := sorted(users - set(secrets)):
            raise ValueError(f"{', '.join(missing)} is missing, whose user is in this file")
        return secrets


def _users(sections: Mapping[str, Any]) -> Iterator[tuple[str, Iterable[str]]]:
    """Give who logs in where, by the prefix of the secrets."""
    if kafka := sections.get("kafka"):
        yield "kafka", kafka.users
    if registry := sections.get("schema_registry"):
        yield "registry", registry.users
    if postgres := sections.get("postgres"):
        for database in postgres.databases.values():
            yield "postgres", (database.owner, *database.readers)
    if cassandra := sections.get("cassandra"):
        yield "cassandra", cassandra.roles


def load_platform(directory: Path | None = None) -> Platform:
    """Load platform.yaml of a configuration directory; raises ConfigError naming file, field and value."""
    return load_config((directory or config_dir()) / "platform.yaml", Platform)
