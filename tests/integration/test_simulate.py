"""A fleet producing to a real broker with a real registry."""

from __future__ import annotations

import os
import re
import signal
import threading
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.environment import Environment
from pipeline.errors import DeliveryError, RefusedError, RegistryError
from pipeline.platform import load_platform
from pipeline.settings import KafkaSettings, RegistrySettings
from pipeline.simulate.encoder import Encoder
from pipeline.simulate.fleet import Fleet
from pipeline.simulate.producer import Simulation
from pipeline.topics.producer import Counts, DirectProducer
from pipeline.topics.reader import TopicError, TopicReader
from tests.integration.platform_jobs import run_kafka, run_schemas
from tests.integration.services import MessageServices

if TYPE_CHECKING:
    from pipeline.readings import Reading
    from tests.integration.containers import Kafka, Registry

pytestmark = pytest.mark.engine

V1, V2 = load_platform().schema_registry.subjects["readings-value"]


@pytest.fixture(scope="module")
def devices(kafka: Kafka) -> KafkaSettings:
    run_kafka(kafka)
    return KafkaSettings(bootstrap=kafka.bootstrap, user="devices", password=kafka.password("devices"))


@pytest.fixture(scope="module")
def encoders(registry: Registry) -> list[Encoder]:
    run_schemas(registry)
    settings = RegistrySettings(url=registry.url, user="client", password=registry.password("client"))
    return [Encoder(settings, schema) for schema in (V1, V2)]


@pytest.fixture(scope="module")
def reader(kafka: Kafka) -> KafkaSettings:
    return KafkaSettings(bootstrap=kafka.bootstrap, user="reader", password=kafka.password("reader"))


def test_each_reading_arrives_once_under_its_devices_key_by_both_versions_in_turn(
    devices: KafkaSettings, encoders: list[Encoder], reader: KafkaSettings
) -> None:
    fleet, total = Fleet(devices=7, rate=500.0, hot_percent=10), 1000
    sent: dict[str, Reading] = {}
    told: list[Counts] = []
    with (
        TopicReader(reader, "readings", "galewatch-reader-t") as topic,
        DirectProducer(devices) as producer,
    ):
        before = {number: there.end for number, there in topic.offsets().items()}
        counts = (
            Simulation(fleet, encoders, producer)
            .run(
                total,
                threading.Event(),
                on_sent=lambda _, reading, __: sent.update({reading.event_id: reading}),
                on_progress=told.append,
            )
            .counts
        )
        after = {number: there.end for number, there in topic.offsets().items()}
        messages = list(topic.messages(before, after))
    assert (total, total, 0) == (counts.sent, counts.acknowledged, counts.failed)
    assert counts == told[-1]
    by_id = {encoder.schema_id: encoder for encoder in encoders}
    found: Counter[str] = Counter()
    for message in messages:
        encoder = by_id[int.from_bytes((message.value or b"")[1:5], "big")]
        reading = encoder.decode(message.value or b"")
        found[encoder.schema] += 1
        assert reading == sent.pop(reading.event_id)
        assert message.key == reading.station_id.encode()
        assert abs(message.appended_at - reading.observed_at) < timedelta(seconds=30)
    assert ({}, {V1: total // 2, V2: total // 2}) == (sent, found)


def test_the_rate_is_kept(devices: KafkaSettings, encoders: list[Encoder]) -> None:
    moments: list[float] = []
    with DirectProducer(devices) as producer:
        Simulation(Fleet(10, 200.0), encoders, producer).run(
            400,
            threading.Event(),
            on_sent=lambda _, __, moment: moments.append(moment),
        )
    assert 1.9 < moments[-1] - moments[0] < 2.5


def test_a_stop_ends_it_early_and_what_was_sent_is_acknowledged(
    devices: KafkaSettings, encoders: list[Encoder]
) -> None:
    stop = threading.Event()
    with DirectProducer(devices) as producer:
        counts = (
            Simulation(Fleet(10, 100.0), encoders, producer)
            .run(
                100_000,
                stop,
                on_sent=lambda number, *_: stop.set() if number == 30 else None,
            )
            .counts
        )
    assert (31, 31, 0) == (counts.sent, counts.acknowledged, counts.failed)


def test_what_the_broker_does_not_take_in_time_is_counted_as_failed(
    kafka: Kafka, devices: KafkaSettings, encoders: list[Encoder]
) -> None:
    options = {"delivery.timeout.ms": 1500, "request.timeout.ms": 1000}
    with DirectProducer(devices, options) as producer:
        kafka.container.pause()
        try:
            counts = Simulation(Fleet(10, 1000.0), encoders, producer).run(100, threading.Event()).counts
        finally:
            kafka.container.unpause()
    assert (100, 0, 100) == (counts.sent, counts.acknowledged, counts.failed)
    assert counts.reason


def test_a_wrong_password_is_told_before_anything_is_due(devices: KafkaSettings) -> None:
    wrong = devices.model_copy(update={"password": SecretStr("not-to-be-shown")})
    with pytest.raises(RefusedError, match="refused the password of user 'devices'") as raised:
        DirectProducer(wrong).__enter__()
    assert "not-to-be-shown" not in str(raised.value)


def test_nobody_at_the_address_is_said_so() -> None:
    nobody = KafkaSettings(bootstrap="127.0.0.1:9", user="devices", password="x")
    with pytest.raises(DeliveryError, match=r"Kafka at 127\.0\.0\.1:9 cannot be reached"):
        DirectProducer(nobody).__enter__()


def test_a_schema_that_is_not_registered_is_named(registry: Registry) -> None:
    settings = RegistrySettings(url=registry.url, user="client", password=registry.password("client"))
    with pytest.raises(RegistryError, match=r"does not know alert\.v1\.avsc in subject 'readings-value'"):
        Encoder(settings, "alert.v1.avsc")


def test_devices_may_write_readings_and_nothing_else(devices: KafkaSettings) -> None:
    with TopicReader(devices, "readings", "galewatch-reader-t") as topic, pytest.raises(TopicError):
        list(topic.messages({0: 0}, {0: 1}))


@pytest.fixture
def command(
    kafka: Kafka,
    registry: Registry,
    devices: KafkaSettings,
    encoders: list[Encoder],
    monkeypatch: pytest.MonkeyPatch,
) -> list[str]:
    assert devices
    assert encoders
    services = MessageServices(broker=kafka, schema_registry=registry)
    monkeypatch.setattr(Environment, "from_env", lambda *_: services)
    return ["simulate", "--rate", "200", "--devices", "5", "--schema", "both", "--hot", "50"]


def test_the_command_tells_what_became_of_the_readings(command: list[str]) -> None:
    result = CliRunner().invoke(app, [*command, "--seconds", "1"])
    assert 0 == result.exit_code, result.output
    assert "200 readings of 5 devices in 1." in result.stdout
    assert "200 acknowledged, 0 failed" in result.stdout


def test_ctrl_c_ends_the_command_early_with_what_was_acknowledged(command: list[str]) -> None:
    threading.Timer(2.0, os.kill, (os.getpid(), signal.SIGINT)).start()
    before = signal.getsignal(signal.SIGINT)
    result = CliRunner().invoke(app, [*command, "--seconds", "600"])
    assert 130 == result.exit_code, result.output
    sent, acknowledged = re.findall(r"^([\d,]+) readings|([\d,]+) acknowledged", result.stdout)
    assert sent[0] == acknowledged[1]
    assert before == signal.getsignal(signal.SIGINT)
