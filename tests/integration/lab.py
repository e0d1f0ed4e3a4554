"""A laboratory for the queries: one long-lived Spark, a topic for each experiment, any append times."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from pipeline.oracle import Alert, Average, StoredReading
from tests.integration.containers import Service
from tests.integration.lab_driver import PORT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from cassandra.cluster import Session

    from tests.integration.containers import Kafka
    from tests.integration.environment import Environment

__all__ = ["PARTITIONS", "QUERIES", "Experiment", "Lab", "Letter", "Sent", "SparkLab"]

PARTITIONS = 2
QUERIES = ("alerts", "averages", "readings")
_CONFIG = Path(__file__).parents[2] / "config"
_DRIVER = "/opt/galewatch/lab/driver.py"
_PATIENCE_S = 120
_DEAD_LETTERS, _ALERTS = "readings.dlq", "alerts"


class SparkLab(Service):
    """The image of Spark with lab_driver in it, beside the services of the environment."""

    def __init__(self, environment: Environment) -> None:
        passwords = {
            name.upper(): f"/run/galewatch/secrets/{secret}"
            for name, secret in (
                ("kafka", "kafka_admin"),
                ("registry", "registry_client"),
                ("cassandra", "cassandra_spark"),
            )
        }
        super().__init__(
            environment,
            "spark",
            PORT,
            env={
                "GALEWATCH_KAFKA_BOOTSTRAP": "kafka:9092",
                "GALEWATCH_REGISTRY_URL": "http://schema-registry:8080/apis/ccompat/v7",
                "GALEWATCH_CASSANDRA_HOST": "cassandra",
                "GALEWATCH_KAFKA_USER": "admin",
                "GALEWATCH_REGISTRY_USER": "client",
                "GALEWATCH_CASSANDRA_USER": "spark",
                **{f"GALEWATCH_{name}_PASSWORD_FILE": path for name, path in passwords.items()},
                "GALEWATCH_DRIVER_MASTER": "local[4]",
                "SPARK_CONF_DIR": "/opt/galewatch",
            },
        )
        self.with_volume_mapping(str(_CONFIG), "/etc/galewatch", "ro")
        self.with_volume_mapping(str(Path(__file__).with_name("lab_driver.py")), _DRIVER, "ro")
        self.with_kwargs(
            hostname="lab",
            init=True,
            labels={**environment.labels, "io.galewatch.service": "lab"},
            security_opt=["no-new-privileges:true"],
            entrypoint=["python", _DRIVER],
        )
        self.waiting_for(LogMessageWaitStrategy("ready").with_startup_timeout(_PATIENCE_S))


class Sent(NamedTuple):
    """A message: its place, key, value and append time."""

    partition: int
    key: str
    value: bytes | None
    appended_at: datetime


class Letter(NamedTuple):
    """A dead letter: the place of the message, which it is, byte for byte, and the reason in words."""

    partition: int
    offset: int
    key: str
    value: bytes | None
    reason: str


class Lab:
    """Makes experiments."""

    def __init__(self, kafka: Kafka, spark: SparkLab, cassandra: Session) -> None:
        self.kafka = kafka
        self.spark = spark
        self.cassandra = cassandra
        self._admin = AdminClient(kafka.client_config())
        self.producer = Producer({**kafka.client_config(), "acks": "all", "linger.ms": 0})
        self.consumer = Consumer(
            {**kafka.client_config(), "group.id": "galewatch-lab", "enable.auto.commit": False}
        )
        self._numbers = count()

    def close(self) -> None:
        """Close the clients."""
        self.consumer.close()

    def experiment(self) -> Experiment:
        """Make a topic on which the producer gives the append times; its stations have its name."""
        name = f"lab-{next(self._numbers)}"
        made = NewTopic(
            name,
            num_partitions=PARTITIONS,
            replication_factor=1,
            # Times of long ago are none to delete anything for.
            config={"message.timestamp.type": "CreateTime", "retention.ms": "-1"},
        )
        self._admin.create_topics([made])[name].result(20)
        return Experiment(self, name, {topic: self._ends(topic) for topic in (_DEAD_LETTERS, _ALERTS)})

    def _ends(self, topic: str) -> dict[int, int]:
        partitions = self.consumer.list_topics(topic, timeout=20).topics[topic].partitions
        return {
            partition: self.consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=20)[1]
            for partition in partitions
        }

    def read(self, topic: str, begin: dict[int, int]) -> Iterable[Any]:
        """Read what came to a topic since it ended there."""
        wanted = sum(self._ends(topic).values()) - sum(begin.values())
        self.consumer.assign([TopicPartition(topic, *place) for place in begin.items()])
        while wanted:
            message = self.consumer.poll(20)
            assert message is not None
            assert message.error() is None
            wanted -= 1
            yield message


@dataclass(frozen=True)
class Experiment:
    """One topic, and what has come of it."""

    lab: Lab
    name: str
    begin: dict[str, dict[int, int]]

    def send(self, messages: Sequence[Sent]) -> list[int]:
        """Append messages in their order; give the offset of each."""
        offsets: dict[int, int] = {}
        for number, one in enumerate(messages):

            def delivered(error: Any, message: Any, number: int = number) -> None:
                assert error is None
                offsets[number] = message.offset()

            self.lab.producer.produce(
                self.name,
                one.value,
                one.key,
                one.partition,
                on_delivery=delivered,
                timestamp=round(one.appended_at.timestamp() * 1000),
            )
        assert self.lab.producer.flush(20) == 0
        return [offsets[number] for number in range(len(messages))]

    def run(self, queries: Collection[str] = QUERIES, *, crash: bool = False) -> None:
        """Let queries go on from their checkpoints until they have read all; see lab_driver."""
        asked = {"topic": self.name, "queries": list(queries), "crash": crash}
        answer = httpx.post(
            f"http://{self.lab.spark.host}:{self.lab.spark.port}/",
            json=asked,
            timeout=_PATIENCE_S,
            trust_env=False,
        )
        assert answer.status_code == 200, answer.text

    def readings(self) -> set[StoredReading]:
        """Give the rows of readings_by_station."""
        return {StoredReading(**_of(StoredReading, row)) for row in self._rows("readings_by_station")}

    def latest(self) -> set[tuple[Any, ...]]:
        """Give station, source and time of the rows of latest_by_station."""
        return {
            (row["station_id"], row["source"], row["observed_at"], row["revision"], row["temperature_c"])
            for row in self._rows("latest_by_station")
        }

    def averages(self) -> set[Average]:
        """Give the rows of averages_by_station."""
        return {Average(**_of(Average, row)) for row in self._rows("averages_by_station")}

    def written(self) -> dict[Any, int]:
        """Tell when each average was written last."""
        rows = self._rows("averages_by_station", "station_id, window_start, WRITETIME(readings) AS written")
        return {(row["station_id"], row["window_start"]): row["written"] for row in rows}

    def alerts(self, table: str) -> set[Alert]:
        """Give the rows of one of the tables of alerts."""
        found = self._rows(table)
        return {
            Alert(**_of(Alert, {**row, "alert_id": f"{row['event_id']}/{row['rule_id']}"})) for row in found
        }

    def alert_ids(self) -> set[str]:
        """Give the distinct ids on the topic of alerts."""
        return {
            dict(message.headers())["alert_id"].decode()
            for message in self.lab.read(_ALERTS, self.begin[_ALERTS])
            if message.key().decode().startswith(f"{self.name}-")
        }

    def letters(self) -> set[Letter]:
        """Give the distinct dead letters."""
        found = set()
        for message in self.lab.read(_DEAD_LETTERS, self.begin[_DEAD_LETTERS]):
            headers = {name: value.decode() for name, value in message.headers()}
            if headers["topic"] == self.name:
                place = int(headers["partition"]), int(headers["offset"])
                found.add(Letter(*place, message.key().decode(), message.value(), headers["reason"]))
        return found

    def _rows(self, table: str, columns: str = "*") -> list[dict[str, Any]]:
        found = self.lab.cassandra.execute(f"SELECT {columns} FROM galewatch.{table}")  # noqa: S608 - our names
        rows = [row._asdict() for row in found]
        return [
            {
                name: value.replace(tzinfo=UTC) if isinstance(value, datetime) else value
                for name, value in row.items()
            }
            for row in rows
            if row["station_id"].startswith(f"{self.name}-")
        ]


def _of(row: type[Any], values: dict[str, Any]) -> dict[str, Any]:
    return {field.name: values[field.name] for field in fields(row)}
