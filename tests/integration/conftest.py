"""The services as fixtures, each started once for all tests of a run that ask for it.

They are shared: a test makes topics, databases and keyspaces of its own, and leaves alone what it did not
make. Only those of `stack` may be stopped.
"""

from collections.abc import Iterator

import pytest

from tests.integration.containers import Cassandra, Kafka, Postgres, Registry, ZooKeeper
from tests.integration.environment import Environment
from tests.integration.stack import Stack


@pytest.fixture(scope="session")
def environment() -> Iterator[Environment]:
    """A network and secrets."""
    with Environment() as made:
        yield made


@pytest.fixture(scope="session")
def postgres(environment: Environment) -> Iterator[Postgres]:
    """PostgreSQL, empty."""
    with Postgres(environment) as service:
        yield service


@pytest.fixture(scope="session")
def kafka(environment: Environment) -> Iterator[Kafka]:
    """A broker with its ZooKeeper; only the user ``admin``."""
    with ZooKeeper(environment), Kafka(environment) as service:
        yield service


@pytest.fixture(scope="session")
def registry(environment: Environment, postgres: Postgres) -> Iterator[Registry]:
    """The schema registry, empty, with its storage in ``postgres``."""
    with Registry(environment, postgres) as service:
        yield service


@pytest.fixture(scope="session")
def cassandra(environment: Environment) -> Iterator[Cassandra]:
    """A Cassandra node, empty."""
    with Cassandra(environment) as service:
        yield service


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """All five, in an environment of their own; whoever stops one starts it again."""
    with Stack() as made:
        yield made
