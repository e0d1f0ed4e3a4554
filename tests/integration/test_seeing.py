"""What doctor and reconcile see in real stores, which are filled as the services fill them, and robbed.

Spark's part is written by the pure code that its queries are tested against; a whole environment is
reconciled end to end.
"""

from __future__ import annotations

import io
import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import fastavro
import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from typer.testing import CliRunner

from pipeline._cassandra import session
from pipeline.cli import app
from pipeline.config import config_dir
from pipeline.doctor import probe_data
from pipeline.doctor.seen import OutboxSeen, ProgressSeen, RegistrySeen
from pipeline.environment import Environment as Commands
from pipeline.errors import GalewatchError
from pipeline.history import History
from pipeline.outbox import drain
from pipeline.publisher import Publisher
from pipeline.readings import FIELDS, Reading, RejectedReading
from pipeline.registry import Registry as Client
from pipeline.rules import evaluate, load_rules
from pipeline.schemas import avro_schema, schema_text
from pipeline.simulate.encoder import Encoder
from pipeline.simulate.fleet import Fleet
from pipeline.topics.producer import DirectProducer
from pipeline.topics.reader import TopicError, TopicReader
from pipeline.windows import averages
from tests.integration.containers import Cassandra, Kafka, Postgres, Registry, ZooKeeper
from tests.integration.environment import Environment
from tests.integration.platform_jobs import (
    run_cassandra,
    run_history,
    run_kafka,
    run_postgres,
    run_schemas,
)
from tests.integration.services import Services
from tests.loads import a_load
from tests.robbing import without_a_row, without_a_serving_row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.engine

NOW = datetime.now(UTC).replace(microsecond=0)
RULES = load_rules(config_dir() / "rules.yaml")


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    with (
        Environment() as made,
        Postgres(made) as postgres,
        ZooKeeper(made),
        Kafka(made) as broker,
        Registry(made, postgres) as registry,
        Cassandra(made) as node,
    ):
        run_postgres(postgres)
        run_history(postgres)
        run_kafka(broker)
        run_schemas(registry)
        run_cassandra(node)
        filled = Services(name="t", postgres=postgres, broker=broker, schema_registry=registry, node=node)
        fill(filled)
        yield filled


@pytest.fixture(autouse=True)
def _of_these_services(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Commands, "from_env", lambda *_: services)


def fill(services: Services) -> None:
    """Load and publish readings, of which one was revised; let devices produce; write what comes of it."""
    loaded = [
        Reading(
            station_id=f"station-{number % 3}",
            observed_at=NOW - timedelta(minutes=20, seconds=-10 * number),
            source="open-meteo",
            origin="synthetic",
            temperature_c=30.0 + number,
            fetched_at=NOW - timedelta(minutes=5),
        )
        for number in range(12)
    ]
    refused = RejectedReading(
        station_id="station-0", observed_at=NOW, source="open-meteo", reason="too hot", raw="{}"
    )
    with (
        History(services.history("history")) as history,
        Publisher(services.kafka("publisher"), services.registry()) as publisher,
    ):
        horizon = timedelta(hours=3)
        history.load(a_load(run_id="one"), loaded, [refused], horizon=horizon, now=NOW)
        assert 12 == drain(history, publisher)
        revised = loaded[0].model_copy(update={"temperature_c": 40.0, "fetched_at": NOW})
        history.load(a_load(run_id="two"), [revised, *loaded[1:4]], horizon=horizon, now=NOW)
        assert 1 == drain(history, publisher)
    fleet = Fleet(devices=3, rate=1.0, hot_percent=40)
    sent = [fleet.reading(number, NOW - timedelta(minutes=15)) for number in range(20)]
    encoder = Encoder(services.registry(), services.platform.schema_registry.subjects["readings-value"][0])
    with DirectProducer(services.kafka("devices")) as producer:
        for reading in sent:
            producer.send(reading.station_id.encode(), encoder.encode(reading))
        producer.send(b"poison", b"\x01no avro")
        assert 21 == producer.finish().acknowledged
    everything = [*loaded, revised.model_copy(update={"revision": 2}), *sent]
    write_tables(services, everything)
    write_topics(services, everything)


