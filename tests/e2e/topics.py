"""The broker and the registry of an environment, asked and fed directly."""

from __future__ import annotations

import json
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from tests.e2e.stack import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.e2e.stack import Stack

__all__ = [
    "Place",
    "Registered",
    "dead_letters",
    "emptied",
    "is_assigned",
    "produce",
    "read_all",
    "register",
    "registered",
    "versions",
]

_PATIENCE_S = 60


class Place(NamedTuple):
    """Where a message lies, and when the broker appended it (ms since 1970)."""

    partition: int
    offset: int
    appended_ms: int


class Registered(NamedTuple):
    """A version of a schema, with its id."""

    schema_id: int
    schema: Any


def produce(stack: Stack, messages: Sequence[tuple[str, bytes | None]]) -> list[Place]:
    """Write keys and values to `readings` as a device does, and give where each lies."""
    places: dict[int, Place] = {}
    producer = Producer({**_login(stack, "devices"), "acks": "all", "enable.idempotence": True})
    for number, (key, value) in enumerate(messages):

        def delivered(error: Any, message: Message, number: int = number) -> None:
            assert error is None, error
            partition, offset = message.partition(), message.offset()
            assert partition is not None
            assert offset is not None
            places[number] = Place(partition, offset, message.timestamp()[1])

        producer.produce("readings", key=key.encode(), value=value, on_delivery=delivered)
    assert producer.flush(_PATIENCE_S) == 0
    return [places[number] for number in range(len(messages))]


def read_all(stack: Stack, topic: str) -> list[Message]:
    """Read everything that is on a topic at this moment, as the reader."""
    consumer = Consumer(
        {
            **_login(stack, "reader"),
            "group.id": f"galewatch-reader-{uuid.uuid4()}",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        }
    )
    found: list[Message] = []
    try:
        partitions = consumer.list_topics(topic, _PATIENCE_S).topics[topic].partitions
        for partition in partitions:
            first, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), _PATIENCE_S)
            consumer.assign([TopicPartition(topic, partition, first)])
            while end > first:
                message = consumer.poll(_PATIENCE_S)
                assert message is not None, f"{topic}/{partition} holds nothing at {first}"
                assert message.error() is None, message.error()
                found.append(message)
                first = (message.offset() or 0) + 1
    finally:
        consumer.close()
    return found


def dead_letters(stack: Stack) -> list[tuple[Place, str, bytes | None, dict[str, str]]]:
    """Give where each dead letter's message lay, its key, its bytes and its headers.

    A query that begins anew sends letters again, so one place may come more than once.
    """
    found = []
    for message in read_all(stack, "readings.dlq"):
        pairs: Any = message.headers() or []
        headers = {name: value.decode() for name, value in pairs if value is not None}
        place = Place(int(headers["partition"]), int(headers["offset"]), int(headers["timestamp"]))
        key: Any = message.key()
        found.append((place, key.decode(), message.value(), headers))
    return found


@contextmanager
def emptied(stack: Stack, topic: str, writer: str) -> Iterator[None]:
    """Take all messages from a topic, and afterwards let its writer send them again."""
    messages = read_all(stack, topic)
    partitions = {message.partition() for message in messages}
    admin = AdminClient(_login(stack, "admin"))
    ends = [TopicPartition(topic, number, -1) for number in partitions]  # type: ignore[arg-type]
    for deleted in admin.delete_records(ends).values():
        deleted.result(_PATIENCE_S)
    try:
        yield
    finally:
        producer = Producer({**_login(stack, writer), "acks": "all", "enable.idempotence": True})
        for one in messages:
            producer.produce(topic, one.value(), one.key(), one.partition(), headers=one.headers())  # type: ignore[arg-type]
        assert producer.flush(_PATIENCE_S) == 0
    assert len(messages) <= len(read_all(stack, topic))


def is_assigned(stack: Stack, schema_id: int) -> bool:
    """Tell whether the registry knows a schema of an id."""
    answer = _answer(stack, "GET", f"/schemas/ids/{schema_id}", "client")
    assert answer.status_code in {200, 404}, answer.text
    return answer.status_code == 200


def registered(stack: Stack, subject: str, version: int | str = "latest") -> Registered:
    """Give a version of a subject's schema."""
    answer = _registry(stack, "GET", f"/subjects/{subject}/versions/{version}", "client")
    return Registered(int(answer["id"]), json.loads(answer["schema"]))


def versions(stack: Stack, subject: str) -> list[int]:
    """List the versions of a subject."""
    found: list[int] = _registry(stack, "GET", f"/subjects/{subject}/versions", "client")
    return found


def register(stack: Stack, subject: str, schema: Any) -> Registered:
    """Register one more version, which the registry finds compatible."""
    body = {"schema": json.dumps(schema)}
    answer = _registry(stack, "POST", f"/subjects/{subject}/versions", "admin", body)
    return Registered(int(answer["id"]), schema)


def _registry(stack: Stack, method: str, path: str, user: str, body: Any = None) -> Any:
    answer = _answer(stack, method, path, user, body)
    assert answer.is_success, answer.text
    return answer.json()


def _answer(stack: Stack, method: str, path: str, user: str, body: Any = None) -> httpx.Response:
    root = f"http://{LOOPBACK}:{stack.port('schema_registry')}{stack.platform.schema_registry.path}"
    return httpx.request(
        method,
        f"{root}{path}",
        json=body,
        auth=(user, stack.password(f"registry_{user}")),
        timeout=20,
        trust_env=False,
    )


def _login(stack: Stack, user: str) -> dict[str, Any]:
    return {
        "bootstrap.servers": f"{LOOPBACK}:{stack.port('kafka')}",
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": user,
        "sasl.password": stack.password(f"kafka_{user}"),
        "log_level": 2,
    }
