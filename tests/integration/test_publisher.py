"""Publishing to a real broker with a real registry: acknowledgements, refusals, the outbox."""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.schema_registry import topic_subject_name_strategy
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from pipeline import publisher as publisher_module
from pipeline.errors import DeliveryError, RefusedError, RegistryError
from pipeline.history import History
from pipeline.outbox import drain
from pipeline.publisher import TOPIC, Publisher
from pipeline.readings import Reading
from pipeline.registry import Registry as Client
from pipeline.settings import HistorySettings, KafkaSettings, RegistrySettings
from tests.integration.clients import make_topic
from tests.integration.platform_jobs import run_history, run_kafka, run_postgres, run_schemas
from tests.integration.services import history_of, registry_of
from tests.loads import a_load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.containers import Kafka, Postgres, Registry

pytestmark = pytest.mark.engine

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


def readings(count: int, *, at: datetime = NOW) -> list[Reading]:
    return [
        Reading(
            station_id=f"station-{index}",
            observed_at=at,
            source="open-meteo",
            origin="synthetic",
            temperature_c=index / 8,
            fetched_at=at,
        )
        for index in range(count)
    ]


@pytest.fixture(scope="module")
def kafka_settings(kafka: Kafka) -> KafkaSettings:
    run_kafka(kafka)
    return KafkaSettings(bootstrap=kafka.bootstrap, user="publisher", password=kafka.password("publisher"))


@pytest.fixture(scope="module")
def registry_settings(registry: Registry) -> RegistrySettings:
    run_schemas(registry)
    return registry_of(registry)


@pytest.fixture(scope="module")
def history_settings(postgres: Postgres) -> HistorySettings:
    run_postgres(postgres)
    run_history(postgres)
    return history_of(postgres)


@pytest.fixture
def history(history_settings: HistorySettings) -> Iterator[History]:
    """The history with an empty outbox, whatever a failed test left in it."""
    with History(history_settings) as opened:
        while opened.waiting():
            with opened.unpublished(1000) as outbox:
                outbox.acknowledge(reading.event_id for reading in outbox.readings)
        yield opened


class Sent:
    """What came to the topic `readings` since this was made: other tests use the same broker."""

    def __init__(self, kafka: Kafka, registry: RegistrySettings) -> None:
        self._kafka, self._registry = kafka, registry
        with closing(self._consumer()) as consumer:
            numbers = consumer.list_topics(TOPIC, timeout=10).topics[TOPIC].partitions
            self._first = {number: self._end(consumer, number) for number in numbers}

    def read(self) -> list[tuple[bytes, Any]]:
        """Read to the end, as admin; key and decoded record of each message."""
        found: list[tuple[bytes, Any]] = []
        with closing(self._consumer()) as consumer, Client(self._registry) as client:
            decode = AvroDeserializer(
                client.client, conf={"subject.name.strategy": topic_subject_name_strategy}
            )
            context = SerializationContext(TOPIC, MessageField.VALUE)
            for number, first in self._first.items():
                end = self._end(consumer, number)
                consumer.assign([TopicPartition(TOPIC, number, first)])
                # An idempotent producer without transactions leaves no gaps, so offsets count messages.
                for _ in range(end - first):
                    message = consumer.poll(10)
                    assert message is not None
                    assert message.error() is None
                    found.append((message.key() or b"", decode(message.value(), context)))
        return found

    def _consumer(self) -> Consumer:
        return Consumer({**self._kafka.client_config(), "group.id": "t", "enable.auto.commit": False})

    @staticmethod
    def _end(consumer: Consumer, number: int) -> int:
        _, end = consumer.get_watermark_offsets(TopicPartition(TOPIC, number), timeout=10)
        return int(end)


@pytest.fixture
def sent(kafka: Kafka, kafka_settings: KafkaSettings, registry_settings: RegistrySettings) -> Sent:
    """What the test sends; the topic and its schema are there."""
    assert kafka_settings
    return Sent(kafka, registry_settings)


def test_every_reading_arrives_decodable_under_its_stations_key(
    sent: Sent, kafka_settings: KafkaSettings, registry_settings: RegistrySettings
) -> None:
    given = readings(20, at=NOW - timedelta(days=1))
    with Publisher(kafka_settings, registry_settings) as publisher:
        acknowledged = publisher.publish(given)
    assert {reading.event_id for reading in given} == acknowledged
    arrived = {
        reading.event_id: (key, reading)
        for key, record in sent.read()
        for reading in [Reading.from_avro(record)]
    }
    for reading in given:
        assert (reading.station_id.encode(), reading) == arrived[reading.event_id]


def test_draining_publishes_all_that_waits_in_batches_and_then_nothing(
    history: History, sent: Sent, kafka_settings: KafkaSettings, registry_settings: RegistrySettings
) -> None:
    given = readings(25)
    history.load(a_load(), given, horizon=timedelta(hours=1), now=NOW)
    with Publisher(kafka_settings, registry_settings) as publisher:
        assert drain(history, publisher, batch=10) == 25
        assert drain(history, publisher, batch=10) == 0
    assert len(sent.read()) == 25


