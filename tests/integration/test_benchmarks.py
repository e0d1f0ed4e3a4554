"""The benches' own parts on real services: sender, probes, plain consumer, and the comparison of every row.

What they tell of Spark is tested end to end; here the plain consumer is the one that is measured.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from benchmarks.errors import BenchError
from benchmarks.expected import differences, expected_of
from benchmarks.fleet import Backlog, Load
from benchmarks.peer import PEER, USER, Stretch, consume
from benchmarks.phase import run
from benchmarks.sender import send
from benchmarks.tables import KEYSPACE, found, own_keyspace
from benchmarks.topics import ends
from benchmarks.worker import Worker, pipe
from pipeline.environment import Environment as Commands
from pipeline.errors import ServingError
from pipeline.platform import load_platform
from tests.integration.containers import Cassandra, Kafka, Postgres, Registry, ZooKeeper
from tests.integration.environment import Environment
from tests.integration.platform_jobs import run_cassandra, run_kafka, run_schemas

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.engine, pytest.mark.full]

_PATIENCE_S = 120


@pytest.fixture(scope="module")
def environment() -> Iterator[Commands]:
    """Give services of this module's own, as the commands see an environment."""
    with (
        Environment() as made,
        ZooKeeper(made),
        Kafka(made) as kafka,
        Postgres(made) as postgres,
        Registry(made, postgres) as registry,
        Cassandra(made) as cassandra,
    ):
        run_kafka(kafka)
        run_schemas(registry)
        run_cassandra(cassandra)
        platform = load_platform()
        ports = platform.ports.model_copy(
            update={"kafka": kafka.port, "schema_registry": registry.port, "cassandra": cassandra.port}
        )
        yield Commands(made.name, made.secrets, 0, platform.model_copy(update={"ports": ports}))


def test_the_plain_consumer_has_every_row_of_a_backlog_right(environment: Commands) -> None:
    """Alerts, averages and readings are those that were computed from the readings by other code."""
    backlog = Backlog.ending(datetime.now(UTC), 5000, 3.0)
    readings = backlog.readings()
    expected = expected_of((reading, backlog.fleet.is_hot(number)) for number, reading in enumerate(readings))
    begin = ends(environment)
    send(environment, readings)
    end = ends(environment)
    assert 5000 == sum(end.values()) - sum(begin.values())
    orders, _order = pipe()
    with own_keyspace(environment):
        with Worker(PEER, consume, environment, KEYSPACE, Stretch(begin, end), orders) as worker:
            assert "ready" == worker.take(_PATIENCE_S)
            seconds, cpu = worker.take(_PATIENCE_S)
        stored = found(environment, USER, KEYSPACE, expected)
    assert [] == differences(expected, stored)
    assert len(stored.alerts) > 100
    assert seconds > 0
    assert cpu > 0


def test_every_row_of_a_load_is_seen_and_its_time_is_told(environment: Commands) -> None:
    """Nothing is missing; times are those of a consumer that is at it, and never less than none."""
    load = Load(rate=100, seconds=4, hot_percent=10, devices=20)
    orders, order = pipe()
    ticks: list[float] = []
    stretch = Stretch(ends(environment), None)
    with (
        own_keyspace(environment),
        Worker(PEER, consume, environment, KEYSPACE, stretch, orders) as worker,
    ):
        worker.take(_PATIENCE_S)
        measured = run(environment, load, {PEER: (USER, KEYSPACE)}, ticks.append)
        order.send("stop")
        worker.take(_PATIENCE_S)
    hot = sum(load.fleet().is_hot(number) for number in range(load.total))
    assert (load.total, load.total, 0) == (
        measured.sent.counts.sent,
        measured.sent.counts.acknowledged,
        measured.sent.counts.failed,
    )
    for kind, watched in ((f"{PEER} alerts", hot), (f"{PEER} averages", -(-load.total // load.every))):
        latency, resolution = measured.latency(kind), measured.resolution(kind)
        assert (watched, 0) == (latency.count, latency.missing)
        assert 0 < latency.p50 <= latency.p99 <= latency.max
        assert 0 < resolution.p50
        assert all(one.resolution_s <= one.took_s for one in measured.found[kind].seen)
        # Each was asked for once at least, and in a load of seconds not thousands of times.
        assert watched <= measured.found[kind].questions < 1000 * watched
    assert ticks == sorted(ticks)
    assert ticks[-1] >= load.seconds - 1


def test_rows_that_never_come_are_counted_as_missing(
    environment: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a consumer nothing is seen, and the phase ends all the same."""
    monkeypatch.setattr("benchmarks.phase._PATIENCE_S", 1.0)
    load = Load(rate=50, seconds=1, hot_percent=20, devices=5)
    with own_keyspace(environment):
        measured = run(environment, load, {PEER: (USER, KEYSPACE)}, lambda _: None)
    hot = sum(load.fleet().is_hot(number) for number in range(load.total))
    latency = measured.latency(f"{PEER} alerts")
    assert (0, hot) == (latency.count, latency.missing)


def test_a_keyspace_that_is_not_there_is_one_sentence(environment: Commands) -> None:
    with pytest.raises(BenchError, match=r"the probe of nobody alerts failed: .*nowhere"):
        run(environment, Load(10, 1, 1, 1), {"nobody": (USER, "nowhere")}, lambda _: None)


def test_the_benchs_own_tables_go_with_it(environment: Commands) -> None:
    backlog = Backlog.ending(datetime.now(UTC), 1000, 1.0)
    expected = expected_of((reading, False) for reading in backlog.readings())
    with own_keyspace(environment):
        assert 0 == sum(found(environment, USER, KEYSPACE, expected).readings.values())
    with pytest.raises(ServingError):
        found(environment, USER, KEYSPACE, expected)
