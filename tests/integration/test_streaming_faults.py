"""Faults of the streaming part: each is seen to have happened, and the tables are those of a run without it.

What a fault falls into is a mixture: whatever has to be told apart is among it. The last test leaves nothing
behind that works.
"""

from __future__ import annotations

import re
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest
from cassandra.cluster import NoHostAvailable
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests.integration import platform_jobs
from tests.integration.clients import CassandraSession
from tests.integration.faults import (
    KILLED,
    Failpoint,
    batch_under_way,
    cut_off,
    kill,
    proven,
    refusal,
    slow_and_lossy,
)
from tests.integration.mixture import Mixture
from tests.integration.side_by_side import side_by_side
from tests.integration.streaming import (
    expect_alerts,
    expect_tables,
    publish,
    reading,
    wait_until,
    weather,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cassandra.cluster import Session

    from tests.integration.conftest import Streaming
    from tests.integration.streaming import Platform

    Record = Callable[[str, object], None]

pytestmark = pytest.mark.engine

# Longer than a request of any client waits for its answer, and than the drivers look away.
CUT_SECONDS = 25
PAUSE_SECONDS = 20
AWAY_SECONDS = 30
# What the clients of Cassandra say while it is away.
AWAY = re.compile(r"(AllNodesFailed|NoNodeAvailable|DriverTimeout|ClosedConnection)Exception")


@pytest.fixture(scope="module", autouse=True)
def _closes_the_platform(streaming: Streaming) -> Iterator[None]:
    yield
    streaming.close()


@pytest.mark.parametrize(
    "points",
    [
        pytest.param(
            (
                ("alerts:after-sink", 0),
                ("alerts:before-commit", 1),
                ("averages:before-commit", 0),
                ("readings:after-sink", 0),
            ),
            id="some",
        ),
        pytest.param(
            (
                ("alerts:before-commit", 0),
                ("alerts:after-sink", 1),
                ("averages:after-sink", 0),
                ("readings:before-commit", 0),
            ),
            id="others",
        ),
    ],
)
@pytest.mark.full
def test_drivers_killed_between_sink_and_commit_leave_the_same_tables(
    platform: Platform, record_property: Record, points: tuple[tuple[str, int], ...]
) -> None:
    """Both copies of the alerts end in the same feed, and the tables' driver for each of its two queries."""
    *alerts, averages, readings = (Failpoint(platform.spark, name, copy) for name, copy in points)
    mixture = Mixture(platform, f"points-{averages.point}", 300, seed=20)

    for failpoint in (*alerts, averages):
        failpoint.arm()
    first = mixture.send(0)
    said = {averages: averages.wait(first)}
    readings.restarts = averages.driver.restarts
    readings.arm()
    second = mixture.send(1)
    said[readings] = readings.wait(second)
    said |= {failpoint: failpoint.wait(first) for failpoint in alerts}

    outcome = mixture.expect()
    took = time.monotonic() - max(failpoint.fired_at for failpoint in said)
    duplicates = mixture.duplicates()
    for failpoint, sentence in said.items():
        proven(
            record_property,
            f"SIGKILL of {failpoint.driver.name}, {failpoint.name}",
            observed=sentence,
            outcome=outcome,
            duplicates=duplicates,
            recovery_s=took,
        )
    for driver in platform.spark.drivers.values():
        driver.wait_until_healthy()


@pytest.mark.full
def test_killed_drivers_leave_the_same_tables(platform: Platform, record_property: Record) -> None:
    """At any moment, all three of them, while readings come."""
    readings = weather("killed", 300, seed=3)
    before = {name: driver.restarts for name, driver in platform.spark.drivers.items()}

    killed = 0.0
    for start in range(0, 300, 20):
        publish(platform, readings[start : start + 20])
        if start == 100:
            killed = time.monotonic()
            for name, driver in platform.spark.drivers.items():
                driver.kill(f"{name.split('-')[1]}.py")

    wait_until(
        lambda: all(driver.restarts > before[name] for name, driver in platform.spark.drivers.items()),
        "the engine starts the drivers again",
    )
    expect_tables(platform, readings)
    proven(
        record_property,
        "SIGKILL of all drivers at once",
        observed="each was started again by the engine",
        outcome=f"exact: {len(readings)} readings",
        recovery_s=time.monotonic() - killed,
    )
    for driver in platform.spark.drivers.values():
        driver.wait_until_healthy()


@pytest.mark.full
def test_a_killed_executor_is_replaced_and_nothing_is_lost(
    platform: Platform, record_property: Record
) -> None:
    """No driver ends for it."""
    readings = weather("executor", 100, seed=4)
    before = {name: driver.restarts for name, driver in platform.spark.drivers.items()}

    publish(platform, readings[:50])
    for worker in platform.spark.workers:
        worker.kill("CoarseGrainedExecutorBackend")
    killed = time.monotonic()
    publish(platform, readings[50:])

    expect_tables(platform, readings)
    assert before == {name: driver.restarts for name, driver in platform.spark.drivers.items()}
    proven(
        record_property,
        "SIGKILL of all executors",
        observed="three processes were signalled; no driver ended",
        outcome=f"exact: {len(readings)} readings",
        recovery_s=time.monotonic() - killed,
    )


@pytest.mark.full
def test_a_killed_worker_is_started_again_and_nothing_is_lost(
    platform: Platform, record_property: Record
) -> None:
    """With it go its executors, in the middle of their batches; the other worker goes on, or takes over."""
    mixture = Mixture(platform, "worker", 200, seed=21)
    worker = platform.spark.workers[0]
    wait_until(lambda: len(platform.spark.executors()) == 3, "every driver has its executor")
    lost = [name for name, at in platform.spark.executors().items() if at == worker.name]
    before = worker.restarts

    mixture.send(0)
    worker.kill("deploy.worker.Worker")
    killed = time.monotonic()
    mixture.send(1)

    outcome = mixture.expect()
    took = time.monotonic() - killed
    wait_until(lambda: worker.restarts > before, "the engine starts the worker again")
    wait_until(lambda: len(platform.spark.executors()) == 3, "every driver has an executor again")
    assert lost
    proven(
        record_property,
        "SIGKILL of a worker",
        observed=f"started again by the engine; it had the executors of {', '.join(sorted(lost))}",
        outcome=outcome,
        duplicates=mixture.duplicates(),
        recovery_s=took,
    )


@pytest.mark.full
def test_cassandra_killed_in_the_middle_of_a_batch_has_lost_nothing(
    platform: Platform, record_property: Record
) -> None:
    """Nothing that it had acknowledged, and nothing of what nobody could write for half a minute."""
    mixture = Mixture(platform, "mid-batch", 1000, seed=22)
    cassandra = platform.stack.cassandra
    told: list[tuple[int, int]] = []

    def kill_in_the_batch() -> None:
        batch = batch_under_way(platform.spark, "averages-0")
        told.append((batch, kill(cassandra)))

    side_by_side(kill_in_the_batch, partial(mixture.send, 0))
    ((batch, code),) = told
    begun = time.time()
    refused, killed = refusal(cassandra), time.monotonic()
    mixture.send(1)
    wait_until(lambda: time.monotonic() - killed > AWAY_SECONDS, "half a minute")
    for name, driver in platform.spark.drivers.items():
        assert AWAY.search(driver.log(begun)), name
    assert batch == batch_under_way(platform.spark, "averages-0")
    cassandra.container.start()
    cassandra.wait_until_healthy()
    started = time.monotonic()

    with CassandraSession(cassandra, "admin") as session:
        outcome = mixture.expect(platform._replace(cassandra=session))
    took = time.monotonic() - started
    wait_until(lambda: _answers(platform.cassandra), "the tests' own session finds Cassandra again")
    assert KILLED == code
    proven(
        record_property,
        "SIGKILL of Cassandra in mid-batch",
        observed=f"exit code {code}, {refused}; batch {batch} of the averages was begun and not committed",
        outcome=outcome,
        duplicates=mixture.duplicates(),
        recovery_s=took,
    )


def _answers(session: Session) -> bool:
    try:
        session.execute("SELECT now() FROM system.local")
    except NoHostAvailable:
        return False
    return True


def test_a_killed_broker_loses_nothing(platform: Platform, record_property: Record) -> None:
    """Not what it had taken, and not what a producer was about to send."""
    mixture = Mixture(platform, "broker-killed", 400, seed=23)
    kafka = platform.stack.kafka

    mixture.send(0)
    code = kill(kafka)
    refused = refusal(kafka)
    kafka.container.start()
    started = time.monotonic()
    # The producer waits for it, as do the queries.
    mixture.send(1)
    kafka.wait_until_healthy()

    outcome = mixture.expect()
    assert KILLED == code
    proven(
        record_property,
        "SIGKILL of the broker",
        observed=f"exit code {code}, {refused}",
        outcome=outcome,
        duplicates=mixture.duplicates(),
        recovery_s=time.monotonic() - started,
    )


@pytest.mark.full
def test_a_broker_that_hangs_for_20_seconds_loses_nothing(
    platform: Platform, record_property: Record
) -> None:
    """Its connections stay open and nobody answers; who was sending goes on sending."""
    mixture = Mixture(platform, "broker-paused", 400, seed=24)
    kafka = platform.stack.kafka
    admin = AdminClient(kafka.client_config("admin"))

    mixture.send(0)
    kafka.container.pause()
    paused = time.monotonic()
    sending = threading.Thread(target=mixture.send, args=(1,))
    try:
        sending.start()
        with pytest.raises(KafkaException, match=r"timed out|transport failure") as silence:
            admin.list_topics(timeout=5)
        kafka.container.reload()
        assert kafka.container.attrs["State"]["Paused"]
        wait_until(lambda: time.monotonic() - paused > PAUSE_SECONDS, "the pause")
        assert sending.is_alive()
    finally:
        kafka.container.unpause()
    started = time.monotonic()
    sending.join(60)

    outcome = mixture.expect()
    proven(
        record_property,
        f"the broker hangs for {PAUSE_SECONDS} s",
        observed=f"paused; a client said: {silence.value.args[0].str()}; a producer waited meanwhile",
        outcome=outcome,
        duplicates=mixture.duplicates(),
        recovery_s=time.monotonic() - started,
    )


@pytest.mark.full
@pytest.mark.parametrize("service", ["cassandra", "kafka"])
def test_a_network_cut_between_spark_and_a_service_loses_nothing(
    platform: Platform, record_property: Record, service: str
) -> None:
    """Packets vanish in both directions, nobody is told, and readings keep coming to the topic."""
    mixture = Mixture(platform, f"cut-{service}", 400, seed=25)
    spark = platform.spark
    before = {name: driver.restarts for name, driver in spark.drivers.items()}

    mixture.send(0)
    with cut_off(platform.stack.services[service], [*spark.workers, *spark.drivers.values()]) as dropped:
        cut = time.monotonic()
        mixture.send(1)
        wait_until(lambda: time.monotonic() - cut > CUT_SECONDS, "the cut")
        packets = dropped()
        arrived = mixture.rows_so_far()
    mended = time.monotonic()

    outcome = mixture.expect()
    assert packets > 0
    assert arrived < mixture.rows
    restarts = sum(driver.restarts - before[name] for name, driver in spark.drivers.items())
    proven(
        record_property,
        f"network cut between Spark and {service} for {CUT_SECONDS} s",
        observed=(
            f"{packets} packets dropped, {arrived} of {mixture.rows} readings there; {restarts} drivers ended"
        ),
        outcome=outcome,
        duplicates=mixture.duplicates(),
        recovery_s=time.monotonic() - mended,
    )
    for driver in spark.drivers.values():
        driver.wait_until_healthy()


@pytest.mark.full
def test_a_slow_and_lossy_link_to_kafka_and_cassandra_loses_nothing(
    platform: Platform, record_property: Record
) -> None:
    """Each sends no more than 512 kbit/s, and of what it gets one packet in twenty vanishes."""
    mixture = Mixture(platform, "lossy", 400, seed=26)
    stack = platform.stack

    with (
        slow_and_lossy(stack.kafka, kbit=512, loss=0.05) as kafka,
        slow_and_lossy(stack.cassandra, kbit=512, loss=0.05) as cassandra,
    ):
        started = time.monotonic()
        mixture.send(0)
        mixture.send(1)
        wait_until(lambda: mixture.rows_so_far() == mixture.rows, "every reading arrives over that link")
        took = time.monotonic() - started
        told = {"Kafka": kafka(), "Cassandra": cassandra()}
    # Afterwards: who compares reads the whole of every topic.
    outcome = mixture.expect()
    assert all(link.lost and link.delayed for link in told.values()), told
    proven(
        record_property,
        "a slow and lossy link",
        observed="; ".join(f"{name}: {link}" for name, link in told.items()),
        outcome=f"all came while it lasted; {outcome}",
        duplicates=mixture.duplicates(),
        recovery_s=took,
    )


@pytest.mark.full
def test_one_killed_alerts_driver_delays_no_alert(platform: Platform) -> None:
    platform.driver("driver-alerts-1").wait_until_healthy()
    platform.driver("driver-alerts-0").kill("alerts.py")

    hot = reading("hedged-0", 0, temperature_c=45.0)
    publish(platform, [hot])

    expect_alerts(platform, [hot])
    wait_until(lambda: platform.driver("driver-alerts-0").restarts > 0, "the engine starts it again")
    platform.driver("driver-alerts-0").wait_until_healthy()


@pytest.mark.full
def test_a_topic_made_anew_is_one_clear_sentence(platform: Platform) -> None:
    publish(platform, weather("anew", 40))
    expect_tables(platform, weather("anew", 40))
    admin = AdminClient(platform.stack.kafka.client_config("admin"))
    admin.delete_topics(["readings"])["readings"].result(60)

    def gone() -> bool:
        return "readings" not in admin.list_topics(timeout=20).topics

    wait_until(gone, "the topic is deleted")
    platform_jobs.run_kafka(platform.stack.kafka)

    for name, driver in platform.spark.drivers.items():
        wait_until(
            lambda driver=driver: "ERROR driver: topic readings was made anew (it was " in driver.log(),  # type: ignore[misc]
            f"{name} says it in our words",
        )
        assert "remove the query's checkpoint folder /var/lib/galewatch/checkpoints/" in driver.log()
