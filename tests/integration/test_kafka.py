"""What is relied on of Kafka: nothing lost or doubled, order, groups, the broker's clock, what it deletes."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from pipeline import publisher as publisher_module
from pipeline.platform import Topic, load_platform
from pipeline.publisher import TOPIC, Publisher
from pipeline.readings import Reading
from pipeline.simulate.encoder import Encoder
from pipeline.topics.decoder import Decoder
from pipeline.topics.producer import DirectProducer
from pipeline.topics.reader import TopicReader
from tests.integration.clients import begins, consume_all, ends
from tests.integration.kafka_proxy import ForgetfulProxy
from tests.integration.platform_jobs import run_kafka, run_schemas
from tests.integration.services import MessageServices

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from confluent_kafka import Message

    from tests.integration.stack import Stack

pytestmark = pytest.mark.engine

PLATFORM = load_platform()
NOW = datetime.now(UTC).replace(microsecond=0)
STATIONS = 7
PATIENCE_SECONDS = 120


@pytest.fixture(scope="module")
def services(stack: Stack) -> MessageServices:
    run_kafka(stack.kafka)
    run_schemas(stack.registry)
    return MessageServices(broker=stack.kafka, schema_registry=stack.registry)


def readings(prefix: str, count: int) -> list[Reading]:
    """Give readings of some stations in turn, each a second after the one before."""
    return [
        Reading(
            station_id=f"{prefix}-{number % STATIONS}",
            observed_at=NOW + timedelta(seconds=number),
            source="open-meteo",
            origin="synthetic",
            temperature_c=20.0,
            fetched_at=NOW,
        )
        for number in range(count)
    ]


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"not within {PATIENCE_SECONDS} s: {what}"
        time.sleep(0.05)


class Arrivals:
    """What comes to the topic of the readings after this was made, in the order of each partition."""

    def __init__(self, services: MessageServices) -> None:
        self._services = services
        with self._reader() as reader:
            self._begin = {number: there.end for number, there in reader.offsets().items()}

    def read(self) -> dict[str, list[tuple[int, datetime]]]:
        """Give partition and time of observation of each message, by station."""
        found: dict[str, list[tuple[int, datetime]]] = defaultdict(list)
        with self._reader() as reader, Decoder(self._services.registry()) as decoder:
            end = {number: there.end for number, there in reader.offsets().items()}
            for message in reader.messages(self._begin, end):
                record = decoder.decode(message.value)
                assert (message.key or b"").decode() == record["station_id"]
                found[record["station_id"]].append((message.partition, record["observed_at"]))
        return dict(found)

    def _reader(self) -> TopicReader:
        return TopicReader(self._services.kafka(), TOPIC, "galewatch-reader-t")


def in_order(sent: Iterable[Reading]) -> dict[str, list[datetime]]:
    """Give the times of observation of each station, in the order of sending."""
    found: dict[str, list[datetime]] = defaultdict(list)
    for reading in sent:
        found[reading.station_id].append(reading.observed_at)
    return dict(found)


def times_of(arrived: Mapping[str, list[tuple[int, datetime]]]) -> dict[str, list[datetime]]:
    return {station: [at for _, at in messages] for station, messages in arrived.items()}


# The producer


def test_a_lost_answer_loses_nothing_doubles_nothing_and_keeps_the_order_of_each_key(
    services: MessageServices,
) -> None:
    """The broker has written, the connection is cut before it can say so, and the publisher sends again."""
    sent = readings("cut", 3_000)
    arrivals = Arrivals(services)

    with ForgetfulProxy(services.broker, every=3) as proxy:
        kafka = services.kafka("publisher").model_copy(update={"bootstrap": proxy.bootstrap})
        with Publisher(kafka, services.registry()) as publisher:
            for start in range(0, len(sent), 300):
                publisher.publish(sent[start : start + 300])
        assert proxy.lost >= 5

    arrived = arrivals.read()
    assert in_order(sent) == times_of(arrived)
    assert {1} == {len({partition for partition, _ in messages}) for messages in arrived.values()}
    assert 2 == len({partition for messages in arrived.values() for partition, _ in messages})


def test_the_devices_producer_loses_nothing_either_but_may_send_twice(services: MessageServices) -> None:
    """It is not idempotent, on purpose; this is what the same losses do then, and why readers drop by id."""
    sent = readings("twice", 600)
    arrivals = Arrivals(services)
    encoder = Encoder(services.registry(), PLATFORM.schema_registry.newest("readings-value"))

    with ForgetfulProxy(services.broker, every=3) as proxy:
        kafka = services.kafka("devices").model_copy(update={"bootstrap": proxy.bootstrap})
        with DirectProducer(kafka) as producer:
            for start in range(0, len(sent), 20):
                for reading in sent[start : start + 20]:
                    producer.send(reading.station_id.encode(), encoder.encode(reading))
                # So that each twenty are a request of their own at least.
                assert start + 20 == producer.finish().acknowledged
        assert proxy.lost >= 5

    arrived = times_of(arrivals.read())
    assert {key: set(times) for key, times in in_order(sent).items()} == {
        key: set(times) for key, times in arrived.items()
    }
    assert len(sent) < sum(len(times) for times in arrived.values())


def test_a_broker_that_is_killed_while_readings_flow_has_each_once_and_in_order(
    services: MessageServices, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, Any], None]
) -> None:
    # The machine may be busy with other things; the broker's usual return takes six seconds.
    monkeypatch.setattr(publisher_module, "_DELIVERY_TIMEOUT_MS", PATIENCE_SECONDS * 1000)
    sent = readings("killed", 20_000)
    arrivals = Arrivals(services)
    acknowledged: set[str] = set()

    def publish() -> None:
        with Publisher(services.kafka("publisher"), services.registry()) as publisher:
            for start in range(0, len(sent), 100):
                acknowledged.update(publisher.publish(sent[start : start + 100]))

    thread = threading.Thread(target=publish)
    thread.start()
    until(lambda: len(acknowledged) >= 500, "readings flow")
    services.broker.container.kill()
    died, before = time.monotonic(), len(acknowledged)
    services.broker.container.start()
    until(lambda: len(acknowledged) > before + 100, "readings flow again")
    recovery = time.monotonic() - died
    thread.join(PATIENCE_SECONDS)
    services.broker.wait_until_healthy()

    assert before < len(acknowledged) == len(sent)
    assert in_order(sent) == times_of(arrivals.read())
    fault = {
        "fault": "broker killed under a publisher",
        "observed": f"after {before} of {len(sent)} readings",
    }
    record_property("proven_fault", {**fault, "outcome": "each once, in order", "recovery_s": recovery})


# The consumers


def test_two_groups_of_consumers_each_read_everything_and_share_it_inside(services: MessageServices) -> None:
    kafka = services.broker
    with Publisher(services.kafka("publisher"), services.registry()) as publisher:
        publisher.publish(readings("groups", 500))
    everything = Counter(_places(consume_all(kafka, TOPIC)))
    assert 500 <= len(everything)

    with ExitStack() as running:
        groups = {
            name: [running.enter_context(closing(_member(services, name))) for _ in range(2)] for name in "ab"
        }
        read = {name: _read_together(members, len(everything)) for name, members in groups.items()}

    for name, by_member in read.items():
        assert everything == Counter(by_member[0]) + Counter(by_member[1]), name
        assert [1, 1] == [len({number for number, _ in places}) for places in by_member], name

    # Who comes back goes on where its group was, whatever the other one did.
    with Publisher(services.kafka("publisher"), services.registry()) as publisher:
        publisher.publish(readings("groups-again", 50))
    newer = set(_places(consume_all(kafka, TOPIC))) - set(everything)
    with closing(_member(services, "a")) as member:
        (found,) = _read_together([member], 50)
    assert newer == set(found)
    assert 50 == len(found)


def _places(messages: Iterable[Message]) -> list[tuple[int, int]]:
    return [(message.partition() or 0, message.offset() or 0) for message in messages]


def _member(services: MessageServices, group: str) -> Consumer:
    """Join a group, and read nothing yet; it commits what it has read when it is closed."""
    member = Consumer(
        {
            **services.broker.client_config("reader"),
            "group.id": f"galewatch-reader-{NOW.timestamp()}-{group}",
            "auto.offset.reset": "earliest",
        }
    )

    def paused(consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.assign(partitions)
        consumer.pause(partitions)

    member.subscribe([TOPIC], on_assign=paused)
    return member


def _read_together(members: list[Consumer], count: int) -> list[list[tuple[int, int]]]:
    """Let the members of a group share the partitions, then read so many messages with all of them."""
    share = PLATFORM.kafka.topics[TOPIC].partitions // len(members)

    def shared() -> bool:
        for member in members:
            assert member.poll(0.05) is None
        return all(len(member.assignment()) == share for member in members)

    until(shared, "each member has its share")
    found: list[list[tuple[int, int]]] = [[] for _ in members]

    def read() -> bool:
        for member, places in zip(members, found, strict=True):
            for message in member.consume(5000, timeout=0.1):
                assert message.error() is None
                places.append((message.partition() or 0, message.offset() or 0))
        return sum(map(len, found)) >= count

    for member in members:
        member.resume(member.assignment())
    until(read, f"{count} messages")
    return found


# The topics


def declared(topic: str) -> dict[str, str]:
    """Give what platform.yaml says of a topic, and what it leaves to Kafka on purpose: old messages go."""
    return {"cleanup.policy": "delete", **PLATFORM.kafka.topics[topic].config}


def test_every_topic_is_kept_as_long_as_platform_yaml_says_and_no_other_is_there(
    services: MessageServices,
) -> None:
    admin = AdminClient(services.broker.client_config())
    there = {name for name in admin.list_topics(timeout=20).topics if not name.startswith("__")}
    assert set(PLATFORM.kafka.topics) <= there
    asked = {name: ConfigResource(ResourceType.TOPIC, name) for name in PLATFORM.kafka.topics}
    answers = admin.describe_configs(list(asked.values()))
    for name, resource in asked.items():
        told = answers[resource].result(20)
        assert declared(name) == {key: told[key].value for key in declared(name)}, name
        assert "LogAppendTime" == told["message.timestamp.type"].value, name


def test_a_message_has_the_brokers_time_whatever_its_producer_says(services: MessageServices) -> None:
    """How late a reading is, and how long it is kept, no producer's clock decides."""
    writers = {topic: user for user, facts in PLATFORM.kafka.users.items() for topic in facts.write}
    assert set(writers) == set(PLATFORM.kafka.topics)
    for topic, user in writers.items():
        before = ends(services.broker, topic)
        producer = Producer({**services.broker.client_config(user), "acks": "all"})
        sent = time.time()
        producer.produce(topic, b"not a message of ours", b"clock", timestamp=1_000)
        assert 0 == producer.flush(20)
        (message,) = consume_all(services.broker, topic, before)
        kind, millis = message.timestamp()
        assert TIMESTAMP_LOG_APPEND_TIME == kind, topic
        assert sent - 5 <= millis / 1000 <= time.time() + 5, topic


