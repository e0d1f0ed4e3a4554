"""Producing at a steady rate, whatever the broker does: an open loop, with each reading's fate counted."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, Self

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from pipeline.errors import DeliveryError, RefusedError
from pipeline.publisher import TOPIC, kafka_config

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event

    from pipeline.readings import Reading
    from pipeline.settings import KafkaSettings
    from pipeline.simulate.fleet import Fleet

__all__ = ["Counts", "Encodes", "FleetProducer"]

_DELIVERY_TIMEOUT_MS = 30_000
_LOGIN_SECONDS = 5
# While nothing is due: how soon a stop is noticed and progress told.
_IDLE_SECONDS = 0.1
_PROGRESS_SECONDS = 0.25
# The producer's poll knows whole milliseconds only, and would spin in between.
_POLL_SECONDS = 0.001


class Encodes(Protocol):
    """Whatever turns a reading into a message."""

    def encode(self, reading: Reading) -> bytes:
        """Give the message's bytes."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How far a run is: readings handed over, acknowledged by all in-sync replicas, and failed.

    `behind_s` is the longest that a reading was handed over after it was due; `reason` is the last failure.
    """

    sent: int = 0
    acknowledged: int = 0
    failed: int = 0
    behind_s: float = 0.0
    reason: str = ""


class FleetProducer:
    """Produces a fleet's readings as one user; a context manager. Raises DeliveryError or RefusedError.

    The readings of several encoders take turns, number by number: so two versions of a schema flow at once.
    """

    def __init__(
        self, kafka: KafkaSettings, encoders: Sequence[Encodes], *, options: dict[str, Any] | None = None
    ) -> None:
        self._where = f"Kafka at {kafka.bootstrap}"
        self._user = kafka.user
        self._encoders = encoders
        self._refused = False
        self._counts = Counts()
        self._producer = Producer(
            {
                **kafka_config(kafka),
                "enable.idempotence": True,
                "acks": "all",
                "delivery.timeout.ms": _DELIVERY_TIMEOUT_MS,
                # A reading is to be seen at once; at high rates a few still share a request.
                "linger.ms": 1,
                "error_cb": self._on_error,
                **(options or {}),
            }
        )

    def __enter__(self) -> Self:
        """Log in: a broker that is away, or a wrong password, is told before anything is due."""
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

    def run(
        self,
        fleet: Fleet,
        total: int,
        stop: Event,
        *,
        on_sent: Callable[[int, Reading, float], None] | None = None,
        on_progress: Callable[[Counts], None] | None = None,
    ) -> Counts:
        """Send `total` readings, each when it is due, until `stop` is set; then wait for all answers.

        `on_sent` hears each reading's number, the reading, and time.time() of the moment it was handed over.
        A reading that is not acknowledged counts as failed and is not sent again by anybody.
        """
        self._counts = Counts()
        tell = _Teller(on_progress)
        start, began = datetime.now(UTC), time.monotonic()
        for number in range(total):
            reading = fleet.reading(number, start)
            value = self._encoders[number % len(self._encoders)].encode(reading)
            due = began + fleet.due(number)
            while (left := due - time.monotonic()) > 0 and not stop.is_set():
                self._wait(left)
                tell.now_and_then(self._counts)
            if stop.is_set():
                break
            self._hand_over(reading, value, due)
            if on_sent is not None:
                on_sent(number, reading, time.time())
            tell.now_and_then(self._counts)
        self._finish(tell)
        tell.last(self._counts)
        return self._counts

    def _wait(self, seconds: float) -> None:
        if seconds < _POLL_SECONDS:
            time.sleep(seconds)
        else:
            self._producer.poll(min(seconds, _IDLE_SECONDS))

    def _hand_over(self, reading: Reading, value: bytes, due: float) -> None:
        while True:
            try:
                self._producer.produce(
                    TOPIC, key=reading.station_id.encode(), value=value, on_delivery=self._on_delivery
                )
                break
            except BufferError:
                # The broker does not keep up. What is due later will be late, and `behind_s` says so.
                self._producer.poll(_IDLE_SECONDS)
            except KafkaException as error:
                # What ends an idempotent producer for good.
                raise RefusedError(f"{self._where} refused: {error.args[0].str()}") from None
        behind = max(self._counts.behind_s, time.monotonic() - due)
        self._counts = replace(self._counts, sent=self._counts.sent + 1, behind_s=behind)
        self._producer.poll(0)

    def _finish(self, tell: _Teller) -> None:
        """Wait for every answer; what has none by then never will."""
        end = time.monotonic() + _DELIVERY_TIMEOUT_MS / 1000 + 5
        while len(self._producer) and time.monotonic() < end:
            self._producer.poll(_IDLE_SECONDS)
            tell.now_and_then(self._counts)
        if left := self._counts.sent - self._counts.acknowledged - self._counts.failed:
            self._counts = replace(
                self._counts, failed=self._counts.failed + left, reason=self._counts.reason or "no answer"
            )

    def _on_delivery(self, error: KafkaError | None, _: Message) -> None:
        if error is None:
            self._counts = replace(self._counts, acknowledged=self._counts.acknowledged + 1)
        else:
            self._counts = replace(self._counts, failed=self._counts.failed + 1, reason=error.str())

    def _on_error(self, error: KafkaError) -> None:
        self._refused = self._refused or error.code() == KafkaError._AUTHENTICATION  # noqa: SLF001 - its name


class _Teller:
    """Tells progress a few times a second."""

    def __init__(self, tell: Callable[[Counts], None] | None) -> None:
        self._tell = tell
        self._told = 0.0

    def now_and_then(self, counts: Counts) -> None:
        if self._tell is not None and time.monotonic() - self._told > _PROGRESS_SECONDS:
            self._told = time.monotonic()
            self._tell(counts)

    def last(self, counts: Counts) -> None:
        if self._tell is not None:
            self._tell(counts)
