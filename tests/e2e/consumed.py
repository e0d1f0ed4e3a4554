"""What a plain consumer finds on the topics, decoded for the oracle by other means than the product's."""

from __future__ import annotations

import io
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import fastavro

from pipeline.oracle import Poison, Record
from tests.e2e.topics import Place, read_all, registered, versions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from confluent_kafka import Message

    from tests.e2e.stack import Stack

__all__ = ["content", "decoded", "messages_of", "place"]

_FIELDS = frozenset(field.name for field in fields(Record))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def messages_of(stack: Stack, topic: str, prefix: str) -> list[Message]:
    """Read all messages of a topic that are of stations of a prefix, by their keys."""
    return [one for one in read_all(stack, topic) if content(one)[0].startswith(f"{prefix}-")]


def decoded(stack: Stack, messages: Mapping[Place, Message]) -> Iterator[Record | Poison]:
    """Decode messages by their writers' schemas; what would not be written so again is poison."""
    known = {
        one.schema_id: fastavro.parse_schema(one.schema)
        for one in (
            registered(stack, "readings-value", version) for version in versions(stack, "readings-value")
        )
    }
    for at, message in messages.items():
        value = message.value() or b""
        schema = known.get(int.from_bytes(value[1:5])) if value[:1] == b"\x00" and len(value) >= 5 else None
        told = None if schema is None else _decoded(value[5:], schema)
        appended_at = _EPOCH + timedelta(milliseconds=at.appended_ms)
        if told is None:
            yield Poison("no reading", at.partition, at.offset, appended_at)
        else:
            of_ours = {name: value for name, value in told.items() if name in _FIELDS}
            yield Record(**of_ours, appended_at=appended_at, partition=at.partition, offset=at.offset)


def _decoded(body: bytes, schema: Any) -> dict[str, Any] | None:
    try:
        told: Any = fastavro.schemaless_reader(io.BytesIO(body), schema, None)
        again = io.BytesIO()
        fastavro.schemaless_writer(again, schema, told)
    except Exception:  # noqa: BLE001 - whatever bytes lead fastavro to raise
        return None
    return told if again.getvalue() == body else None


def place(message: Message) -> Place:
    """Tell where a message lies."""
    return Place(message.partition() or 0, message.offset() or 0, message.timestamp()[1])


def content(message: Message) -> tuple[str, bytes | None]:
    """Give a message's key and bytes."""
    key: Any = message.key() or b""
    return key.decode(), message.value()