@pytest.mark.full
def test_old_messages_go_by_the_brokers_clock_and_of_a_compacted_key_only_the_last_stays(
    services: MessageServices,
) -> None:
    """Topics made as ours are, with seconds in the place of days; the broker looks 30 s after its start."""
    short = {"retention.ms": "1000", "segment.ms": "1000"}
    made = {
        f"t-short-{name}": topic.model_copy(update={"config": {**topic.config, **short}})
        for name, topic in PLATFORM.kafka.topics.items()
    }
    compact = {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.01", "segment.ms": "1000"}
    made["t-compacted"] = Topic(partitions=1, config={**PLATFORM.kafka.topics[TOPIC].config, **compact})
    # As ours are but for the segments: what is old by its producer's clock only stays.
    made["t-kept"] = Topic(partitions=1, config={**PLATFORM.kafka.topics[TOPIC].config, "segment.ms": "1000"})
    kafka = PLATFORM.kafka.model_copy(update={"topics": {**PLATFORM.kafka.topics, **made}})
    run_kafka(services.broker, PLATFORM.model_copy(update={"kafka": kafka}))

    producer = Producer({**services.broker.client_config(), "acks": "all"})
    for round_ in range(3):
        for topic in made:
            for key in range(4):
                producer.produce(topic, f"{round_}", f"{key}", partition=0, timestamp=1_000)
        assert 0 == producer.flush(20)
        # A segment is closed by the first message that comes after its time.
        time.sleep(1.1)
    for topic in made:
        producer.produce(topic, b"closes the segment", b"last", partition=0)
    assert 0 == producer.flush(20)
    services.broker.container.restart(timeout=30)
    services.broker.wait_until_healthy()

    def gone() -> bool:
        return all(begins(services.broker, name)[0] == 13 for name in made if name.startswith("t-short-"))

    def compacted() -> bool:
        return len(consume_all(services.broker, "t-compacted")) == 5

    until(gone, "what is older than a second is deleted")
    until(compacted, "each key has one message")
    left = {message.key(): message.value() for message in consume_all(services.broker, "t-compacted")}
    assert {**{f"{key}".encode(): b"2" for key in range(4)}, b"last": b"closes the segment"} == left
    assert 13 == len(consume_all(services.broker, "t-kept"))
