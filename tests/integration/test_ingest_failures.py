"""What fails on the way from a source to the topic loses nothing: faults of the API, restarts, no broker.

The weather API, PostgreSQL, the broker and the registry are real ones; the two that are stopped are this
module's own.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from confluent_kafka import Consumer, TopicPartition
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from pipeline import ingest
from pipeline import publisher as publisher_module
from pipeline.errors import DeliveryError, GalewatchError, HistoryError, SourceError
from pipeline.feeds import Feed, load_feeds
from pipeline.history import History
from pipeline.outbox import drain
from pipeline.publisher import Publisher
from pipeline.readings import Reading
from pipeline.retries import judge
from pipeline.settings import HistorySettings, KafkaSettings, RegistrySettings, WeatherSettings
from pipeline.weather_api.app import open_app
from pipeline.weather_api.settings import WeatherApiSettings
from tests.integration.containers import Kafka, Postgres, Registry, ZooKeeper
from tests.integration.environment import Environment
from tests.integration.faults import KILLED, kill, proven
from tests.integration.platform_jobs import run_history, run_kafka, run_postgres, run_schemas
from tests.integration.services import history_of, registry_of
from tests.loads import a_load
from tests.local_server import serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.requests import Request

    Record = Callable[[str, object], None]

pytestmark = pytest.mark.engine

NOW = datetime(2026, 7, 1, 12, 10, tzinfo=UTC)
HORIZON = timedelta(hours=3)
FEEDS = {feed.facts.id: feed for feed in load_feeds()}
# Whole intervals of each source, the one beside the other.
INTERVALS = {
    name: (NOW.replace(minute=0) - feed.facts.interval_time, NOW.replace(minute=0))
    for name, feed in FEEDS.items()
}
SOURCES = pytest.mark.parametrize("source", FEEDS)


@pytest.fixture(scope="module")
def environment() -> Iterator[Environment]:
    with Environment() as made:
        yield made


@pytest.fixture(scope="module")
def postgres(environment: Environment) -> Iterator[Postgres]:
    with Postgres(environment, volume=environment.volume("postgres")) as service:
        run_postgres(service)
        run_history(service)
        yield service


@pytest.fixture(scope="module")
def kafka(environment: Environment) -> Iterator[Kafka]:
    with ZooKeeper(environment), Kafka(environment, volume=environment.volume("kafka")) as service:
        run_kafka(service)
        yield service


@pytest.fixture(scope="module")
def registry(environment: Environment, postgres: Postgres) -> Iterator[RegistrySettings]:
    with Registry(environment, postgres) as service:
        run_schemas(service)
        yield registry_of(service)


@pytest.fixture(scope="module")
def settings(postgres: Postgres) -> HistorySettings:
    return history_of(postgres)


@pytest.fixture(autouse=True)
def _empty(postgres: Postgres) -> None:
    with postgres.connect(database="history") as connection, connection.cursor() as cursor:
        cursor.execute("TRUNCATE readings, rejected_readings, loads")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serve(open_app(WeatherApiSettings(now=NOW, weather_faults="on"))) as url:
        yield url


@pytest.fixture
def weather(server: str) -> Iterator[WeatherSettings]:
    """Give the weather API with no fault set."""
    yield WeatherSettings(url=server)
    for source in FEEDS:
        httpx.delete(f"{server}/faults/{source}").raise_for_status()


def break_it(weather: WeatherSettings, source: str, **fault: Any) -> None:
    """Set a fault of the weather API."""
    httpx.put(f"{weather.url}/faults/{source}", json=fault).raise_for_status()


def run(
    settings: HistorySettings, weather: WeatherSettings, feed: Feed, run_id: str = "a run"
) -> ingest.Loaded:
    """Do what the DAG does with an interval."""
    extracted = ingest.extract(weather, feed, INTERVALS[feed.facts.id], run_id=run_id, fetched_at=NOW)
    return ingest.load(settings, ingest.transform(extracted), horizon=HORIZON, now=NOW)


def table(postgres: Postgres, query: str) -> list[tuple[Any, ...]]:
    """Select from the history."""
    with postgres.connect(database="history") as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


@SOURCES
@pytest.mark.parametrize(
    "fault",
    [
        ({"kind": "rate_limited", "window": "hourly"}, True),
        ({"kind": "overloaded"}, True),
        ({"kind": "truncated"}, True),
        ({"kind": "truncated", "clean": True}, True),
        ({"kind": "contract"}, False),
    ],
)
def test_a_fault_of_the_source_stores_nothing_and_the_next_try_stores_everything(  # noqa: PLR0913, PLR0917
    settings: HistorySettings,
    postgres: Postgres,
    weather: WeatherSettings,
    source: str,
    fault: tuple[dict[str, Any], bool],
    record_property: Record,
) -> None:
    feed, (kind, is_worth_another_try) = FEEDS[source], fault
    break_it(weather, source, **kind, times=1)
    with pytest.raises(SourceError, match=f"^{source} ") as raised:
        run(settings, weather, feed)
    assert judge(raised.value).again is is_worth_another_try
    assert table(postgres, "SELECT 1 FROM loads UNION ALL SELECT 1 FROM readings") == []

    began = time.monotonic()
    loaded = run(settings, weather, feed)
    assert loaded["stored"] == loaded["to_publish"] >= len(feed.stations)
    assert [(loaded["stored"],)] == table(postgres, "SELECT count(*) FROM readings")
    proven(
        record_property,
        f"the API answers: {kind['kind']}{' at the end of a line' if kind.get('clean') else ''}",
        observed=str(raised.value),
        outcome=f"nothing stored, then {loaded['stored']} readings",
        recovery_s=time.monotonic() - began,
    )


@SOURCES
def test_an_interval_of_nulls_is_counted_and_filled_when_it_is_run_again(
    settings: HistorySettings,
    postgres: Postgres,
    weather: WeatherSettings,
    source: str,
    record_property: Record,
) -> None:
    break_it(weather, source, kind="nulls")
    empty = run(settings, weather, FEEDS[source])
    assert (empty["stored"], empty["rejected"]) == (0, 0)
    assert empty["empty"] >= len(FEEDS[source].stations)
    httpx.delete(f"{weather.url}/faults/{source}").raise_for_status()
    began = time.monotonic()
    again = run(settings, weather, FEEDS[source], run_id="another run")
    assert (again["stored"], again["empty"]) == (empty["empty"], 0)
    rows = table(postgres, "SELECT run_id, fetched, stored, empty FROM loads ORDER BY loaded_at, run_id")
    assert [("a run", 0, 0, empty["empty"]), ("another run", empty["empty"], empty["empty"], 0)] == rows
    proven(
        record_property,
        "the API answers: nulls",
        observed=f"{source}: {empty['empty']} empty slots in the load",
        outcome=f"nothing stored, then {again['stored']} readings",
        recovery_s=time.monotonic() - began,
    )


# The start of the first row, or the first temperature, and what is put there: NUL, as it is or as JSON writes
# it, and half of what JSON writes for a character beyond the first 65,536.
_IN_JSON = rb'"\\u0000\\ud800"'
UNSTORABLE = {
    "gateway": (rb"(?<=\n)(?!#)", b"\0"),
    "nws": (rb'(?<="temperature":)(\{[^}]*"value":)[^,}]+', rb"\1" + _IN_JSON),
    "open-meteo": (rb'(?<="temperature_2m":\[)[^,\]]+', _IN_JSON),
}


class Damaging:
    """Passes questions on to the weather API, and puts something else into its first answer, once."""

    def __init__(self, weather: WeatherSettings, pattern: bytes, instead: bytes) -> None:
        self._url = weather.url
        self._pattern = pattern
        self._instead = instead
        self.damaged = 0

    def app(self) -> Starlette:
        """Give the application."""
        return Starlette(routes=[Route("/{path:path}", self.answer)])

    async def answer(self, request: Request) -> Response:
        """Answer as the weather API does, but for the damage."""
        async with httpx.AsyncClient(base_url=self._url) as client:
            answer = await client.get(request.url.path, params=request.query_params)
        body = answer.content
        if not self.damaged:
            body, self.damaged = re.subn(self._pattern, self._instead, body, count=1)
        return Response(body, answer.status_code, media_type=answer.headers["Content-Type"])


@SOURCES
def test_a_record_that_cannot_be_stored_as_it_came_is_kept_too_and_the_others_are_loaded(
    settings: HistorySettings, postgres: Postgres, weather: WeatherSettings, source: str
) -> None:
    feed = FEEDS[source]
    damaging = Damaging(weather, *UNSTORABLE[source])
    with serve(damaging.app()) as url:
        extracted = ingest.extract(
            WeatherSettings(url=url), feed, INTERVALS[source], run_id="a run", fetched_at=NOW
        )
    assert damaging.damaged == 1
    # So Airflow hands it from task to task.
    with postgres.connect(database="history") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT %s::jsonb", (json.dumps(extracted),))
    loaded = ingest.load(settings, ingest.transform(extracted), horizon=HORIZON, now=NOW)
    assert loaded["rejected"] == 1
    assert loaded["stored"] >= len(feed.stations) - 1
    ((raw,),) = table(postgres, "SELECT raw FROM rejected_readings")
    assert "\ufffd" in raw


@contextmanager
def held(postgres: Postgres, reading: Reading) -> Iterator[None]:
    """Hold the row of a reading as a transaction that is not over: who writes it waits."""
    with postgres.connect(database="history") as connection:
        connection.autocommit = False
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM readings WHERE station_id = %s AND observed_at = %s FOR UPDATE",
                (reading.station_id, reading.observed_at),
            )
            yield


def await_a_waiter(postgres: Postgres) -> None:
    """Wait until a statement waits for a row."""
    deadline = datetime.now(UTC) + timedelta(seconds=30)
    while not table(postgres, "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
        assert datetime.now(UTC) < deadline, "nobody waits"


def of_stations(count: int, temperature: float = 20.0, fetched_at: datetime = NOW) -> list[Reading]:
    return [
        Reading(
            station_id=f"station-{index:04}",
            observed_at=NOW - timedelta(minutes=10),
            source="open-meteo",
            origin="synthetic",
            temperature_c=temperature,
            fetched_at=fetched_at,
        )
        for index in range(count)
    ]


def test_a_restart_of_postgresql_during_a_load_leaves_nothing_half_done_and_loses_nothing(
    settings: HistorySettings, postgres: Postgres, record_property: Record
) -> None:
    last = of_stations(2500)[-1]
    with History(settings) as history:
        history.load(a_load(), [last], horizon=HORIZON, now=NOW)
    errors: list[GalewatchError] = []
    changed = of_stations(2500, 21.0, NOW + timedelta(minutes=1))

    def load() -> None:
        try:
            with History(settings) as history:
                history.load(a_load(run_id="hit"), changed, horizon=HORIZON, now=NOW)
        except HistoryError as error:
            errors.append(error)

    thread = threading.Thread(target=load)
    # The load has written 2,499 rows and waits for the last one when the server dies.
    with held(postgres, last):
        thread.start()
        await_a_waiter(postgres)
        code = kill(postgres)
    thread.join(60)
    (error,) = errors
    assert KILLED == code
    assert judge(error).again

    postgres.container.start()
    began = time.monotonic()
    postgres.wait_until_healthy()
    assert [(1, 20.0)] == table(postgres, "SELECT count(*), min(temperature_c) FROM readings")
    assert [("a run",)] == table(postgres, "SELECT run_id FROM loads")
    with History(settings) as history:
        report = history.load(a_load(run_id="hit"), changed, horizon=HORIZON, now=NOW)
        assert (report.stored, report.revised, report.unchanged) == (2499, 1, 0)
        assert history.waiting() == 2500
    proven(
        record_property,
        "SIGKILL of PostgreSQL during a load",
        observed=f"exit code {code} after 2,499 of 2,500 rows; {error}",
        outcome="nothing half done, then 2,499 stored and 1 revised",
        recovery_s=time.monotonic() - began,
    )


def ids_on_topic(kafka: Kafka) -> list[str]:
    """Read the topic to its end; each record begins with its event id, after the frame and a length byte."""
    consumer = Consumer({**kafka.client_config(), "group.id": "t", "enable.auto.commit": False})
    found: list[str] = []
    try:
        for number in consumer.list_topics("readings", timeout=20).topics["readings"].partitions:
            first, end = consumer.get_watermark_offsets(TopicPartition("readings", number), timeout=20)
            consumer.assign([TopicPartition("readings", number, first)])
            # An idempotent producer without transactions leaves no gaps, so offsets count messages.
            for _ in range(end - first):
                message = consumer.poll(20)
                assert message is not None
                assert message.error() is None
                found.append((message.value() or b"")[6:42].decode())
    finally:
        consumer.close()
    return found


def test_a_broker_that_dies_between_two_batches_loses_no_reading_and_doubles_none(
    settings: HistorySettings,
    kafka: Kafka,
    registry: RegistrySettings,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Record,
) -> None:
    monkeypatch.setattr(publisher_module, "_DELIVERY_TIMEOUT_MS", 3_000)
    user = KafkaSettings(bootstrap=kafka.bootstrap, user="publisher", password=kafka.password("publisher"))
    given = of_stations(300)
    with History(settings) as history:
        history.load(a_load(), given, horizon=HORIZON, now=NOW)
        with Publisher(user, registry) as publisher:
            with history.unpublished(100) as outbox:
                outbox.acknowledge(publisher.publish(outbox.readings))
            code = kill(kafka)
            with pytest.raises(DeliveryError) as raised:
                drain(history, publisher, batch=100)
        assert judge(raised.value).again
        assert history.waiting() == 200

        kafka.container.start()
        began = time.monotonic()
        kafka.wait_until_healthy()
        monkeypatch.undo()
        with Publisher(user, registry) as publisher:
            assert drain(history, publisher, batch=100) == 200
        assert history.waiting() == 0
    assert sorted(reading.event_id for reading in given) == sorted(ids_on_topic(kafka))
    assert KILLED == code
    proven(
        record_property,
        "SIGKILL of the broker between two batches of the publisher",
        observed=f"exit code {code}; {raised.value}",
        outcome=f"exact: {len(given)} readings on the topic",
        duplicates=0,
        recovery_s=time.monotonic() - began,
    )


def test_a_publisher_that_dies_before_it_marks_publishes_again_under_the_same_ids(
    settings: HistorySettings,
    postgres: Postgres,
    kafka: Kafka,
    registry: RegistrySettings,
    record_property: Record,
) -> None:
    user = KafkaSettings(bootstrap=kafka.bootstrap, user="publisher", password=kafka.password("publisher"))
    given = of_stations(20, fetched_at=NOW + timedelta(minutes=2))
    before = Counter(ids_on_topic(kafka))

    def publish_and_die() -> None:
        with (
            History(settings) as history,
            Publisher(user, registry) as publisher,
            history.unpublished(100) as outbox,
        ):
            outbox.acknowledge(publisher.publish(outbox.readings))
            with postgres.connect() as connection, connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'history'"
                )

    with History(settings) as history:
        history.load(a_load(), given, horizon=HORIZON, now=NOW)
    with pytest.raises(HistoryError) as raised:
        publish_and_die()
    began = time.monotonic()
    with History(settings) as history, Publisher(user, registry) as publisher:
        assert history.waiting() == 20
        assert drain(history, publisher) == 20
    assert dict.fromkeys((reading.event_id for reading in given), 2) == dict(
        Counter(ids_on_topic(kafka)) - before
    )
    proven(
        record_property,
        "a publisher that dies between the acknowledgement and the mark",
        observed=str(raised.value),
        outcome=f"exact by distinct id: {len(given)} readings on the topic",
        duplicates=len(given),
        recovery_s=time.monotonic() - began,
    )