def write_tables(services: Services, readings: list[Reading]) -> None:
    """Write Cassandra's rows as Spark does."""
    with session(services.cassandra("spark"), keyspace="galewatch") as opened:

        def insert(table: str, row: dict[str, Any]) -> None:
            marks = ", ".join(["%s"] * len(row))
            opened.execute(
                f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})",  # noqa: S608 - names of this module
                tuple(row.values()),
            )

        for reading in readings:
            key = {
                name: getattr(reading, name) for name in ("station_id", "observed_at", "source", "event_id")
            }
            values = {field: getattr(reading, field) for field in FIELDS.values()}
            insert("readings_by_station", {**key, **values, "day": reading.observed_at.date()})
            for alert in evaluate(RULES, reading):
                row = alert.model_dump(exclude={"alert_id"})
                insert("alerts_by_station", row)
                insert("alerts_by_day", {**row, "day": alert.observed_at.date()})
        for average in averages(readings, 300):
            row = {name: getattr(average, name) for name in average.__dataclass_fields__}
            insert("averages_by_station", {**row, "day": average.window_start.date()})


def write_topics(services: Services, readings: list[Reading]) -> None:
    """Write alerts and the dead letter as Spark does, each alert by two copies of the query."""
    with Client(services.registry()) as client:
        schema_id = client.schema_id("alerts-value", schema_text("alert.v1.avsc"))
    assert schema_id is not None
    schema = fastavro.parse_schema(avro_schema("alert.v1.avsc"))
    producer = Producer(services.broker.client_config("alerts", services.broker.password("alerts")))
    for alert in [alert for reading in readings for alert in evaluate(RULES, reading)] * 2:
        body = io.BytesIO()
        fastavro.schemaless_writer(body, schema, alert.to_avro(NOW))
        producer.produce("alerts", b"\x00" + schema_id.to_bytes(4, "big") + body.getvalue())
    assert 0 == producer.flush(20)
    with TopicReader(services.kafka(), "readings", "galewatch-reader-t") as topic:
        offsets = topic.offsets()
        begin = {number: there.first for number, there in offsets.items()}
        end = {number: there.end for number, there in offsets.items()}
        (poison,) = [one for one in topic.messages(begin, end) if one.key == b"poison"]
    headers = {"reason": "magic byte", "topic": "readings", "partition": str(poison.partition)}
    headers["offset"] = str(poison.offset)
    letters = Producer(services.broker.client_config("tables", services.broker.password("tables")))
    letters.produce(
        "readings.dlq", poison.value, poison.key, headers={k: v.encode() for k, v in headers.items()}
    )
    assert 0 == letters.flush(20)


def broken_hops() -> set[str]:
    """Run the command, and give the hops whose equation does not hold."""
    result = CliRunner().invoke(app, ["reconcile", "--json", "--settle", "0"])
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert found, result.output
    broken = {one["hop"] for one in found if not one["holds"]}
    assert result.exit_code == (1 if broken else 0)
    return broken


def test_every_equation_holds_and_the_period_is_said() -> None:
    result = CliRunner().invoke(app, ["reconcile", "--settle", "0"])
    assert 0 == result.exit_code, result.output
    assert "Every equation holds." in result.stdout
    assert "The history as a whole; the topic from " in result.stdout


def test_the_probes_see_what_is_there(services: Any) -> None:
    history = probe_data.history(services)
    assert (12, False, {"open-meteo"}) == (history.readings, history.more, set(history.loaded_at))
    assert OutboxSeen(0, None) == probe_data.outbox(services)
    assert RegistrySeen(3, ()) == probe_data.registry(services)
    kafka = probe_data.kafka(services)
    assert (13 + 21, 1, ()) == (
        kafka.topics["readings"].messages,
        kafka.topics["readings.dlq"].messages,
        kafka.missing,
    )
    assert 34 == sum(kafka.topics["readings"].ends.values())
    assert all(
        one.appended_at and one.appended_at > NOW - timedelta(minutes=1) for one in kafka.topics.values()
    )
    with session(services.cassandra("spark"), keyspace="galewatch") as opened:
        opened.execute(
            "INSERT INTO query_progress (query, copy, partition, at, next_offset) VALUES (%s, 0, 1, %s, 17)",
            ("averages", NOW),
        )
        opened.execute(
            "INSERT INTO latest_by_station (station_id, source, observed_at) VALUES ('station-0', 'nws', %s)",
            (NOW,),
        )
    serving = probe_data.serving(services)
    assert (1, NOW, (ProgressSeen("averages", 0, 1, 17, NOW),)) == (
        serving.stations,
        serving.reading_at,
        serving.progress,
    )
    assert serving.alerts > 0
    assert serving.alert_at is not None
    assert serving.average_at is not None


