"""The plain Python consumer that the product is compared with: confluent-kafka, cassandra-driver, a process.

A real one, with exact results: each reading is decoded by fastavro, judged by the rules, kept in memory for
its window, and written to tables as the product's, a batch for each partition. It does less than the product:
one schema, no dead letters, no topic of alerts, and windows that do not survive it.
"""

from __future__ import annotations

import resource
import time
from collections import defaultdict
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import fastavro
from confluent_kafka import Consumer, TopicPartition

from benchmarks.errors import BenchError
from benchmarks.peer_writer import Writer
from pipeline._cassandra import session
from pipeline.config import config_dir
from pipeline.publisher import TOPIC, kafka_config
from pipeline.readings import FIELDS
from pipeline.rules import load_rules
from pipeline.schemas import avro_schema
from pipeline.windows import thousandths, window_start

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from multiprocessing.connection import Connection

    from pipeline.environment import Environment

__all__ = ["PEER", "USER", "Stretch", "consume"]

PEER: Final = "plain Python"
USER: Final = "admin"
"""Cassandra's role for tables beside the product's."""

_HEADER_BYTES: Final = 5
# As many as one round takes of what has come.
_AT_MOST: Final = 2000
# Averages change with each reading; written so often, they are seen within a twentieth of a second.
_AVERAGES_EVERY_S: Final = 0.05
_TIMEOUT_S: Final = 60.0


class Stretch(NamedTuple):
    """Offsets by partition: where to begin, and where to end; None is until told to stop."""

    begin: dict[int, int]
    end: dict[int, int] | None


def consume(
    environment: Environment, keyspace: str, stretch: Stretch, orders: Connection, answer: Connection
) -> None:
    """Say that it is ready, consume, and answer with (seconds since the first message, CPU seconds)."""
    cassandra = environment.cassandra(USER)
    with session(cassandra, keyspace=keyspace, timeout_seconds=_TIMEOUT_S) as opened:
        consumer = _Consumer(environment, Writer(opened))
        answer.send("ready")
        answer.send(consumer.run(stretch, orders))


class _Consumer:
    def __init__(self, environment: Environment, writer: Writer) -> None:
        schema = environment.platform.schema_registry.newest(f"{TOPIC}-value")
        self._kafka = environment.kafka()
        self._writer = writer
        self._schema = fastavro.parse_schema(avro_schema(schema))
        self._rules = [(FIELDS[rule.metric], rule) for rule in load_rules(config_dir() / "rules.yaml")]
        self._window_seconds = environment.platform.streaming.window_seconds
        # Window → event id → (thousandths of a degree, origin): an event counts once.
        self._windows: defaultdict[tuple[str, datetime], dict[str, tuple[int, str]]] = defaultdict(dict)
        self._changed: set[tuple[str, datetime]] = set()

    def run(self, stretch: Stretch, orders: Connection) -> tuple[float, float]:
        consumer = Consumer(
            {
                **kafka_config(self._kafka),
                "group.id": "galewatch-reader-bench",
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
            }
        )
        position, end = dict(stretch.begin), stretch.end
        began, cpu = 0.0, _own_cpu_seconds()
        flushed = time.monotonic()
        try:
            consumer.assign([TopicPartition(TOPIC, number, offset) for number, offset in position.items()])
            while not orders.poll(0) and (
                end is None or any(position[number] < end[number] for number in end)
            ):
                first = consumer.poll(_AVERAGES_EVERY_S)
                if first is not None:
                    began = began or time.monotonic()
                    self._take([first, *consumer.consume(_AT_MOST - 1, 0)], position)
                if time.monotonic() - flushed >= _AVERAGES_EVERY_S:
                    self._flush()
                    flushed = time.monotonic()
            self._flush()
        finally:
            consumer.close()
        return time.monotonic() - (began or time.monotonic()), _own_cpu_seconds() - cpu

    def _take(self, messages: Sequence[Any], position: dict[int, int]) -> None:
        readings = []
        for message in messages:
            if message.error():
                raise BenchError(f"Kafka does not go on: {message.error().str()}")
            position[message.partition()] = message.offset() + 1
            body = BytesIO(message.value()[_HEADER_BYTES:])
            reading: Any = fastavro.schemaless_reader(body, self._schema, None)
            readings.append(reading)
        alerts = [
            (reading, rule, reading[field])
            for reading in readings
            for field, rule in self._rules
            if rule.crossed_by(reading[field])
        ]
        # First, for somebody waits for them.
        self._writer.alerts(alerts)
        for reading in readings:
            temperature = reading["temperature_c"]
            if temperature is not None:
                key = (reading["station_id"], window_start(reading["observed_at"], self._window_seconds))
                event = (thousandths(temperature), reading["origin"])
                self._windows[key].setdefault(reading["event_id"], event)
                self._changed.add(key)
        self._writer.readings(readings)

    def _flush(self) -> None:
        self._writer.averages({key: list(self._windows[key].values()) for key in self._changed})
        self._changed.clear()


def _own_cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
