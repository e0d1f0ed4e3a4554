"""The one-shot jobs on real services: they converge from anywhere, and a second run changes nothing.

Cassandra's locks the built-in superuser out, so it has a node that no other test shares.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest
from confluent_kafka import KafkaError
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType
from psycopg2 import sql

from pipeline.errors import JobError, SchemaError
from pipeline.infra.layout import PROJECT_ROOT
from pipeline.jobs import airflow_migrate
from pipeline.platform import Platform, load_platform
from tests.integration.clients import CassandraSession, login_error, make_user
from tests.integration.containers import Cassandra
from tests.integration.environment import Environment
from tests.integration.platform_jobs import (
    run_airflow_migrate,
    run_cassandra,
    run_history,
    run_kafka,
    run_postgres,
    run_schemas,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.containers import Kafka, Postgres, Registry

pytestmark = pytest.mark.engine

# Partitions of a topic whose deletion takes longer than all else that the job does before.
MANY = 400


def changed(section: str, **values: Any) -> Platform:
    """Give the platform with other facts in one of its sections."""
    platform = load_platform()
    return platform.model_copy(update={section: getattr(platform, section).model_copy(update=values)})


# PostgreSQL


def test_postgres_has_every_database_with_its_owner_and_a_second_run_changes_nothing(
    postgres: Postgres,
) -> None:
    run_postgres(postgres)
    assert run_postgres(postgres) == []
    with postgres.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT datname, pg_get_userbyid(datdba) FROM pg_database")
        owners = dict(cursor.fetchall())
    for name, database in load_platform().postgres.databases.items():
        assert owners[name] == database.owner


def test_a_role_without_its_database_is_a_half_done_run_that_is_completed(postgres: Postgres) -> None:
    run_postgres(postgres)
    with postgres.connect() as connection, connection.cursor() as cursor:
        cursor.execute("DROP DATABASE airflow WITH (FORCE)")
    assert run_postgres(postgres) == ["database airflow: created for airflow"]


def test_a_password_that_changed_is_set_anew(postgres: Postgres) -> None:
    run_postgres(postgres)
    old = postgres.environment.password("postgres_reader")
    postgres.environment.set_password("postgres_reader", "another-password")
    try:
        assert run_postgres(postgres) == ["role reader: password set anew"]
        with postgres.connect("reader", "history"):
            pass
    finally:
        postgres.environment.set_password("postgres_reader", old)
        run_postgres(postgres)


def test_a_role_enters_only_the_databases_that_are_its_own(postgres: Postgres) -> None:
    run_postgres(postgres)
    for user, database in (("reader", "airflow"), ("airflow", "history"), ("history", "registry")):
        with (
            pytest.raises(psycopg2.OperationalError, match="permission denied for database"),
            postgres.connect(user, database),
        ):
            pass


def test_a_wrong_superuser_password_is_a_sentence_at_once(postgres: Postgres) -> None:
    old = postgres.environment.password("postgres_superuser")
    postgres.environment.set_password("postgres_superuser", "not-to-be-shown")
    try:
        with pytest.raises(JobError, match="secret postgres_superuser is not the one") as raised:
            run_postgres(postgres)
    finally:
        postgres.environment.set_password("postgres_superuser", old)
    assert "not-to-be-shown" not in str(raised.value)


def test_the_historys_reader_selects_and_nothing_more(postgres: Postgres) -> None:
    run_postgres(postgres)
    run_history(postgres)
    assert run_history(postgres) == []
    with postgres.connect("reader", "history") as connection, connection.cursor() as cursor:
        for table in ("readings", "rejected_readings", "stations", "schema_migrations"):
            cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)))
        for statement in ("DELETE FROM readings", "CREATE TABLE t (a int)", "UPDATE stations SET name = 'x'"):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute(statement)


# Airflow


@pytest.fixture
def airflow(postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let the job find Airflow, and Airflow its database, as in its image; give the database's password."""
    run_postgres(postgres)
    programs = PROJECT_ROOT / ".venv-airflow" / "bin"
    assert programs.exists(), "there is no .venv-airflow: `make test` makes it"
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    password = postgres.password("airflow")
    address = f"airflow:{password}@{postgres.host}:{postgres.port}"
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", f"postgresql+psycopg2://{address}/airflow")
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC", "")
    return password