def test_a_schema_that_is_not_registered_and_a_topic_that_is_not_there_are_missing(services: Any) -> None:
    known = services.platform
    subjects = {**known.schema_registry.subjects, "other-value": ("alert.v1.avsc",)}
    topics = {**known.kafka.topics, "other": known.kafka.topics["alerts"]}
    wanting = replace(
        services,
        platform=known.model_copy(
            update={
                "schema_registry": known.schema_registry.model_copy(update={"subjects": subjects}),
                "kafka": known.kafka.model_copy(update={"topics": topics}),
            }
        ),
    )
    assert ("alert.v1.avsc in other-value",) == probe_data.registry(wanting).missing
    reader = known.kafka.users["reader"]
    # Whom the broker does not let see a topic, it does not tell that there is none.
    assert "other" not in reader.read
    with pytest.raises(TopicError, match="other"):
        probe_data.kafka(wanting)


@pytest.mark.parametrize(
    ("service", "probe", "reason"),
    [
        ("postgres", probe_data.history, "PostgreSQL at .* let user 'reader' not into database 'history'"),
        ("schema_registry", probe_data.registry, "the Schema Registry at .* cannot be reached"),
        ("broker", probe_data.kafka, "Kafka at .* cannot be asked about 'readings'"),
        ("node", probe_data.serving, "Cassandra at .* let role 'reader' not in"),
    ],
)
def test_a_service_that_hangs_is_told_in_time_and_by_its_name(
    services: Any, service: str, probe: Callable[[Any], Any], reason: str
) -> None:
    container = getattr(services, service).container
    container.pause()
    began = time.monotonic()
    try:
        with pytest.raises(GalewatchError, match=reason):
            probe(services)
    finally:
        container.unpause()
    assert time.monotonic() - began < 40


@pytest.mark.parametrize(
    ("table", "condition", "hops"),
    [
        ("readings", "true", {"open-meteo: loads → history", "open-meteo: loads → outbox", "outbox → topic"}),
        ("loads", "run_id = 'one'", {"open-meteo: loads → history", "open-meteo: loads → rejected"}),
        ("rejected_readings", "true", {"open-meteo: loads → rejected"}),
    ],
)
def test_a_row_taken_from_postgresql_is_missed(
    services: Services, table: str, condition: str, hops: set[str]
) -> None:
    with (
        services.postgres.connect("history", "history") as connection,
        without_a_row(connection, table, condition),
    ):
        assert hops <= broken_hops()
    assert set() == broken_hops()


@pytest.mark.parametrize(
    ("table", "hops"),
    [
        ("readings_by_station", {"topic → Cassandra"}),
        ("alerts_by_station", {"readings → alerts", "alerts"}),
        ("alerts_by_day", {"alerts"}),
        ("averages_by_station", {"readings → averages"}),
    ],
)
def test_a_row_taken_from_cassandra_is_missed(services: Services, table: str, hops: set[str]) -> None:
    with (
        session(services.cassandra("spark"), keyspace="galewatch") as opened,
        without_a_serving_row(opened, table, "station-"),
    ):
        assert hops == broken_hops()
    assert set() == broken_hops()


@pytest.mark.parametrize(
    ("topic", "hop"),
    [("alerts", "alerts → topic"), ("readings.dlq", "topic → dead letters"), ("readings", "outbox → topic")],
)
def test_messages_taken_from_a_topic_are_missed(services: Services, topic: str, hop: str) -> None:
    """The last tests of the module: nothing brings them back."""
    assert hop not in broken_hops()
    admin = AdminClient(services.broker.client_config())
    partitions = admin.list_topics(topic, timeout=10).topics[topic].partitions
    for done in admin.delete_records([TopicPartition(topic, number, -1) for number in partitions]).values():
        done.result(20)
    assert hop in broken_hops()
