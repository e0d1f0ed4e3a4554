"""What the tests of the services ask them, in a line each."""

import socket
import struct
import time
from collections.abc import Mapping
from typing import Any

import httpx
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, Session
from cassandra.policies import WhiteListRoundRobinPolicy
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    NewTopic,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from tests.integration.containers import Cassandra, Kafka, Registry, Service

__all__ = [
    "CassandraSession",
    "begins",
    "consume",
    "consume_all",
    "ends",
    "get",
    "login_error",
    "make_topic",
    "make_user",
    "produce",
    "receive_frame",
    "register",
    "send_frame",
    "zookeeper_error",
]


def zookeeper_error(zookeeper: Service) -> int:
    """Ask for the children of the root without having logged in; return ZooKeeper's error code."""
    with socket.create_connection((zookeeper.host, zookeeper.port), timeout=10) as connection:
        # Connect: protocol 0, nothing seen, 30 s, a new session with an empty password, not read-only.
        send_frame(connection, struct.pack(">iqiqi16sb", 0, 0, 30_000, 0, 16, b"", 0))
        receive_frame(connection)
        # Request 1, getChildren (8) of "/", no watch.
        send_frame(connection, struct.pack(">iii1sb", 1, 8, 1, b"/", 0))
        _, _, error = struct.unpack(">iqi", receive_frame(connection)[:16])
        return int(error)


def make_topic(kafka: Kafka, topic: str) -> None:
    admin = AdminClient(kafka.client_config())
    admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])[topic].result(20)


def make_user(kafka: Kafka, user: str, password: str) -> None:
    admin = AdminClient(kafka.client_config())
    credential = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    change = UserScramCredentialUpsertion(user, credential, password.encode())
    admin.alter_user_scram_credentials([change])[user].result(20)


def produce(kafka: Kafka, topic: str, value: bytes) -> None:
    errors: list[KafkaError | None] = []
    producer = Producer({**kafka.client_config(), "acks": "all"})
    producer.produce(topic, value, on_delivery=lambda error, _: errors.append(error))
    producer.flush(20)
    assert errors == [None]


def consume(kafka: Kafka, topic: str) -> bytes | None:
    settings = {**kafka.client_config(), "group.id": f"reader-of-{topic}", "auto.offset.reset": "earliest"}
    consumer = Consumer(settings)
    try:
        consumer.subscribe([topic])
        message = consumer.poll(20)
        assert message is not None
        assert message.error() is None
        return message.value()
    finally:
        consumer.close()


def begins(kafka: Kafka, topic: str) -> dict[int, int]:
    """Return the first offset of each partition that is still there."""
    return {partition: first for partition, (first, _) in _watermarks(kafka, topic).items()}


def ends(kafka: Kafka, topic: str) -> dict[int, int]:
    """Return the offset that each partition gives to the next message."""
    return {partition: end for partition, (_, end) in _watermarks(kafka, topic).items()}


def _watermarks(kafka: Kafka, topic: str) -> dict[int, tuple[int, int]]:
    consumer = Consumer({**kafka.client_config(), "group.id": "t"})
    try:
        partitions = consumer.list_topics(topic, timeout=20).topics[topic].partitions
        return {
            number: consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=20)
            for number in partitions
        }
    finally:
        consumer.close()


def consume_all(kafka: Kafka, topic: str, since: Mapping[int, int] | None = None) -> list[Message]:
    """Read, as admin, each partition to its end; from these offsets, or else from its beginning."""
    marks = _watermarks(kafka, topic)
    begin = {number: first if since is None else since[number] for number, (first, _) in marks.items()}
    settings = {**kafka.client_config(), "group.id": "t", "enable.auto.commit": False}
    consumer = Consumer({**settings, "enable.partition.eof": True})
    found: list[Message] = []
    try:
        left = {number for number, first in begin.items() if first < marks[number][1]}
        consumer.assign([TopicPartition(topic, number, begin[number]) for number in left])
        while left:
            message = consumer.poll(20)
            assert message is not None
            error = message.error()
            if error is None:
                found.append(message)
            else:
                # The end, which may lie behind offsets that compaction has emptied.
                assert error.code() == KafkaError._PARTITION_EOF
                left.discard(message.partition() or 0)
        return found
    finally:
        consumer.close()


def login_error(kafka: Kafka, user: str, password: str) -> int | None:
    """Return the code of what keeps a user out, None where nothing does."""
    errors: list[KafkaError] = []
    config: dict[str, Any] = {
        **kafka.client_config(user, password),
        "error_cb": errors.append,
        "log_level": 0,
    }
    admin = AdminClient(config)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            admin.list_topics(timeout=2)
        except KafkaException:
            admin.poll(0.1)
            codes = {error.code() for error in errors}
            if KafkaError._AUTHENTICATION in codes:
                return KafkaError._AUTHENTICATION
        else:
            return None
    raise TimeoutError(f"neither let in nor refused: {errors}")


def register(registry: Registry, user: str, subject: str, schema: str) -> httpx.Response:
    return httpx.post(
        f"{registry.url}/subjects/{subject}/versions",
        json={"schema": schema},
        auth=(user, registry.password(user)),
        timeout=20,
    )


def get(registry: Registry, user: str, path: str) -> httpx.Response:
    return httpx.get(f"{registry.url}{path}", auth=(user, registry.password(user)), timeout=60)


class CassandraSession:
    """A session on one node, whatever address the node itself names."""

    def __init__(self, cassandra: Cassandra, user: str = "cassandra", password: str | None = None) -> None:
        profile = ExecutionProfile(
            load_balancing_policy=WhiteListRoundRobinPolicy([cassandra.host]), request_timeout=30
        )
        self._cluster = Cluster(
            [cassandra.host],
            port=cassandra.port,
            auth_provider=PlainTextAuthProvider(
                user, cassandra.password(user) if password is None else password
            ),
            execution_profiles={EXEC_PROFILE_DEFAULT: profile},
            connect_timeout=10,
        )

    def __enter__(self) -> Session:
        try:
            return self._cluster.connect()
        except BaseException:
            self._cluster.shutdown()
            raise

    def __exit__(self, *_: object) -> None:
        self._cluster.shutdown()


def send_frame(connection: socket.socket, body: bytes) -> None:
    """Send one of ZooKeeper's frames."""
    connection.sendall(struct.pack(">i", len(body)) + body)


def receive_frame(connection: socket.socket) -> bytes:
    """Receive one."""
    with connection.makefile("rb") as stream:
        (length,) = struct.unpack(">i", stream.read(4))
        return stream.read(length)
