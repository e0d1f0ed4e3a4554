"""An environment that consists of the fixtures' services, as the commands see one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.platform import Platform, load_platform
from pipeline.settings import CassandraSettings, HistorySettings, KafkaSettings, RegistrySettings

if TYPE_CHECKING:
    from tests.integration.containers import Cassandra, Kafka, Postgres, Registry

__all__ = ["MessageServices", "Services", "history_of", "registry_of"]


def history_of(server: Postgres, user: str = "history") -> HistorySettings:
    """Give the history on a server as one of its roles, its owner unless told otherwise."""
    return HistorySettings(
        host=server.host, port=server.port, database="history", user=user, password=server.password(user)
    )


def registry_of(registry: Registry, user: str = "client") -> RegistrySettings:
    """Give a registry as one of its users."""
    return RegistrySettings(url=registry.url, user=user, password=registry.password(user))


@dataclass(frozen=True, kw_only=True)
class MessageServices:
    """The part of an environment that carries messages."""

    broker: Kafka
    schema_registry: Registry
    platform: Platform = field(default_factory=load_platform)

    def kafka(self, user: str = "reader") -> KafkaSettings:
        """Give Kafka as one of its users."""
        return KafkaSettings(bootstrap=self.broker.bootstrap, user=user, password=self.broker.password(user))

    def registry(self, user: str = "client") -> RegistrySettings:
        """Give the registry as one of its users."""
        return registry_of(self.schema_registry, user)


@dataclass(frozen=True, kw_only=True)
class Services(MessageServices):
    """All that data goes through, from the history to Cassandra, under the environment's name."""

    name: str
    postgres: Postgres
    node: Cassandra

    def history(self, user: str = "reader") -> HistorySettings:
        """Give the history as one of its roles."""
        return history_of(self.postgres, user)

    def cassandra(self, user: str = "reader") -> CassandraSettings:
        """Give Cassandra as one of its roles."""
        node = self.node
        return CassandraSettings(
            host=node.host, port=node.port, user=user, password=node.password(user), datacenter="dc1"
        )
