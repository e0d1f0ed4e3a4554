"""Whom each service lets in, and to what."""

import json

import httpx
import psycopg2
import pytest
from cassandra import Unauthorized
from cassandra.cluster import NoHostAvailable
from confluent_kafka import KafkaError, Producer
from confluent_kafka.admin import AdminClient

from tests.integration.clients import (
    CassandraSession,
    get,
    login_error,
    make_topic,
    make_user,
    register,
    zookeeper_error,
)
from tests.integration.stack import Stack

pytestmark = pytest.mark.engine

SCHEMA = json.dumps({"type": "record", "name": "R", "fields": [{"name": "a", "type": "string"}]})
INCOMPATIBLE = json.dumps({"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}]})


def test_zookeeper_answers_nothing_to_who_does_not_log_in(stack: Stack) -> None:
    session_closed_for_want_of_sasl = -124
    assert zookeeper_error(stack.zookeeper) == session_closed_for_want_of_sasl


def test_postgres_refuses_a_wrong_password(stack: Stack) -> None:
    with (
        pytest.raises(psycopg2.OperationalError, match="password authentication failed"),
        stack.postgres.connect(password="wrong"),
    ):
        pytest.fail("let in")


def test_kafka_refuses_an_unknown_user_and_a_wrong_password(stack: Stack) -> None:
    assert login_error(stack.kafka, "nobody", "whatever") == KafkaError._AUTHENTICATION
    assert login_error(stack.kafka, "admin", "wrong") == KafkaError._AUTHENTICATION


def test_kafka_denies_what_no_acl_allows(stack: Stack) -> None:
    make_topic(stack.kafka, "denied")
    make_user(stack.kafka, "stranger", "strangers-password")
    errors: list[KafkaError | None] = []
    producer = Producer({**stack.kafka.client_config("stranger", "strangers-password"), "acks": "all"})
    producer.produce("denied", b"x", on_delivery=lambda error, _: errors.append(error))
    producer.flush(20)
    assert [error and error.code() for error in errors] == [KafkaError.TOPIC_AUTHORIZATION_FAILED]


def test_kafka_makes_no_topic_by_itself(stack: Stack) -> None:
    errors: list[KafkaError | None] = []
    producer = Producer({**stack.kafka.client_config(), "message.timeout.ms": 3000})
    producer.produce("mistyped", b"x", on_delivery=lambda error, _: errors.append(error))
    producer.flush(20)
    assert len(errors) == 1
    assert "mistyped" not in AdminClient(stack.kafka.client_config()).list_topics(timeout=10).topics


def test_the_registry_answers_nothing_to_who_does_not_log_in(stack: Stack) -> None:
    for path in ("", "/subjects", "/config"):
        assert httpx.get(f"{stack.registry.url}{path}").status_code == 401
    assert httpx.get(f"{stack.registry.url}/subjects", auth=("client", "wrong")).status_code == 401


def test_the_registrys_client_reads_but_does_not_write(stack: Stack) -> None:
    assert register(stack.registry, "admin", "guarded-value", SCHEMA).status_code == 200
    assert get(stack.registry, "client", "/subjects/guarded-value/versions/latest").status_code == 200
    assert register(stack.registry, "client", "guarded-value", SCHEMA).status_code == 403
    # A slash that is hidden in the subject must not lead around the rule.
    assert register(stack.registry, "client", "guarded%2Fvalue", SCHEMA).status_code == 403
    login = ("client", stack.registry.password("client"))
    level = {"compatibility": "NONE"}
    assert httpx.put(f"{stack.registry.url}/config", json=level, auth=login).status_code == 403
    assert httpx.delete(f"{stack.registry.url}/subjects/guarded-value", auth=login).status_code == 403


def test_the_registry_refuses_an_incompatible_schema_without_being_told_to(stack: Stack) -> None:
    assert register(stack.registry, "admin", "strict-value", SCHEMA).status_code == 200
    assert register(stack.registry, "admin", "strict-value", INCOMPATIBLE).status_code == 409


def test_cassandra_refuses_a_wrong_password(stack: Stack) -> None:
    with (
        pytest.raises(NoHostAvailable, match="incorrect"),
        CassandraSession(stack.cassandra, password="wrong"),
    ):
        pytest.fail("let in")


def test_cassandra_denies_what_was_not_granted(stack: Stack) -> None:
    with CassandraSession(stack.cassandra) as session:
        session.execute("CREATE ROLE IF NOT EXISTS stranger WITH LOGIN = true AND PASSWORD = 'strange'")
    with CassandraSession(stack.cassandra, "stranger", "strange") as session, pytest.raises(Unauthorized):
        session.execute("SELECT role FROM system_auth.roles")


def test_cassandra_calls_its_datacenter_as_the_platform_does(stack: Stack) -> None:
    with CassandraSession(stack.cassandra) as session:
        assert session.execute("SELECT data_center FROM system.local").one().data_center == "dc1"
