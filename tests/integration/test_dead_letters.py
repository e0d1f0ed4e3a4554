"""Dead letters on a real broker: listed, shown, and sent again by the commands."""

from __future__ import annotations

import json
import struct
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import Producer
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.environment import Environment
from pipeline.readings import Reading
from pipeline.simulate.encoder import Encoder
from pipeline.topics.dead_letters import REDRIVEN_FROM, TOPIC
from pipeline.topics.decoder import Decoder
from pipeline.topics.reader import TopicMessage, TopicReader
from tests.integration.platform_jobs import run_kafka, run_schemas
from tests.integration.services import MessageServices

if TYPE_CHECKING:
    from typer.testing import Result

    from tests.integration.containers import Kafka, Registry

pytestmark = pytest.mark.engine

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def services(kafka: Kafka, registry: Registry) -> MessageServices:
    run_kafka(kafka)
    run_schemas(registry)
    return MessageServices(broker=kafka, schema_registry=registry)


@pytest.fixture(autouse=True)
def _of_these_services(services: MessageServices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Environment, "from_env", lambda *_: services)


@pytest.fixture
def reason() -> str:
    """A reason of this test's own."""
    return f"because of {uuid.uuid4()}"


def run(*arguments: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(app, ["dlq", *arguments], input=answer)


def listed(reason: str) -> list[dict[str, Any]]:
    result = run("list", "--reason", reason, "--json", "--limit", "1000")
    assert 0 == result.exit_code, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def bury(
    services: MessageServices, value: bytes | None, reason: str, offset: int, *, key: bytes = b"boston"
) -> None:
    """Write a dead letter as Spark does: as its user, all headers as text."""
    settings = services.kafka("tables")
    producer = Producer({**services.broker.client_config("tables", settings.password.get_secret_value())})
    headers = {
        "reason": reason,
        "topic": "readings",
        "partition": "1",
        "offset": str(offset),
        "schema_id": "1",
    }
    headers["timestamp"] = str(int(NOW.timestamp() * 1000))
    producer.produce(TOPIC, value, key, headers={name: text.encode() for name, text in headers.items()})
    assert 0 == producer.flush(20)


def good(services: MessageServices, temperature: float = 20.0) -> tuple[Reading, bytes]:
    reading = Reading(
        station_id="boston",
        observed_at=NOW - timedelta(minutes=1),
        source="open-meteo",
        origin="synthetic",
        temperature_c=temperature,
        fetched_at=NOW,
    )
    schema = services.platform.schema_registry.subjects["readings-value"][-1]
    return reading, Encoder(services.registry(), schema).encode(reading)


def on_readings(services: MessageServices, place: str) -> list[TopicMessage]:
    """The messages that were sent again from one place."""
    with TopicReader(services.kafka(), "readings", "galewatch-reader-t") as topic:
        offsets = topic.offsets()
        begin = {number: there.first for number, there in offsets.items()}
        end = {number: there.end for number, there in offsets.items()}
        return [
            message
            for message in topic.messages(begin, end)
            if message.headers.get(REDRIVEN_FROM) == place.encode()
        ]


def test_a_letter_is_listed_with_reason_place_and_times(services: MessageServices, reason: str) -> None:
    for _ in range(2):
        bury(services, b"\x01junk", reason, 17)
    (letter,) = listed(reason)
    assert ("1/17", reason, 1, "boston", 5, 2) == tuple(
        letter[name] for name in ("id", "reason", "schema_id", "key", "bytes", "times")
    )
    assert NOW == datetime.fromisoformat(letter["appended_at"])
    assert abs(datetime.fromisoformat(letter["dead_at"]) - datetime.now(UTC)) < timedelta(minutes=2)


def test_the_table_holds_the_same_and_without_letters_says_so(services: MessageServices, reason: str) -> None:
    bury(services, b"\x01junk", reason, 18)
    assert "1/18" in run("list", "--reason", reason).stdout
    assert run("list", "--reason", "never").stdout == "no dead letters\n"
    future = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert run("list", "--since", future).stdout == "no dead letters\n"


def test_a_letter_of_a_known_schema_is_shown_decoded(services: MessageServices, reason: str) -> None:
    _, value = good(services, temperature=21.5)
    bury(services, value, reason, 19)
    shown = run("show", "1/19")
    assert 0 == shown.exit_code, shown.output
    for text in (reason, "00000000  00", "temperature_c  21.5", "readings"):
        assert text in shown.stdout
    (record,) = [json.loads(line) for line in run("show", "1/19", "--json").stdout.splitlines()]
    assert (value.hex(), 21.5, None) == (
        record["value"],
        record["record"]["temperature_c"],
        record["undecoded"],
    )


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (b"\x01junk", "no framed Avro"),
        (None, "no framed Avro"),
        (b"\x00" + struct.pack(">I", 987_654) + b"body", "knows no schema with id 987654"),
        (b"\x00" + struct.pack(">I", 1) + b"\xff" * 12, "does not fit schema 1"),
    ],
)
def test_a_letter_that_cannot_be_decoded_says_why(
    services: MessageServices, reason: str, value: bytes | None, why: str
) -> None:
    bury(services, value, reason, 20 + len(value or b""))
    shown = run("show", f"1/{20 + len(value or b'')}")
    assert (0, True) == (shown.exit_code, why in shown.stdout), shown.output


def test_a_letter_that_is_not_there_is_named() -> None:
    result = run("show", "7/7")
    assert (2, True) == (result.exit_code, "no dead letter '7/7'" in result.output)


def test_a_letter_is_sent_again_as_it_came_and_says_where_it_came_from(
    services: MessageServices, reason: str
) -> None:
    reading, value = good(services)
    bury(services, value, reason, 101)
    result = run("redrive", "1/101", "--yes")
    assert (0, "1 messages sent again, 0 failed\n") == (result.exit_code, result.stdout), result.output
    (again,) = on_readings(services, "readings/1/101")
    assert (b"boston", value) == (again.key, again.value)
    with Decoder(services.registry()) as decoder:
        record = decoder.decode(again.value)
    assert reading.event_id == record["event_id"]


def test_all_letters_of_a_reason_are_sent_again_and_equal_ones_once(
    services: MessageServices, reason: str
) -> None:
    for number in range(4):
        bury(services, b"\x01" + bytes([number // 2]), reason, 200 + number)
    bury(services, b"\x01other", f"not {uuid.uuid4()}", 210)
    result = run("redrive", "--reason", reason, "--yes")
    assert "2 messages sent again (2 were equal to others), 0 failed\n" == result.stdout
    assert 2 == sum(len(on_readings(services, f"readings/1/{200 + number}")) for number in range(4))
    assert [] == on_readings(services, "readings/1/210")


def test_it_asks_first_and_no_sends_nothing(services: MessageServices, reason: str) -> None:
    bury(services, b"\x01asked", reason, 300)
    result = run("redrive", "--reason", reason, answer="n\n")
    assert (1, True) == (result.exit_code, "Send 1 messages to readings again?" in result.stdout)
    assert [] == on_readings(services, "readings/1/300")


@pytest.mark.parametrize("arguments", [[], ["1/1", "--reason", "x"]])
def test_redrive_wants_letters_or_a_reason(arguments: list[str]) -> None:
    result = run("redrive", *arguments)
    assert (2, True) == (result.exit_code, "name one or several letters, or --reason" in result.output)
