"""All five services, each with its state on a volume, so that a test may stop, kill and replace them."""

from functools import partial
from types import TracebackType
from typing import Self

from tests.integration.containers import (
    Cassandra,
    Kafka,
    Postgres,
    Registry,
    Service,
    ZooKeeper,
)
from tests.integration.environment import Environment
from tests.integration.side_by_side import side_by_side

__all__ = ["NAMES", "STOP_SECONDS", "Stack"]

# In each chain, who needs whom stands behind it.
_CHAINS = (("cassandra",), ("zookeeper", "kafka"), ("postgres", "schema-registry"))
NAMES = tuple(name for chain in _CHAINS for name in chain)
STOP_SECONDS = 30


class Stack:
    """The services by attribute, or by name in ``services``; leaving it removes them all."""

    zookeeper: ZooKeeper
    kafka: Kafka
    postgres: Postgres
    registry: Registry
    cassandra: Cassandra

    def __init__(self) -> None:
        self.environment = Environment()
        self.services: dict[str, Service] = {}

    def __enter__(self) -> Self:
        """Start everything."""
        self.environment.__enter__()
        try:
            side_by_side(*(partial(self._start_all, chain) for chain in _CHAINS))
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove everything."""
        try:
            for service in self.services.values():
                service.stop()
        finally:
            self.environment.__exit__(kind, error, trace)

    def _start_all(self, names: tuple[str, ...]) -> None:
        for name in names:
            self.start(name)

    def start(self, name: str) -> None:
        """Start a new container on the service's volume."""
        volume = self.environment.volume(name)
        service: Service
        if name == "zookeeper":
            service = self.zookeeper = ZooKeeper(self.environment, volume=volume)
        elif name == "kafka":
            service = self.kafka = Kafka(self.environment, volume=volume)
        elif name == "postgres":
            service = self.postgres = Postgres(self.environment, volume=volume)
        elif name == "cassandra":
            service = self.cassandra = Cassandra(self.environment, volume=volume)
        else:
            service = self.registry = Registry(self.environment, self.postgres)
        # Known before it is started, so that one that does not become healthy is removed as well.
        self.services[name] = service
        service.start()

    def remove(self, name: str) -> None:
        """Stop a container and remove it; its volume stays."""
        service = self.services.pop(name)
        try:
            service.container.stop(timeout=STOP_SECONDS)
        finally:
            service.stop()

    def replace(self, name: str) -> None:
        """Put another container in the place of one, as Terraform does after a change."""
        self.remove(name)
        self.start(name)
