"""The way into Kafka: readings as framed Avro, each acknowledged by the broker or named in an error."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from confluent_kafka.schema_registry import topic_subject_name_strategy
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext, SerializationError

from pipeline.errors import DeliveryError, RefusedError, RegistryError
from pipeline.registry import UNREACHABLE, Registry
from pipeline.schemas import schema_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from pipeline.readings import Reading
    from pipeline.settings import KafkaSettings, RegistrySettings

__all__ = ["READING_SCHEMA", "TOPIC", "Publisher", "kafka_config"]

TOPIC = "readings"
READING_SCHEMA = "reading.v2.avsc"

# Within this a leader that was killed has a successor (4 to 8 s); after it the rows stay in the outbox.
_DELIVERY_TIMEOUT_MS = 30_000
# A broker that starts, or that has just learnt a user, may refuse once; twice in a row is a wrong password.
_AUTHENTICATION_FAILURES = 2
_POLL_SECONDS = 0.1

# Causes that the next try meets again; everything else may pass.
_LASTING = frozenset(
    {
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.INVALID_RECORD,
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._AUTHENTICATION,  # noqa: SLF001 - librdkafka's own codes have this name
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001
    }
)


def kafka_config(settings: KafkaSettings) -> dict[str, Any]:
    """Give librdkafka's connection settings of a user."""
    return {
        "bootstrap.servers": settings.bootstrap,
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": settings.user,
        "sasl.password": settings.password.get_secret_value(),
        "client.id": f"galewatch-{settings.user}",
        # Critical only: what goes wrong reaches people through exceptions, once and in one sentence.
        "log_level": 2,
        "log.connection.close": False,
    }


@dataclass(slots=True)
class _Round:
    """What became of the readings of one call."""

    outstanding: int = 0
    acknowledged: set[str] = field(default_factory=set)
    failed: list[tuple[int, KafkaError]] = field(default_factory=list)


class Publisher:
    """An idempotent producer as one user; a context manager that closes it.

    It must be made in the process that uses it: librdkafka does not survive a fork.
    """

    def __init__(self, kafka: KafkaSettings, registry: RegistrySettings, *, topic: str = TOPIC) -> None:
        self._topic = topic
        self._address = kafka.bootstrap
        self._user = kafka.user
        self._authentication_failures = 0
        self._trouble: KafkaError | None = None
        self._registry = Registry(registry)
        self._serialize = AvroSerializer(
            self._registry.client,
            schema_text(READING_SCHEMA),
            conf={
                "auto.register.schemas": False,
                "use.latest.version": False,
                # The default asks the registry for "associations" first, which Apicurio does not know: it
                # answers 404 or, in 3 of 16 tries soon after its start, nothing at all.
                "subject.name.strategy": topic_subject_name_strategy,
            },
        )
        self._context = SerializationContext(topic, MessageField.VALUE)
        self._producer = Producer(
            {
                **kafka_config(kafka),
                "enable.idempotence": True,
                "acks": "all",
                "delivery.timeout.ms": _DELIVERY_TIMEOUT_MS,
                "linger.ms": 5,
                "compression.type": "lz4",
                "error_cb": self._on_error,
            }
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Forget what is still queued and close the connections."""
        self._producer.purge()
        self._producer.flush(1)
        self._registry.close()

    def publish(self, readings: Sequence[Reading]) -> frozenset[str]:
        """Send readings and wait until each is acknowledged by all in-sync replicas; returns their event ids.

        Raises RegistryError, before anything is sent, if the schema is not registered or the registry is
        away; DeliveryError, which names topic, partition and reason, and carries what was acknowledged
        nevertheless, if any reading was not.
        """
        messages = [(reading, self._encoded(reading)) for reading in readings]
        this = _Round()
        for reading, value in messages:
            self._send(reading, value, this)
        deadline = time.monotonic() + _DELIVERY_TIMEOUT_MS / 1000 + 5
        while this.outstanding and time.monotonic() < deadline:
            try:
                self._producer.poll(_POLL_SECONDS)
            except KafkaException as error:
                # What ends an idempotent producer for good, such as no right to write anything at all.
                this.failed.append((-1, error.args[0]))
                break
            if self._authentication_failures >= _AUTHENTICATION_FAILURES:
                self._producer.purge()
                self._producer.flush(1)
                raise RefusedError(
                    f"Kafka at {self._address} refused the password of user '{self._user}': "
                    f"{this.outstanding} readings not published to topic '{self._topic}'",
                    frozenset(this.acknowledged),
                )
        if this.failed or this.outstanding:
            raise self._undelivered(this, len(readings))
        return frozenset(this.acknowledged)

    def _encoded(self, reading: Reading) -> bytes:
        try:
            encoded: bytes = self._serialize(reading.to_avro(), self._context)
        except SchemaRegistryError as error:
            raise RegistryError(
                f"the Schema Registry gives no id of {READING_SCHEMA} for subject '{self._topic}-value' "
                f"({error.http_status_code}: {error.error_message}): nothing published"
            ) from None
        except UNREACHABLE as error:
            raise RegistryError(
                f"the Schema Registry cannot be reached: {error}: nothing published"
            ) from None
        except SerializationError as error:
            raise RefusedError(f"reading {reading.event_id} does not fit {READING_SCHEMA}: {error}") from None
        return encoded

    def _send(self, reading: Reading, value: bytes, this: _Round) -> None:
        event_id = reading.event_id

        def on_delivery(error: KafkaError | None, message: Message) -> None:
            this.outstanding -= 1
            if error is None:
                this.acknowledged.add(event_id)
            else:
                partition = message.partition()
                this.failed.append((-1 if partition is None else partition, error))

        while True:
            try:
                self._producer.produce(
                    self._topic, key=reading.station_id.encode(), value=value, on_delivery=on_delivery
                )
            except BufferError:
                # The queue is full: let the broker take some of it.
                self._producer.poll(_POLL_SECONDS)
                continue
            except KafkaException as error:
                this.failed.append((-1, error.args[0]))
                return
            this.outstanding += 1
            self._producer.poll(0)
            return

    def _undelivered(self, this: _Round, given: int) -> DeliveryError:
        # Nothing may leave later: its row waits for the next run, which would send it a second time.
        self._producer.purge()
        if this.failed:
            partition, error = this.failed[0]
            place = f"partition {partition}" if partition >= 0 else "no partition"
            reason = error.str()
            lasting = all(error.code() in _LASTING for _, error in this.failed)
        else:
            place, reason, lasting = "no partition", "no answer in time", False
        if self._trouble is not None and not lasting:
            reason += f"; last trouble: {self._trouble.str()}"
        kind = RefusedError if lasting else DeliveryError
        return kind(
            f"Kafka at {self._address} did not acknowledge {given - len(this.acknowledged)} of "
            f"{given} readings for topic '{self._topic}' ({place}): {reason}",
            frozenset(this.acknowledged),
        )

    def _on_error(self, error: KafkaError) -> None:
        self._trouble = error
        if error.code() == KafkaError._AUTHENTICATION:  # noqa: SLF001 - librdkafka's own code
            self._authentication_failures += 1
