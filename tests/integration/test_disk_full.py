"""A broker whose disk is full: what it cannot take is not marked as published, and arrives later."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import docker
import pytest
from confluent_kafka import Consumer, TopicPartition

from pipeline import publisher as publisher_module
from pipeline.errors import DeliveryError
from pipeline.history import History
from pipeline.outbox import drain
from pipeline.publisher import TOPIC, Publisher
from pipeline.readings import Reading
from pipeline.retries import judge
from pipeline.settings import HistorySettings, KafkaSettings, RegistrySettings
from tests.integration.containers import Kafka, ZooKeeper
from tests.integration.environment import Environment
from tests.integration.faults import proven
from tests.integration.images import image
from tests.integration.platform_jobs import run_history, run_kafka, run_postgres, run_schemas
from tests.integration.services import history_of, registry_of
from tests.loads import a_load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from docker.models.containers import Container

    from tests.integration.containers import Postgres, Registry

pytestmark = pytest.mark.engine

NOW = datetime(2026, 7, 2, 12, tzinfo=UTC)
GALEWATCH = 10001
BALLAST = "/var/lib/galewatch/ballast"


class SmallDisk:
    """A disk of 48 MB in memory that a broker keeps its log on, and that somebody else may fill."""

    def __init__(self, environment: Environment) -> None:
        self._engine = docker.from_env()
        options = f"size=48m,uid={GALEWATCH},gid={GALEWATCH},mode=0750"
        self.name = f"galewatch-{environment.name}-small"
        self._engine.volumes.create(
            self.name,
            driver_opts={"type": "tmpfs", "device": "tmpfs", "o": options},
            labels=environment.labels,
        )
        # Memory is kept as long as anybody has it: the broker alone would lose its log when it ends.
        self._holder: Container = self._engine.containers.run(
            image("kafka"),
            entrypoint=["sleep", "infinity"],
            detach=True,
            init=True,
            labels=environment.labels,
            volumes={self.name: {"bind": "/var/lib/galewatch", "mode": "rw"}},
        )

    def close(self) -> None:
        """Remove who keeps it; the volume goes with its environment."""
        self._holder.remove(force=True)
        self._engine.close()

    def fill(self) -> str:
        """Write until nothing fits any more; give the system's words."""
        code, said = self._holder.exec_run(["dd", "if=/dev/zero", f"of={BALLAST}", "bs=4k"])
        assert code == 1
        return str(said.decode().splitlines()[0])

    def empty(self) -> None:
        """Make room."""
        assert self._holder.exec_run(["rm", BALLAST]).exit_code == 0


class Broker(NamedTuple):
    """A broker and its disk."""

    kafka: Kafka
    disk: SmallDisk

    @property
    def publisher(self) -> KafkaSettings:
        """It as the user who publishes."""
        kafka = self.kafka
        return KafkaSettings(
            bootstrap=kafka.bootstrap, user="publisher", password=kafka.password("publisher")
        )


@pytest.fixture
def broker() -> Iterator[Broker]:
    """A broker in an environment of its own: another one of the same name is in the shared one."""
    with (
        Environment() as environment,
        closing(SmallDisk(environment)) as disk,
        ZooKeeper(environment),
        Kafka(environment, volume=disk.name) as kafka,
    ):
        run_kafka(kafka)
        yield Broker(kafka, disk)


@pytest.fixture
def settings(postgres: Postgres) -> HistorySettings:
    run_postgres(postgres)
    run_history(postgres)
    with postgres.connect(database="history") as connection, connection.cursor() as cursor:
        cursor.execute("TRUNCATE readings, rejected_readings, loads")
    return history_of(postgres)


@pytest.fixture
def asked(registry: Registry) -> RegistrySettings:
    run_schemas(registry)
    return registry_of(registry)


def some(first: int, last: int) -> list[Reading]:
    return [
        Reading(
            station_id=f"full-{index:04}",
            observed_at=NOW - timedelta(minutes=10),
            source="open-meteo",
            origin="synthetic",
            temperature_c=20.0,
            fetched_at=NOW,
        )
        for index in range(first, last)
    ]


def ids_on_topic(kafka: Kafka) -> Counter[str]:
    """Count each event id on the topic; a record begins with it, after the frame and a length byte."""
    found: Counter[str] = Counter()
    with closing(
        Consumer({**kafka.client_config(), "group.id": "t", "enable.auto.commit": False})
    ) as consumer:
        for number in consumer.list_topics(TOPIC, timeout=20).topics[TOPIC].partitions:
            first, end = consumer.get_watermark_offsets(TopicPartition(TOPIC, number), timeout=20)
            consumer.assign([TopicPartition(TOPIC, number, first)])
            # An idempotent producer without transactions leaves no gaps, so offsets count messages.
            for _ in range(end - first):
                message = consumer.poll(20)
                assert message is not None
                assert message.error() is None
                found[(message.value() or b"")[6:42].decode()] += 1
    return found


def test_a_full_disk_of_the_broker_is_a_clear_error_and_loses_nothing(
    broker: Broker,
    settings: HistorySettings,
    asked: RegistrySettings,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    """The broker ends for it; the outbox keeps what it did not take, and has marked what it did."""
    monkeypatch.setattr(publisher_module, "_DELIVERY_TIMEOUT_MS", 5_000)
    kafka, disk, user = broker.kafka, broker.disk, broker.publisher
    before, then = some(0, 100), some(100, 1100)
    with History(settings) as history:
        history.load(a_load(), before, horizon=timedelta(hours=1), now=NOW)
        with Publisher(user, asked) as publisher:
            assert drain(history, publisher) == len(before)
        history.load(a_load(), then, horizon=timedelta(hours=1), now=NOW)

        words = disk.fill()
        assert "No space left on device" in words
        with (
            Publisher(user, asked) as publisher,
            pytest.raises(DeliveryError, match="did not acknowledge 500 of 500 readings") as raised,
        ):
            drain(history, publisher)
        assert judge(raised.value).again
        assert history.waiting() == len(then)
        # It would have to lie about what it has: it ends, and the engine starts it again and again.
        assert kafka.container.wait(timeout=60)["StatusCode"] != 0
        assert b"No space left on device" in kafka.container.logs()

        disk.empty()
        kafka.container.start()
        kafka.wait_until_healthy()
        started = time.monotonic()
        assert set(ids_on_topic(kafka)) >= {one.event_id for one in before}
        with Publisher(user, asked) as publisher:
            assert drain(history, publisher) == len(then)
        took = time.monotonic() - started
        assert history.waiting() == 0
    found = ids_on_topic(kafka)
    assert {one.event_id for one in (*before, *then)} == set(found)
    proven(
        record_property,
        "the broker's disk is full",
        observed=f"{words}; {raised.value}",
        outcome=f"all {len(found)} readings on the topic, none marked before",
        duplicates=found.total() - len(found),
        recovery_s=took,
    )