def test_two_publishers_at_once_send_every_reading_exactly_once(
    history: History,
    history_settings: HistorySettings,
    sent: Sent,
    kafka_settings: KafkaSettings,
    registry_settings: RegistrySettings,
) -> None:
    given = readings(200, at=NOW + timedelta(hours=7))
    history.load(a_load(), given, horizon=timedelta(hours=1), now=NOW)
    counts: list[int] = []

    def publish() -> None:
        with History(history_settings) as opened, Publisher(kafka_settings, registry_settings) as publisher:
            counts.append(drain(opened, publisher, batch=7))

    threads = [threading.Thread(target=publish) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(counts) == len(given)
    times = Counter(record["event_id"] for _, record in sent.read())
    assert {1} == {times[reading.event_id] for reading in given}


def test_a_wrong_password_is_a_clear_error_within_seconds(
    history: History, kafka_settings: KafkaSettings, registry_settings: RegistrySettings
) -> None:
    history.load(a_load(), readings(3, at=NOW + timedelta(hours=1)), horizon=timedelta(hours=1), now=NOW)
    wrong = KafkaSettings(bootstrap=kafka_settings.bootstrap, user="publisher", password="not-to-be-shown")
    started = time.monotonic()
    with (
        Publisher(wrong, registry_settings) as publisher,
        pytest.raises(RefusedError, match="refused the password of user 'publisher'") as raised,
    ):
        drain(history, publisher)
    assert time.monotonic() - started < 15
    assert "not-to-be-shown" not in str(raised.value)
    assert history.waiting() == 3


def test_a_topic_without_the_right_to_write_is_named(
    history: History, kafka: Kafka, kafka_settings: KafkaSettings, registry_settings: RegistrySettings
) -> None:
    history.load(a_load(), readings(2, at=NOW + timedelta(hours=2)), horizon=timedelta(hours=1), now=NOW)
    reader = KafkaSettings(
        bootstrap=kafka_settings.bootstrap, user="reader", password=kafka.password("reader")
    )
    with (
        Publisher(reader, registry_settings) as publisher,
        pytest.raises(
            RefusedError, match=r"did not acknowledge 2 of 2 readings for topic 'readings' .*authoriz"
        ),
    ):
        drain(history, publisher)
    assert history.waiting() == 2


def test_no_broker_at_the_address_leaves_the_rows_waiting(
    history: History, registry_settings: RegistrySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher_module, "_DELIVERY_TIMEOUT_MS", 2000)
    history.load(a_load(), readings(2, at=NOW + timedelta(hours=3)), horizon=timedelta(hours=1), now=NOW)
    nobody = KafkaSettings(bootstrap="127.0.0.1:9", user="publisher", password="x")
    with (
        Publisher(nobody, registry_settings) as publisher,
        pytest.raises(
            DeliveryError, match=r"127\.0\.0\.1:9 did not acknowledge 2 of 2 .*Connection refused"
        ) as raised,
    ):
        drain(history, publisher)
    assert not isinstance(raised.value, RefusedError)
    assert history.waiting() == 2


def test_what_the_broker_took_is_marked_although_the_rest_failed(
    history: History, kafka: Kafka, kafka_settings: KafkaSettings, registry_settings: RegistrySettings
) -> None:
    # A reading too large for the topic in the middle of good ones.
    topic = "t-small-messages"
    make_topic(kafka, topic)
    good, bad = readings(4, at=NOW + timedelta(hours=4))[:3], readings(1, at=NOW + timedelta(hours=5))
    history.load(a_load(), [*good, *bad], horizon=timedelta(hours=1), now=NOW)

    class Broken(Publisher):
        """Sends one reading with a value that no broker takes."""

        def _encoded(self, reading: Reading) -> bytes:
            value = super()._encoded(reading)
            return value + bytes(2_000_000) if reading.event_id == bad[0].event_id else value

    with (
        Broken(kafka_settings, registry_settings) as publisher,
        pytest.raises(RefusedError, match="did not acknowledge 1 of 4"),
    ):
        drain(history, publisher)
    with history.unpublished(10) as outbox:
        assert [bad[0].event_id] == [reading.event_id for reading in outbox.readings]


def test_a_schema_that_is_not_registered_publishes_nothing(
    history: History, kafka: Kafka, kafka_settings: KafkaSettings, registry_settings: RegistrySettings
) -> None:
    history.load(a_load(), readings(1, at=NOW + timedelta(hours=6)), horizon=timedelta(hours=1), now=NOW)
    make_topic(kafka, "t-unregistered")
    with (
        Publisher(kafka_settings, registry_settings, topic="t-unregistered") as publisher,
        pytest.raises(RegistryError, match=r"no id of reading\.v2\.avsc for subject 't-unregistered-value'"),
    ):
        drain(history, publisher)
    assert history.waiting() == 1
