"""Every call that we make of Spark's connectors, on versions that nobody else says fit together.

They are made in one process of Spark's image, by the product's own code; see spark_calls.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from pipeline.platform import load_platform
from tests.integration.clients import CassandraSession, ends
from tests.integration.images import image
from tests.integration.platform_jobs import run_cassandra, run_kafka
from tests.integration.spark_calls import FAILING, NEWER, STATIONS, WINDOWS, WRITTEN
from tests.integration.spark_cluster import SERVICES, config_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cassandra.cluster import Session
    from docker.models.containers import Container

    from tests.integration.stack import Stack

pytestmark = [pytest.mark.engine, pytest.mark.full]

ROOT = Path(__file__).parents[2]
JAVA = ROOT / "spark" / "jvm" / "src" / "main" / "java" / "galewatch" / "spark"
FOLDER = "/var/lib/galewatch/checkpoints"
MESSAGES = 600
AT_MOST = 100
SECRETS = "/run/galewatch/secrets"

# What of the Spark-Cassandra connector is called, and by which test below each call is watched.
CALLS = {
    "cql.CassandraConnector",  # a wrong password is refused
    "cql.TableDef",  # no such table, no such column, no key
    "japi.CassandraJavaUtil",  # someColumns: every column arrives
    "writer.SqlRowWriter",  # every column arrives
    "writer.TTLOption",  # rows of the self-test live an hour, others as their table says
    "writer.TableWriter",  # every row arrives
    "writer.TimestampOption",  # the older version loses
    "writer.WriteConf",  # nulls are left out
}


class Made:
    """The station's prefix under which rows were written, the offsets that were read, and what was told."""

    def __init__(self, station: str, begin: dict[int, int], told: dict[str, Any]) -> None:
        self.station = station
        self.begin = begin
        self.told = told


