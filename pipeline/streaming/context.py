"""What the queries of one driver share, and how each of them is told apart on disk and in the cluster."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pipeline.errors import StreamingError
from pipeline.streaming import jvm
from pipeline.streaming.checkpoint import sweep
from pipeline.streaming.decode import decode
from pipeline.streaming.kafka import client_config, producer_config, read_topic

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

    from pipeline.platform import Platform
    from pipeline.settings import CassandraSettings, KafkaSettings
    from pipeline.streaming.kafka import Intake
    from pipeline.streaming.settings import DriverSettings

__all__ = ["READINGS", "READINGS_SUBJECT", "Context"]

READINGS = "readings"
READINGS_SUBJECT = "readings-value"


@dataclass(frozen=True)
class Context:
    """A driver's session, its settings, and where the services are."""

    session: SparkSession
    platform: Platform
    kafka: KafkaSettings
    cassandra: CassandraSettings
    driver: DriverSettings
    group_prefix: str
    alert_schema_id: int

    @property
    def partitions(self) -> int:
        """The partitions of the readings: each is one task of each query."""
        return self.platform.kafka.topics[READINGS].partitions

    @cached_property
    def access(self) -> Any:
        """Cassandra's address for the Java side."""
        return jvm.cassandra_access(self.session, self.cassandra, self.platform.cassandra.keyspace)

    def decoded(self, intake: Intake) -> DataFrame:
        """Give the topic of the readings, decoded."""
        return decode(read_topic(self.session, self.kafka, READINGS, self.group_prefix, intake))

    def checkpoint(self, query: str) -> Path:
        """Give the folder in which a query of this copy keeps how far it has come."""
        return self.driver.checkpoints / f"{query}-{self.driver.index}"

    def opened(self, query: str) -> Path:
        """Give the same folder to a query that is about to begin, swept of what a killed run left in it."""
        checkpoint = self.checkpoint(query)
        sweep(checkpoint)
        return checkpoint

    def beat(self, query: str) -> Path:
        """Give the file by which the writer of a query says how it is."""
        return self.driver.checkpoints / f"{query}-{self.driver.index}.beat"

    def sink(self, query: str, topic: str) -> jvm.Sink:
        """Give the Java writer of a query what it needs to know; `topic` is the one that it sends to."""
        return jvm.Sink(
            query=query,
            copy=self.driver.index,
            selftest_ttl_seconds=self.platform.cassandra.selftest_ttl_seconds,
            producer=producer_config(self.kafka),
            topic=topic,
            beat=self.beat(query),
        )

    def after_sink(self, checkpoint: Path, batch: int) -> None:
        """Tell the failpoints, where there are any, that a sink of Python's has written a batch."""
        if self.driver.failpoints:
            jvm.after_sink(self.session, checkpoint, batch)

    def check_topic(self, query: str) -> None:
        """Raise StreamingError if the topic is not the one that the query's checkpoint belongs to.

        A topic made anew has the same name and other offsets: a query would either stop with Kafka's words
        about offsets out of range or, worse, go on in the middle. Kafka gives each topic an id.
        """
        found = jvm.topic_id(self.session, client_config(self.kafka), READINGS)
        checkpoint = self.checkpoint(query)
        known = checkpoint / "topic-id"
        try:
            remembered = known.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            checkpoint.mkdir(parents=True, exist_ok=True)
            known.write_text(f"{found}\n", encoding="ascii")
            return
        if remembered != found:
            raise StreamingError(
                f"topic {READINGS} was made anew (it was {remembered} and is {found}): what query {query} "
                "had not read of the old one is lost; to go on with the new one, remove the query's "
                f"checkpoint folder {checkpoint}"
            )
