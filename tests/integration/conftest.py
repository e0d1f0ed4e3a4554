"""The services as fixtures, each started once for all tests of a run that ask for it.

They are shared: a test makes topics, databases and keyspaces of its own, and leaves alone what it did not
make. Only those of `stack` and of `platform` may be stopped.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

import docker
import pytest

from tests.integration import platform_jobs
from tests.integration.clients import CassandraSession
from tests.integration.containers import Cassandra, Kafka, Postgres, Registry, ZooKeeper
from tests.integration.environment import Environment
from tests.integration.side_by_side import side_by_side
from tests.integration.spark_cluster import SparkCluster
from tests.integration.stack import Stack
from tests.integration.streaming import Platform


@pytest.fixture(scope="session")
def engine() -> Iterator[docker.DockerClient]:
    """A client of the engine."""
    client = docker.from_env()
    yield client
    client.close()


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
def own_registry() -> Iterator[Registry]:
    """A registry whose global mode may be set, and that may be started again: no other test shares it."""
    with (
        Environment() as environment,
        Postgres(environment) as postgres,
        Registry(environment, postgres) as service,
    ):
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


class Streaming(ExitStack):
    """The platform while it is there."""

    platform: Platform


@pytest.fixture(scope="session")
def streaming() -> Iterator[Streaming]:
    """Services in an environment of their own, made ready by the jobs, and Spark on them.

    For test_streaming and, right after it, test_streaming_faults, which closes it: there is no room for it
    beside what comes later.
    """
    with Streaming() as opened:
        stack = opened.enter_context(Stack())
        side_by_side(
            partial(platform_jobs.run_kafka, stack.kafka),
            partial(platform_jobs.run_cassandra, stack.cassandra),
            partial(platform_jobs.run_schemas, stack.registry),
        )
        cassandra = opened.enter_context(CassandraSession(stack.cassandra, "admin"))
        spark = opened.enter_context(SparkCluster(stack.environment, failpoints=True))
        opened.platform = Platform(stack, spark, cassandra)
        yield opened


@pytest.fixture
def platform(streaming: Streaming) -> Platform:
    """What the tests of the streaming part work on."""
    return streaming.platform