def test_airflows_tables_are_there_and_a_second_run_changes_none(
    postgres: Postgres, airflow: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ["the metadata database is migrated"] == run_airflow_migrate(postgres)
    before = tables_of_airflow(postgres)
    assert {"dag", "dag_run", "task_instance"} <= before.keys()
    assert run_airflow_migrate(postgres)
    assert before == tables_of_airflow(postgres)
    # Another database than the one that the job has looked at.
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql+psycopg2://localhost:1/airflow")
    with pytest.raises(JobError, match="`airflow db migrate` failed: ") as raised:
        run_airflow_migrate(postgres)
    assert airflow not in str(raised.value)


def test_a_migration_that_does_not_end_is_ended(
    postgres: Postgres, airflow: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(airflow_migrate, "_TIMEOUT_SECONDS", 0.1)
    with pytest.raises(JobError, match=r"`airflow db migrate` did not end within 0\.1 s") as raised:
        run_airflow_migrate(postgres)
    assert airflow not in str(raised.value)


def tables_of_airflow(postgres: Postgres) -> dict[str, int]:
    """Give the tables of Airflow's database by name, with PostgreSQL's own number of each."""
    with postgres.connect(database="airflow") as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        return dict(cursor.fetchall())


# Kafka


def test_kafka_has_users_rights_and_topics_and_a_second_run_changes_nothing(kafka: Kafka) -> None:
    run_kafka(kafka)
    assert run_kafka(kafka) == []
    admin = AdminClient(kafka.client_config())
    there = admin.list_topics(timeout=10).topics
    for name, topic in load_platform().kafka.topics.items():
        assert len(there[name].partitions) == topic.partitions
        (answer,) = admin.describe_configs([ConfigResource(ResourceType.TOPIC, name)]).values()
        config = answer.result(10)
        assert {key: config[key].value for key in topic.config} == dict(topic.config)
    for user in load_platform().kafka.users:
        assert login_error(kafka, user, kafka.password(user)) is None


def test_a_user_sees_only_the_topics_that_it_has_rights_on(kafka: Kafka) -> None:
    run_kafka(kafka)
    for user, expected in (
        ("publisher", {"readings"}),
        ("alerts", {"readings", "alerts"}),
        ("tables", {"readings", "readings.dlq"}),
        ("reader", {"readings", "readings.dlq", "alerts"}),
    ):
        admin = AdminClient(kafka.client_config(user))
        assert set(admin.list_topics(timeout=10).topics) == expected


def test_a_user_or_right_that_is_not_declared_is_taken_away(kafka: Kafka) -> None:
    run_kafka(kafka)
    make_user(kafka, "stranger", "some-password")
    users = dict(load_platform().kafka.users)
    more = users["publisher"].model_copy(update={"write": ("readings", "alerts")})
    assert sorted(run_kafka(kafka, changed("kafka", users={**users, "publisher": more}))) == [
        "right granted: User:publisher may DESCRIBE topic alerts",
        "right granted: User:publisher may WRITE topic alerts",
        "user stranger: removed, platform.yaml does not name it",
    ]
    assert sorted(run_kafka(kafka)) == [
        "right taken away: User:publisher may DESCRIBE topic alerts",
        "right taken away: User:publisher may WRITE topic alerts",
    ]
    assert login_error(kafka, "stranger", "some-password") == KafkaError._AUTHENTICATION


def test_a_changed_password_of_kafka_is_set_anew(kafka: Kafka) -> None:
    run_kafka(kafka)
    old = kafka.password("reader")
    kafka.environment.set_password("kafka_reader", "another-password")
    try:
        assert run_kafka(kafka) == ["user reader: password set anew"]
        assert login_error(kafka, "reader", old) == KafkaError._AUTHENTICATION
    finally:
        kafka.environment.set_password("kafka_reader", old)
        run_kafka(kafka)


def test_a_topic_grows_and_its_configuration_follows_but_it_never_shrinks(kafka: Kafka) -> None:
    run_kafka(kafka)
    topics = dict(load_platform().kafka.topics)
    name = "t-grows"
    admin = AdminClient(kafka.client_config())
    old = NewTopic(name, 1, 1, config={"retention.ms": "1000", "max.message.bytes": "9999"})
    admin.create_topics([old])[name].result(10)
    wanted = topics["alerts"].model_copy(update={"partitions": 3, "config": {"retention.ms": "2000"}})
    platform = changed("kafka", topics={**topics, name: wanted})
    assert sorted(run_kafka(kafka, platform)) == [
        "topic t-grows: grown from 1 to 3 partitions",
        "topic t-grows: max.message.bytes back to its default",
        "topic t-grows: retention.ms 2000",
    ]
    assert run_kafka(kafka, platform) == []
    smaller = changed("kafka", topics={name: wanted.model_copy(update={"partitions": 2})})
    with pytest.raises(JobError, match=r"'t-grows' has 3 partitions, but platform.yaml says 2"):
        run_kafka(kafka, smaller)


def test_a_topic_that_is_still_being_deleted_is_waited_for(kafka: Kafka) -> None:
    """Kafka hides it at once, and keeps its name until the last of its many partitions is gone."""
    run_kafka(kafka)
    topics = dict(load_platform().kafka.topics)
    name = "t-deleted"
    admin = AdminClient(kafka.client_config())
    admin.create_topics([NewTopic(name, MANY, 1)])[name].result(60)
    admin.delete_topics([name], operation_timeout=60)[name].result(70)
    platform = changed("kafka", topics={**topics, name: topics["alerts"]})
    partitions = topics["alerts"].partitions
    assert run_kafka(kafka, platform) == [f"topic {name}: created, {partitions} partitions, 1 replicas"]
    assert partitions == len(admin.list_topics(name, timeout=10).topics[name].partitions)


def test_a_wrong_admin_password_is_a_sentence_at_once(kafka: Kafka) -> None:
    old = kafka.password("admin")
    kafka.environment.set_password("kafka_admin", "not-to-be-shown")
    try:
        with pytest.raises(JobError, match="secret kafka_admin is not the one") as raised:
            run_kafka(kafka)
    finally:
        kafka.environment.set_password("kafka_admin", old)
    assert "not-to-be-shown" not in str(raised.value)


# The Schema Registry


def test_every_subject_has_its_schema_and_level_and_a_second_run_changes_nothing(registry: Registry) -> None:
    run_schemas(registry)
    assert run_schemas(registry) == []


def test_a_schema_that_the_gate_objects_to_fails_the_job_before_anything_is_registered(
    registry: Registry,
) -> None:
    run_schemas(registry)
    swapped = changed("schema_registry", subjects={"readings-value": ("alert.v1.avsc",)})
    with pytest.raises(SchemaError, match=r"the first: reading\.v1\.avsc /: undeclared"):
        run_schemas(registry, swapped)
    assert run_schemas(registry) == []


# Cassandra


@pytest.fixture(scope="module")
def own_cassandra() -> Iterator[Cassandra]:
    """A node that other tests do not share: the job locks its built-in superuser out."""
    with Environment() as environment, Cassandra(environment) as service:
        yield service


def test_cassandra_from_its_birth_to_a_second_run_that_changes_nothing(own_cassandra: Cassandra) -> None:
    said = run_cassandra(own_cassandra)
    assert said[:2] == ["role admin: created as superuser", "role cassandra: disabled"]
    assert "table alerts_by_station: created" in said
    assert run_cassandra(own_cassandra) == []


def test_the_built_in_superuser_is_refused_afterwards(own_cassandra: Cassandra) -> None:
    run_cassandra(own_cassandra)
    with pytest.raises(Exception, match=r"Provided username cassandra and/or password are incorrect"):
        CassandraSession(own_cassandra, "cassandra", "cassandra").__enter__()


def test_a_half_done_run_of_cassandra_is_completed(own_cassandra: Cassandra) -> None:
    run_cassandra(own_cassandra)
    with CassandraSession(own_cassandra, "admin") as opened:
        # As if it had stopped after the admin: the built-in superuser is back, a table, a column of a
        # later version and a right are missing.
        opened.execute("ALTER ROLE cassandra WITH LOGIN = true AND SUPERUSER = true")
        opened.execute("DROP TABLE galewatch.latest_by_station")
        opened.execute("ALTER TABLE galewatch.readings_by_station DROP quality")
        opened.execute("REVOKE MODIFY ON KEYSPACE galewatch FROM spark")
        opened.execute("GRANT MODIFY ON KEYSPACE galewatch TO reader")
    assert run_cassandra(own_cassandra) == [
        "role cassandra: disabled",
        "table latest_by_station: created",
        "table readings_by_station: given quality",
        "role spark: may MODIFY in keyspace galewatch",
        "role reader: may no longer MODIFY in keyspace galewatch",
    ]


def test_a_lost_admin_password_is_a_sentence(own_cassandra: Cassandra) -> None:
    run_cassandra(own_cassandra)
    old = own_cassandra.password("admin")
    own_cassandra.environment.set_password("cassandra_admin", "not-to-be-shown")
    try:
        with pytest.raises(JobError, match="secret cassandra_admin is not the one") as raised:
            run_cassandra(own_cassandra, deadline_seconds=3)
    finally:
        own_cassandra.environment.set_password("cassandra_admin", old)
    assert "not-to-be-shown" not in str(raised.value)
