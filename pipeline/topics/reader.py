"""Reading a topic from the outside: its offsets, its newest messages, and all from some time on."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from pipeline.errors import ServiceError
from pipeline.publisher import kafka_config

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from confluent_kafka import Message

    from pipeline.settings import KafkaSettings

__all__ = ["NoTopicError", "Offsets", "TopicError", "TopicMessage", "TopicReader"]

_REQUEST_SECONDS = 10
# A broker that is up gives the next messages in milliseconds; what takes so long does not come.
_SILENCE_SECONDS = 30
_AT_ONCE = 5000
_POLL_SECONDS = 0.2


class TopicError(ServiceError):
    """A topic could not be read; names the broker and the reason."""


class NoTopicError(TopicError):
    """There is no such topic."""


@dataclass(frozen=True, slots=True)
class Offsets:
    """One partition: the first offset that is still there, and the one that the next message will have."""

    first: int
    end: int


@dataclass(frozen=True, slots=True)
class TopicMessage:
    """A message as it lies on the topic; `appended_at` is the broker's time."""

    partition: int
    offset: int
    appended_at: datetime
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes]


class TopicReader:
    """Reads one topic as one user, and leaves no trace: it commits nothing. A context manager."""

    def __init__(self, settings: KafkaSettings, topic: str, group: str) -> None:
        self._topic = topic
        self._where = f"Kafka at {settings.bootstrap}"
        self._user = settings.user
        self._refused = False
        self._consumer = Consumer(
            {
                **kafka_config(settings),
                "group.id": group,
                "enable.auto.commit": False,
                "enable.partition.eof": False,
                "auto.offset.reset": "error",
                "error_cb": self._on_error,
            }
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def offsets(self) -> dict[int, Offsets]:
        """Give each partition's offsets."""
        try:
            found = self._consumer.list_topics(self._topic, timeout=_REQUEST_SECONDS).topics[self._topic]
            if found.error is not None and found.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise NoTopicError(f"{self._where} has no topic '{self._topic}'")
            if found.error is not None:
                raise TopicError(f"{self._where} does not show topic '{self._topic}': {found.error.str()}")
            return {
                number: Offsets(
                    *self._consumer.get_watermark_offsets(
                        TopicPartition(self._topic, number), timeout=_REQUEST_SECONDS
                    )
                )
                for number in sorted(found.partitions)
            }
        except KafkaException as error:
            raise self._failure(error) from None

    def offsets_at(self, instant: datetime, partitions: Mapping[int, Offsets]) -> dict[int, int]:
        """Give each partition's first offset appended at or after an instant; its end where there is none."""
        millis = int(instant.timestamp() * 1000)
        asked = [TopicPartition(self._topic, number, millis) for number in partitions]
        try:
            found = self._consumer.offsets_for_times(asked, timeout=_REQUEST_SECONDS)
        except KafkaException as error:
            raise self._failure(error) from None
        return {
            place.partition: place.offset if place.offset >= 0 else partitions[place.partition].end
            for place in found
        }

    def messages(self, begin: Mapping[int, int], end: Mapping[int, int]) -> Iterator[TopicMessage]:
        """Read each partition's messages with begin <= offset < end, each partition in its order."""
        left = {number for number in begin if begin[number] < end[number]}
        try:
            self._consumer.assign([TopicPartition(self._topic, number, begin[number]) for number in left])
            heard = time.monotonic()
            while left:
                batch = self._consumer.consume(_AT_ONCE, timeout=_POLL_SECONDS)
                for message in batch:
                    found = self._checked(message)
                    if found.partition in left and found.offset < end[found.partition]:
                        yield found
                left -= self._done(left, end)
                if batch:
                    heard = time.monotonic()
                elif time.monotonic() - heard > _SILENCE_SECONDS:
                    raise TopicError(
                        f"{self._where} gave nothing of '{self._topic}' for {_SILENCE_SECONDS} s"
                    )
            self._consumer.unassign()
        except KafkaException as error:
            raise self._failure(error) from None

    def last(self, offsets: Mapping[int, Offsets]) -> list[TopicMessage]:
        """Read the newest message of each partition that has one."""
        return list(
            self.messages(
                {number: max(there.first, there.end - 1) for number, there in offsets.items()},
                {number: there.end for number, there in offsets.items()},
            )
        )

    def _done(self, left: set[int], end: Mapping[int, int]) -> set[int]:
        """Tell which partitions are read to their end, which may be an offset that holds no message."""
        places = self._consumer.position([TopicPartition(self._topic, number) for number in left])
        return {place.partition for place in places if place.offset >= end[place.partition]}

    def _checked(self, message: Message) -> TopicMessage:
        error = message.error()
        if error is not None:
            raise TopicError(f"{self._where} cannot read on in '{self._topic}': {error.str()}")
        _, millis = message.timestamp()
        partition, offset = message.partition(), message.offset()
        headers: Any = dict(message.headers() or [])
        if partition is None or offset is None:
            raise TopicError(f"{self._where} gave a message of '{self._topic}' without a place")
        return TopicMessage(
            partition=partition,
            offset=offset,
            appended_at=datetime.fromtimestamp(millis / 1000, UTC),
            key=message.key(),
            value=message.value(),
            headers=headers,
        )

    def _failure(self, error: KafkaException) -> TopicError:
        # Only when asked does librdkafka tell what kept it out.
        self._consumer.poll(0)
        if self._refused:
            return TopicError(f"{self._where} refused the password of user '{self._user}'")
        return TopicError(f"{self._where} cannot be asked about '{self._topic}': {error.args[0].str()}")

    def _on_error(self, error: KafkaError) -> None:
        self._refused = self._refused or error.code() == KafkaError._AUTHENTICATION  # noqa: SLF001 - its name
