"""Dead letters: messages of `readings` that Spark refused, with the reason, and their way back.

A letter is named by where its message lies on the topic it came from, `partition/offset`: a query that does
a batch again may write a letter twice, and both are the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipeline.topics.producer import Counts, DirectProducer
    from pipeline.topics.reader import TopicMessage

__all__ = ["REDRIVEN_FROM", "TOPIC", "DeadLetter", "collect", "hexdump", "redrive"]

TOPIC: Final = "readings.dlq"

REDRIVEN_FROM: Final = "redriven_from"
"""Header of a message that was sent again: where the one it repeats lies, as topic/partition/offset."""

_NO_REASON: Final = "no reason given"
_BYTES_A_LINE: Final = 16


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A refused message as it came, why, and where it lay; `appended_at` is the time of its topic's broker.

    `dead_at` is when the letter was written, `times` how often.
    """

    reason: str
    topic: str
    partition: int
    offset: int
    appended_at: datetime | None
    schema_id: int | None
    key: bytes | None
    value: bytes | None
    dead_at: datetime
    times: int = 1

    @property
    def id(self) -> str:
        """Its name: partition/offset on the topic it came from."""
        return f"{self.partition}/{self.offset}"

    @property
    def place(self) -> str:
        """Where it came from."""
        return f"{self.topic}/{self.id}"


def collect(messages: Iterable[TopicMessage]) -> list[DeadLetter]:
    """Give the letters on the topic, each once, the newest first."""
    found: dict[str, DeadLetter] = {}
    for message in messages:
        letter = _letter(message)
        known = found.get(letter.place)
        found[letter.place] = letter if known is None else replace(known, times=known.times + 1)
    return sorted(found.values(), key=lambda letter: (letter.dead_at, letter.partition, letter.offset))[::-1]


def hexdump(value: bytes) -> list[str]:
    """Write bytes in lines of 16: offset, hexadecimal, and the ASCII characters among them."""
    lines = []
    for start in range(0, len(value), _BYTES_A_LINE):
        part = value[start : start + _BYTES_A_LINE]
        text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in part)  # noqa: PLR2004 - printable
        lines.append(f"{start:08x}  {part.hex(' '):<47}  {text}")
    return lines


def redrive(producer: DirectProducer, letters: Sequence[DeadLetter]) -> Counts:
    """Send the letters' messages again as they came, key and bytes, and wait until each is acknowledged.

    Of equal messages one is sent. A message that is good now gives the rows that it would have given the
    first time, because keys come from the event; one that is still refused becomes one letter more.
    """
    distinct = {(letter.key, letter.value): letter for letter in letters}
    for letter in distinct.values():
        producer.send(letter.key, letter.value, {REDRIVEN_FROM: letter.place.encode()})
    return producer.finish()


def _letter(message: TopicMessage) -> DeadLetter:
    text = {name: value.decode("utf-8", "replace") for name, value in message.headers.items()}
    millis = _number(text, "timestamp")
    partition, offset = _number(text, "partition"), _number(text, "offset")
    whole = partition is not None and offset is not None
    return DeadLetter(
        reason=text.get("reason", _NO_REASON),
        # Without coordinates, whoever wrote it, the letter stands for itself.
        topic=text.get("topic", TOPIC) if whole else TOPIC,
        partition=partition if whole and partition is not None else message.partition,
        offset=offset if whole and offset is not None else message.offset,
        appended_at=None if millis is None else datetime.fromtimestamp(millis / 1000, UTC),
        schema_id=_number(text, "schema_id"),
        key=message.key,
        value=message.value,
        dead_at=message.appended_at,
    )


def _number(text: Mapping[str, str], name: str) -> int | None:
    value = text.get(name, "")
    return int(value) if value.isdecimal() else None
