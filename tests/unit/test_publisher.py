"""Publishing where the registry or the broker is away; what a real broker says is tested with one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.errors import RegistryError
from pipeline.publisher import Publisher, kafka_config
from pipeline.readings import Reading
from pipeline.settings import KafkaSettings, RegistrySettings

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
READING = Reading(station_id="a", observed_at=NOW, source="s", origin="live", fetched_at=NOW)
# Port 9 (discard) is nobody's.
KAFKA = KafkaSettings(bootstrap="127.0.0.1:9", user="publisher", password="not-to-be-shown")
REGISTRY = RegistrySettings(url="http://127.0.0.1:9", user="client", password="not-to-be-shown")


def test_nothing_is_sent_while_the_registry_is_away() -> None:
    with (
        Publisher(KAFKA, REGISTRY) as publisher,
        pytest.raises(RegistryError, match=r"cannot be reached: .*nothing published"),
    ):
        publisher.publish([READING])


def test_nothing_to_publish_asks_nobody() -> None:
    with Publisher(KAFKA, REGISTRY) as publisher:
        assert publisher.publish([]) == frozenset()


def test_every_client_logs_in_by_scram() -> None:
    config = kafka_config(KAFKA)
    assert ("SASL_PLAINTEXT", "SCRAM-SHA-512") == (config["security.protocol"], config["sasl.mechanism"])
