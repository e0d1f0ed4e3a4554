"""What each service still has after its container was stopped, killed or replaced."""

import json
import time
from collections.abc import Iterator

import pytest
from confluent_kafka import KafkaError

from tests.integration.clients import (
    CassandraSession,
    consume,
    get,
    login_error,
    make_topic,
    make_user,
    produce,
    register,
    zookeeper_error,
)
from tests.integration.containers import Postgres, ZooKeeper
from tests.integration.environment import Environment
from tests.integration.stack import NAMES, STOP_SECONDS, Stack

pytestmark = pytest.mark.engine

SCHEMA = json.dumps({"type": "record", "name": "R", "fields": [{"name": "a", "type": "string"}]})


@pytest.fixture(autouse=True)
def left_healthy(stack: Stack) -> Iterator[None]:
    """Leave the stack to the next test as this one found it, whatever it stopped on the way."""
    yield
    for service in stack.services.values():
        service.wait_until_healthy()


def test_postgres_keeps_its_rows_when_its_container_is_replaced(stack: Stack) -> None:
    with stack.postgres.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept AS SELECT 7 AS n")
    stack.replace("postgres")
    with stack.postgres.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT n FROM kept")
        assert cursor.fetchone() == (7,)
    # Whose connections died with the old container, which had another address.
    stack.registry.wait_until_healthy()
    assert get(stack.registry, "client", "/subjects").status_code == 200


def test_postgres_discards_what_an_interrupted_first_start_left(stack: Stack) -> None:
    volume = stack.environment.volume("interrupted")
    with Postgres(stack.environment, volume=volume) as first:
        first.container.exec_run(["rm", "-rf", "/var/lib/galewatch/data"])
        first.container.exec_run(["mkdir", "-p", "/var/lib/galewatch/data.new.AbCdEf/base"])
    with Postgres(stack.environment, volume=volume) as second:
        files = second.container.exec_run(["ls", "/var/lib/galewatch"]).output.decode().split()
        assert files == ["data"]


@pytest.mark.full
def test_kafka_and_zookeeper_keep_topics_messages_and_users_when_they_are_replaced(stack: Stack) -> None:
    make_topic(stack.kafka, "kept")
    make_user(stack.kafka, "keeper", "keepers-password")
    produce(stack.kafka, "kept", b"message")
    stack.remove("kafka")
    stack.remove("zookeeper")
    stack.start("zookeeper")
    stack.start("kafka")
    assert consume(stack.kafka, "kept") == b"message"
    assert login_error(stack.kafka, "keeper", "keepers-password") is None


def test_a_killed_broker_is_back_at_once(stack: Stack) -> None:
    make_topic(stack.kafka, "survivor")
    produce(stack.kafka, "survivor", b"acknowledged")
    stack.kafka.container.kill()
    # Its registration in ZooKeeper is still there.
    stack.kafka.container.start()
    stack.kafka.wait_until_healthy()
    assert consume(stack.kafka, "survivor") == b"acknowledged"


def test_a_zookeeper_that_is_called_healthy_lets_clients_in(environment: Environment) -> None:
    session_closed_for_want_of_sasl = -124
    with ZooKeeper(environment, volume=environment.volume("zookeeper-restarted")) as zookeeper:
        # A window of milliseconds: three starts hit it nearly always.
        for _ in range(3):
            zookeeper.container.stop(timeout=STOP_SECONDS)
            zookeeper.container.start()
            zookeeper.wait_until_healthy()
            assert zookeeper_error(zookeeper) == session_closed_for_want_of_sasl


def test_the_broker_takes_over_a_changed_admin_password(stack: Stack) -> None:
    before = stack.kafka.password("admin")
    stack.environment.set_password("kafka_admin", "changed0changed0changed0changed0")
    stack.kafka.container.restart(timeout=STOP_SECONDS)
    stack.kafka.wait_until_healthy()
    assert login_error(stack.kafka, "admin", stack.kafka.password("admin")) is None
    assert login_error(stack.kafka, "admin", before) == KafkaError._AUTHENTICATION


def test_schema_ids_survive_when_the_registry_is_replaced(stack: Stack) -> None:
    registered = register(stack.registry, "admin", "kept-value", SCHEMA)
    assert registered.status_code == 200, registered.text
    stack.replace("schema-registry")
    answer = get(stack.registry, "client", f"/schemas/ids/{registered.json()['id']}")
    assert json.loads(answer.json()["schema"]) == json.loads(SCHEMA)


def test_the_registry_recovers_when_its_database_comes_back(stack: Stack) -> None:
    stack.postgres.container.kill()
    assert get(stack.registry, "client", "/subjects").status_code >= 500
    assert stack.registry.container.exec_run("/opt/galewatch/healthcheck").exit_code != 0
    stack.postgres.container.start()
    stack.postgres.wait_until_healthy()
    stack.registry.wait_until_healthy()
    assert get(stack.registry, "client", "/subjects").status_code == 200


@pytest.mark.full
def test_cassandra_keeps_its_rows_when_its_container_is_replaced(stack: Stack) -> None:
    with CassandraSession(stack.cassandra) as session:
        session.execute(
            "CREATE KEYSPACE kept WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': 1}",
        )
        session.execute("CREATE TABLE kept.rows (k int PRIMARY KEY)")
        session.execute("INSERT INTO kept.rows (k) VALUES (7)")
    stack.replace("cassandra")
    with CassandraSession(stack.cassandra) as session:
        assert [row.k for row in session.execute("SELECT k FROM kept.rows")] == [7]


@pytest.mark.full
@pytest.mark.parametrize("name", NAMES[::-1])
def test_a_service_stops_when_it_is_told_to(stack: Stack, name: str) -> None:
    service = stack.services[name]
    begin = time.monotonic()
    service.container.stop(timeout=STOP_SECONDS)
    assert time.monotonic() - begin < STOP_SECONDS
    service.container.reload()
    code = service.container.attrs["State"]["ExitCode"]
    service.container.start()
    service.wait_until_healthy()
    # Its own end, or the signal's; 137 would be the engine's patience.
    assert code in {0, 143}