@pytest.fixture(scope="module")
def made(stack: Stack) -> Iterator[Made]:
    """Let it all be done once."""
    run_kafka(stack.kafka)
    run_cassandra(stack.cassandra)
    produce(stack, MESSAGES)
    station = f"t-{uuid.uuid4().hex[:8]}"
    # Of what other tests have left on the topic nothing is read.
    begin = {number: end - MESSAGES // 2 for number, end in ends(stack.kafka, "readings").items()}
    delete_before(stack, begin)
    engine = docker.from_env()
    container = engine.containers.create(
        image("spark"),
        command=["/calls/spark_calls.py", station, str(AT_MOST), FOLDER],
        entrypoint=["python"],
        environment={
            **SERVICES,
            "GALEWATCH_KAFKA_USER": "tables",
            "GALEWATCH_KAFKA_PASSWORD_FILE": f"{SECRETS}/kafka_tables",
            "GALEWATCH_CASSANDRA_USER": "spark",
            "GALEWATCH_CASSANDRA_PASSWORD_FILE": f"{SECRETS}/cassandra_spark",
        },
        init=True,
        labels=stack.environment.labels,
        network=stack.environment.network.name,
        volumes={
            str(Path(__file__).parent): {"bind": "/calls", "mode": "ro"},
            str(config_folder(stack.environment)): {"bind": "/etc/galewatch", "mode": "ro"},
            str(stack.environment.secrets): {"bind": SECRETS, "mode": "ro"},
        },
    )
    try:
        container.start()
        await_line(container, "delete")
        produce(stack, 10)
        delete_before(stack, ends(stack.kafka, "readings"))
        assert 0 == container.exec_run(["touch", f"{FOLDER}/deleted"]).exit_code
        status = container.wait(timeout=PATIENCE_SECONDS)["StatusCode"]
        assert 0 == status, container.logs().decode()[-6000:]
        yield Made(station, begin, json.loads(container.logs(stderr=False).decode().splitlines()[-1]))
    finally:
        container.remove(force=True, v=True)
        engine.close()


PATIENCE_SECONDS = 300


def await_line(container: Container, line: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while line not in container.logs(stderr=False).decode().splitlines():
        container.reload()
        ended = container.status == "exited" or time.monotonic() > deadline
        assert not ended, container.logs().decode()[-6000:]
        time.sleep(0.2)


def produce(stack: Stack, count: int) -> None:
    """Send messages to both partitions in turn."""
    producer = Producer({**stack.kafka.client_config("devices"), "acks": "all"})
    for number in range(count):
        producer.produce("readings", b"anything", partition=number % 2)
    assert 0 == producer.flush(20)


def delete_before(stack: Stack, offsets: dict[int, int]) -> None:
    admin = AdminClient(stack.kafka.client_config())
    places = [TopicPartition("readings", number, offset) for number, offset in offsets.items()]
    for done in admin.delete_records(places).values():
        done.result(20)


@pytest.fixture(scope="module")
def reader(stack: Stack, made: Made) -> Iterator[Session]:  # noqa: ARG001 - the rows are there first
    with CassandraSession(stack.cassandra, "reader") as opened:
        opened.set_keyspace("galewatch")
        yield opened


def rows(reader: Session, station: str) -> list[Any]:
    asked = (
        "SELECT station_id, day, window_start, window_end, temperature_c_mean, temperature_c_min, "
        "temperature_c_max, readings, origin, WRITETIME(temperature_c_mean) AS mean_written, "
        "WRITETIME(temperature_c_min) AS min_written, TTL(readings) AS left_ "
        "FROM averages_by_station WHERE station_id = %s AND day = '2026-07-01' ORDER BY window_start ASC"
    )
    return list(reader.execute(asked, (station,)))


# The Spark-Cassandra connector


def test_the_connector_is_called_in_one_place_and_every_call_of_it_is_known_here() -> None:
    found = {
        path.name: re.findall(r"com\.datastax\.spark\.connector\.([\w.]+)", path.read_text(encoding="utf-8"))
        for path in JAVA.glob("*.java")
    }
    (calls,) = [calls for name, calls in found.items() if calls and name == "ConnectorTable.java"]
    assert {"ConnectorTable.java"} == {name for name, calls in found.items() if calls}
    assert CALLS | {"util.package"} == set(calls)


def test_the_versions_are_those_that_were_tried(made: Made) -> None:
    assert "4.1.1" == made.told["version"]
    pom = (ROOT / "infra" / "images" / "spark" / "pom.xml").read_text(encoding="utf-8")
    assert "<connector.version>3.5.1</connector.version>" in pom


def test_every_row_arrives_once_and_whole_however_often_it_is_written(made: Made, reader: Session) -> None:
    noon = datetime(2026, 7, 1, 12)  # noqa: DTZ001 - the driver gives UTC without saying so
    for number in range(2, STATIONS):
        name = f"{made.station}-{number}"
        starts = [noon + timedelta(minutes=5 * window) for window in range(WINDOWS)]
        assert [
            (name, "2026-07-01", start, start + timedelta(minutes=5), 20.5, 19.0, 21.0, 30, "replay")
            for start in starts
        ] == [(row[0], str(row[1]), *row[2:9]) for row in rows(reader, name)]


def test_the_later_write_time_wins_whichever_came_last(made: Made, reader: Session) -> None:
    first = rows(reader, f"{made.station}-0")[0]
    assert (20.5, WRITTEN) == (first.temperature_c_mean, first.mean_written)


def test_what_is_null_is_not_written_and_takes_nothing_away(made: Made, reader: Session) -> None:
    first = rows(reader, f"{made.station}-1")[0]
    assert (20.5, WRITTEN) == (first.temperature_c_mean, first.mean_written)
    assert (1.5, NEWER) == (first.temperature_c_min, first.min_written)


def test_a_life_of_its_own_has_a_row_of_the_selftest_and_no_other(made: Made, reader: Session) -> None:
    own = load_platform().cassandra.selftest_ttl_seconds
    (short,) = rows(reader, f"{made.station}-selftest")
    assert own - 600 <= short.left_ <= own
    (table,) = {row.left_ // 86_400 for row in rows(reader, f"{made.station}-2")}
    assert 399 == table


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("no such table", "no_such_table"),
        ("no such column", "no_such_column"),
        ("no key", "station_id"),
        ("wrong password", "incorrect|Authentication"),
    ],
)
def test_what_cannot_be_written_is_refused_before_a_row_is(made: Made, what: str, words: str) -> None:
    assert re.search(words, made.told["refusals"][what])
    assert "not-to-be-shown" not in made.told["refusals"][what]


# Kafka as source


def places(made: Made) -> list[list[tuple[int, int]]]:
    """Give the places of each batch's messages; of a batch that came twice, twice."""
    return [[(partition, offset) for partition, offset in batch] for _, _, batch in made.told["batches"]]


def test_every_message_is_read_from_the_first_that_is_there_by_batches_that_are_bounded(made: Made) -> None:
    wanted = {
        (number, first + at)
        for number, first in made.begin.items()
        for at in range(MESSAGES // len(made.begin))
    }
    numbers = {
        number: batch for (number, _, _), batch in zip(made.told["batches"], places(made), strict=True)
    }
    assert wanted == {place for batch in numbers.values() for place in batch}
    assert MESSAGES == sum(map(len, numbers.values()))
    assert max(map(len, numbers.values())) <= AT_MOST
    assert MESSAGES // AT_MOST <= len(numbers)
    end = {str(number): first + MESSAGES // 2 for number, first in made.begin.items()}
    assert {"readings": end} == made.told["end"]


def test_a_batch_that_was_not_committed_comes_again_as_it_was_and_no_other_does(made: Made) -> None:
    """After the sink and before the commit, and the query begun anew from its checkpoint."""
    assert "after the sink, before the commit" in made.told["failure"]
    numbers = [number for number, _, _ in made.told["batches"]]
    assert [*range(FAILING + 1), *range(FAILING, max(numbers) + 1)] == numbers
    first, second = [batch for batch in made.told["batches"] if batch[0] == FAILING]
    assert first == second
    times = [micros for _, micros, _ in made.told["batches"]]
    assert times == sorted(times)


def test_sparks_own_report_of_a_batch_that_came_again_ends_the_query_once_more(made: Made) -> None:
    """SPARK-55271, in 4.1.1: the report of a batch begun from the checkpoint knows no latest offsets.

    The batch is committed by then, and the query that is begun after that goes on: a driver that dies between
    sink and commit comes back a second time. A Spark in which this is mended makes this test fail: good.
    """
    (reason,) = made.told["again"]
    assert "IterableOps.map" in reason


def test_offsets_that_are_gone_stop_the_query_instead_of_being_skipped(made: Made) -> None:
    assert re.search("some data may have been missed|OffsetOutOfRange|DATA_LOSS", made.told["lost"])
