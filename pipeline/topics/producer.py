"""Producing readings past the history, as the Kafka user `devices`: each message's fate is counted."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from pipeline.errors import DeliveryError, RefusedError
from pipeline.publisher import TOPIC, kafka_config

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.settings import KafkaSettings

__all__ = ["USER", "Counts", "DirectProducer"]

USER = "devices"
"""Kafka's user for all of this."""

_DELIVERY_TIMEOUT_MS = 30_000
_LOGIN_SECONDS = 5
_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Counts:
    """Messages handed over, acknowledged by all in-sync replicas, failed; `reason` is the last failure."""

    sent: int = 0
    acknowledged: int = 0
    failed: int = 0
    reason: str = ""


class DirectProducer:
    """A producer to the topic of the readings, for devices; a context manager.

    `options` are librdkafka's. A message that is not acknowledged is counted as failed and never sent again.
    Raises DeliveryError when the broker cannot be reached, RefusedError when it will not have us.
    """

    def __init__(self, kafka: KafkaSettings, options: Mapping[str, Any] | None = None) -> None:
        self._where = f"Kafka at {kafka.bootstrap}"
        self._user = kafka.user
        self._refused = False
        self.counts = Counts()
        self._producer = Producer(
            {
                **kafka_config(kafka),
                # What is sent twice is counted once, by its id, and the order of readings changes nothing. An
                # idempotent producer would wait for one answer before the next request, or, with several
                # under way, its thread in librdkafka polls without a pause: a whole core.
                "enable.idempotence": False,
                "acks": "all",
                "delivery.timeout.ms": _DELIVERY_TIMEOUT_MS,
                # A reading is to be seen at once; those that wait for the broker share a request anyway.
                "linger.ms": 0,
                "error_cb": self._on_error,
                **(options or {}),
            }
        )

    def __enter__(self) -> Self:
        """Log in: a broker that is away, or a wrong password, is told before anything is sent."""
        try:
            self._producer.list_topics(TOPIC, timeout=_LOGIN_SECONDS)
        except KafkaException as error:
            self._producer.poll(0)
            if self._refused:
                raise RefusedError(f"{self._where} refused the password of user '{self._user}'") from None
            raise DeliveryError(f"{self._where} cannot be reached: {error.args[0].str()}") from None
        return self

    def __exit__(self, *_: object) -> None:
        self._producer.purge()
        self._producer.flush(1)

    def send(
        self, key: bytes | None, value: bytes | None, headers: Mapping[str, bytes] | None = None
    ) -> None:
        """Hand a message over; waits only while the queue is full."""
        while True:
            try:
                self._producer.produce(
                    TOPIC, key=key, value=value, headers=dict(headers or {}), on_delivery=self._on_delivery
                )
                break
            except BufferError:
                self._producer.poll(_POLL_SECONDS)
            except KafkaException as error:
                # What librdkafka does not even take, such as a message that is too large.
                raise RefusedError(f"{self._where} refused: {error.args[0].str()}") from None
        self.counts = replace(self.counts, sent=self.counts.sent + 1)
        self._producer.poll(0)

    def poll(self, seconds: float) -> None:
        """Hear of deliveries, for so long at most."""
        self._producer.poll(seconds)

    def finish(self, tell: Callable[[Counts], None] = lambda _: None) -> Counts:
        """Wait for every answer and give the counts; what has none within the timeout never will."""
        end = time.monotonic() + _DELIVERY_TIMEOUT_MS / 1000 + 5
        while len(self._producer) and time.monotonic() < end:
            self._producer.poll(_POLL_SECONDS)
            tell(self.counts)
        if left := self.counts.sent - self.counts.acknowledged - self.counts.failed:
            reason = self.counts.reason or "no answer in time"
            self.counts = replace(self.counts, failed=self.counts.failed + left, reason=reason)
        return self.counts

    def _on_delivery(self, error: KafkaError | None, _: Message) -> None:
        if error is None:
            self.counts = replace(self.counts, acknowledged=self.counts.acknowledged + 1)
        else:
            self.counts = replace(self.counts, failed=self.counts.failed + 1, reason=error.str())

    def _on_error(self, error: KafkaError) -> None:
        self._refused = self._refused or error.code() == KafkaError._AUTHENTICATION  # noqa: SLF001 - its name
