"""Kafka → Spark → Cassandra, on the images: exact rows, poison, and what happens when something dies."""

from __future__ import annotations

import io
import json
import random
import struct
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import fastavro
import httpx
import pytest

from pipeline.rules import evaluate
from pipeline.schemas import avro_schema
from tests.integration.clients import register
from tests.integration.side_by_side import side_by_side
from tests.integration.streaming import (
    ALERT_COLUMNS,
    NOW,
    PLATFORM,
    RULES,
    SELFTEST_TTL,
    Platform,
    expect,
    expect_alerts,
    expect_tables,
    framed,
    headers,
    one_station_for_each_partition,
    publish,
    read_all,
    reading,
    reading_rows,
    schema_ids,
    send,
    stored_readings,
    wait_until,
    weather,
)

if TYPE_CHECKING:
    from tests.integration.spark_cluster import SparkContainer

pytestmark = pytest.mark.engine


def test_duplicated_and_shuffled_readings_give_exact_rows(platform: Platform) -> None:
    readings = weather("exact", 400)
    sent = [*readings, *readings[:150], *readings[100:120]]
    random.Random(2).shuffle(sent)  # noqa: S311 - weather

    publish(platform, sent)

    expect_tables(platform, readings)
    newest = [one for one in readings if one.observed_at == NOW]
    expect(
        reading_rows(newest),
        lambda: stored_readings(platform, "latest_by_station", [f"exact-{n}" for n in range(4)]),
    )


def test_the_topic_carries_each_alert_framed_with_its_schema(platform: Platform) -> None:
    readings = [reading("topic-0", 10 * number, temperature_c=40.0) for number in range(5)]
    schema = avro_schema("alert.v1.avsc")
    frame = b"\x00" + struct.pack(">I", schema_ids(platform)["alerts-value"][0])

    publish(platform, readings)

    def carried() -> dict[str, tuple[Any, ...]]:
        found = {}
        for message in read_all(platform, "alerts"):
            value = message.value() or b""
            assert value[:5] == frame
            alert: Any = fastavro.schemaless_reader(io.BytesIO(value[5:]), schema, None)
            assert message.key() == alert["station_id"].encode()
            assert headers(message) == {"alert_id": alert["alert_id"]}
            if alert["station_id"] == "topic-0":
                found[alert["alert_id"]] = tuple(alert[name] for name in ALERT_COLUMNS)
                assert timedelta(0) <= datetime.now(UTC) - alert["raised_at"] < timedelta(minutes=5)
        return found

    wanted = {
        alert.alert_id: tuple(alert.model_dump()[name] for name in ALERT_COLUMNS)
        for one in readings
        for alert in evaluate(RULES, one)
    }
    expect(wanted, carried)


def test_an_older_reading_and_an_older_revision_never_replace_newer_ones(platform: Platform) -> None:
    for one in (
        reading("latest-0", 60, temperature_c=10.0),
        reading("latest-0", 0, revision=2, temperature_c=21.0),
        reading("latest-0", 0, revision=1, temperature_c=20.0, humidity_pct=60.0),
        reading("latest-0", 30, temperature_c=15.0, wind_speed_ms=3.0),
    ):
        publish(platform, [one])

    def newest_row(table: str) -> tuple[Any, ...] | None:
        rows = sorted(platform.rows(table, "latest-0"), key=lambda row: row["observed_at"])
        return (rows[-1]["revision"], rows[-1]["temperature_c"], rows[-1]["humidity_pct"]) if rows else None

    expect(3, lambda: len(platform.rows("readings_by_station", "latest-0")))
    expect((2, 21.0, None), lambda: newest_row("readings_by_station"))
    expect((2, 21.0, None), lambda: newest_row("latest_by_station"))


def test_a_revision_that_lacks_a_value_takes_it_away_and_is_averaged_as_it_was_first(
    platform: Platform,
) -> None:
    first = reading("revised-0", 0, temperature_c=20.0, humidity_pct=60.0)
    publish(platform, [first])
    expect(1, lambda: len(platform.rows("averages_by_station", "revised-0")))

    publish(
        platform,
        [
            reading("revised-0", 0, revision=2, temperature_c=39.0),
            reading("revised-0", 10, temperature_c=22.0),
        ],
    )

    def measured() -> list[tuple[Any, ...]]:
        rows = platform.rows("readings_by_station", "revised-0")
        rows.sort(key=lambda row: row["observed_at"], reverse=True)
        return [(row["humidity_pct"], row["temperature_c"], row["revision"]) for row in rows]

    expect([(None, 39.0, 2), (None, 22.0, 1)], measured)
    expect({"heat-100f"}, lambda: {row["rule_id"] for row in platform.rows("alerts_by_station", "revised-0")})
    expect(2, lambda: sum(row["readings"] for row in platform.rows("averages_by_station", "revised-0")))
    rows = platform.rows("averages_by_station", "revised-0")
    assert {20.0, 22.0} == {
        value for row in rows for value in (row["temperature_c_min"], row["temperature_c_max"])
    }


def test_rows_of_the_selftest_live_an_hour_and_others_as_their_table_says(platform: Platform) -> None:
    publish(
        platform,
        [
            reading("galewatch-selftest", 0, temperature_c=45.0, origin="selftest"),
            reading("others-0", 0, temperature_c=45.0),
        ],
    )
    tables = (
        "alerts_by_station",
        "alerts_by_day",
        "averages_by_station",
        "readings_by_station",
        "latest_by_station",
    )

    def lives(station: str) -> list[int | None]:
        column = {
            "alerts_by_station": "message",
            "alerts_by_day": "message",
            "averages_by_station": "readings",
        }
        found = []
        for table in tables:
            query = (
                f"SELECT station_id, ttl({column.get(table, 'temperature_c')}) AS left FROM galewatch.{table}"  # noqa: S608
            )
            found += [row.left for row in platform.cassandra.execute(query) if row.station_id == station][:1]
        return found

    expect((5, 5), lambda: (len(lives("galewatch-selftest")), len(lives("others-0"))))
    assert all(SELFTEST_TTL - 300 < (left or 0) <= SELFTEST_TTL for left in lives("galewatch-selftest"))
    assert [400, 400, 400, 30, None] == [left and round(left / 86_400) for left in lives("others-0")]


def test_poison_is_dead_lettered_with_reason_and_coordinates_and_stops_nothing(platform: Platform) -> None:
    good = reading("poison-0", 0, temperature_c=20.0)
    broken = good.to_avro()
    poison = {
        b"": "shorter than a framed message",
        b"no frame at all": "magic byte 0x6E is not 0x00",
        b"\x00\x00\x00\x00\x01cut": "cannot be decoded with its writer schema: ",
        framed(broken, 1)[:-1]: "cannot be decoded with its writer schema: ",
        framed(broken, 1) + b"\x00": "cannot be decoded with its writer schema: bytes are left over",
        b"\x00" + struct.pack(">I", 4_000_000) + b"what is this": (
            "schema id 4000000 is not known to the registry"
        ),
        framed(
            broken, schema_ids(platform)["alerts-value"][0]
        ): "schema id 3 belongs to alerts-value, not to readings-value",
        framed(broken | {"temperature_c": float("nan")}, 1): "temperature_c is NaN, outside of -100 to 70",
        framed(broken | {"humidity_pct": float("inf")}, 1): "humidity_pct is Infinity, outside of 0 to 100",
        framed(broken | {"wind_speed_ms": -1.0}, 1): "wind_speed_ms is -1.0, outside of 0 to 120",
        framed(broken | {"station_id": "Not A Name"}, 1): "station_id is Not A Name, no name",
        framed(broken | {"event_id": "7"}, 1): "event_id is 7, no UUID",
        framed(
            broken | {"origin": "rumour"}, 1
        ): "origin is rumour, none of live, replay, synthetic, selftest",
        framed(broken | {"revision": 0}, 1): "revision is 0, less than 1",
        framed(broken | {"observed_at": NOW + timedelta(days=1)}, 1): (
            f"observed_at is {NOW + timedelta(days=1):%Y-%m-%d %H:%M:%S}, more than 300 s in the future"
        ),
    }

    places = send(platform, [("poison-0", value) for value in poison])
    publish(platform, [good])

    def letters() -> dict[tuple[int, int], tuple[Any, ...]]:
        found = {}
        for message in read_all(platform, "readings.dlq"):
            told = headers(message)
            assert told["topic"] == "readings"
            assert abs(time.time() * 1000 - int(told["timestamp"])) < 3_600_000
            place = (int(told["partition"]), int(told["offset"]))
            found[place] = (message.key(), message.value() or b"", told["reason"])
        return {place: found[place] for place in places if place in found}

    wanted = dict(
        zip(places, ((b"poison-0", value, reason) for value, reason in poison.items()), strict=True)
    )
    expect(list(wanted), lambda: sorted(letters(), key=list(wanted).index))
    for place, (key, value, reason) in letters().items():
        assert (key, value) == wanted[place][:2]
        assert reason.startswith(wanted[place][2]), reason
    expect_tables(platform, [good])


def test_no_password_is_in_a_page_a_log_or_the_engines_description(platform: Platform) -> None:
    names = ("spark_auth", "kafka_alerts", "kafka_tables", "registry_client", "cassandra_spark")
    passwords = {name: platform.stack.environment.password(name) for name in names}
    texts = {}
    for name, driver in platform.spark.drivers.items():
        root = f"http://{driver.host}:{driver.port}"
        application = httpx.get(f"{root}/api/v1/applications", timeout=20).json()[0]["id"]
        api = f"{root}/api/v1/applications/{application}"
        executions = httpx.get(f"{api}/sql", params={"details": "true", "length": 50}, timeout=20)
        pages = [f"{root}/environment/", f"{root}/SQL/", f"{root}/StreamingQuery/", f"{api}/environment"]
        pages += [f"{root}/SQL/execution/?id={one['id']}" for one in executions.json()[-5:]]
        texts[f"{name} sql"] = executions.text
        texts |= {f"{name} {page}": httpx.get(page, timeout=20).text for page in pages}
        assert "spark.redaction.regex" in texts[f"{name} {root}/environment/"]
    master = platform.spark.master
    texts["master"] = httpx.get(f"http://{master.host}:{master.port}/", timeout=20).text
    for container in (master, *platform.spark.workers, *platform.spark.drivers.values()):
        container.container.reload()
        texts[f"{container.name} log"] = container.log()
        texts[f"{container.name} description"] = json.dumps(container.container.attrs)
        lines = container.container.exec_run(["bash", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"]).output
        texts[f"{container.name} command lines"] = lines.decode()

    assert [] == [
        (where, name) for where, text in texts.items() for name, value in passwords.items() if value in text
    ]


# A worker without the secret; ends as soon as it has been turned away.
OUTSIDER = """
mkdir -p /tmp/none
SPARK_CONF_DIR=/tmp/none /opt/spark/bin/spark-class org.apache.spark.deploy.worker.Worker \
  --work-dir /tmp/none --webui-port 0 spark://spark-master:7077 > /tmp/none/log 2>&1 &
for attempt in $(seq 600); do
  ! grep -q -e 'Failed to connect to master' -e 'registered with master' /tmp/none/log || break
  sleep 0.1
done
kill %1
cat /tmp/none/log
"""


def test_who_does_not_know_the_secret_is_turned_away(platform: Platform) -> None:
    said = platform.spark.workers[0].container.exec_run(["bash", "-m", "-c", OUTSIDER]).output.decode()
    master = platform.spark.master
    workers = httpx.get(f"http://{master.host}:{master.port}/json/", timeout=20).json()["workers"]

    assert "Failed to connect to master spark-master:7077" in said
    assert "registered with master" not in said
    assert {"spark-worker-0", "spark-worker-1"} == {worker["host"] for worker in workers}


def test_the_copies_of_the_alerts_driver_write_from_different_workers(platform: Platform) -> None:
    wait_until(lambda: len(platform.spark.executors()) == 3, "every driver has its executor")
    executors = platform.spark.executors()

    assert executors["alerts-0"] != executors["alerts-1"]


def test_every_executor_lets_go_of_the_memory_that_was_given_back(platform: Platform) -> None:
    """Java has a thread for it; without that the C library keeps most of what RocksDB was done with."""
    look = ["bash", "-c", "cat /proc/[0-9]*/task/*/comm"]

    def trimming() -> int:
        said = [worker.container.exec_run(look).output.decode() for worker in platform.spark.workers]
        return sum(names.splitlines().count("Native Heap Tri") for names in said)

    expect(len(platform.spark.drivers), trimming)


def test_every_query_tells_how_far_it_has_come(platform: Platform) -> None:
    places = send(platform, [(one.station_id, framed(one.to_avro(), 1)) for one in weather("far", 40)])
    ends = {partition: max(end + 1 for at, end in places if at == partition) for partition, _ in places}

    def told() -> dict[tuple[str, int, int], bool]:
        rows = platform.cassandra.execute("SELECT * FROM galewatch.query_progress")
        now = datetime.now(UTC).replace(tzinfo=None)
        return {
            (row.query, row.copy, row.partition): row.next_offset >= ends.get(row.partition, 0)
            and now - row.at < timedelta(minutes=2)
            for row in rows
            if row.partition in ends
        }

    queries = [("alerts", 0), ("alerts", 1), ("readings", 0), ("averages", 0)]
    expect({(query, copy, at): True for query, copy in queries for at in ends}, told)


def test_both_versions_of_the_schema_flow_at_once(platform: Platform) -> None:
    old = [reading("both-0", 10 * number, temperature_c=39.0) for number in range(5)]
    new = [reading("both-0", 5 + 10 * number, temperature_c=39.0, quality="V") for number in range(5)]
    newest = fastavro.parse_schema(avro_schema("reading.v2.avsc"))
    ids = schema_ids(platform)

    sent = [("both-0", framed(one.to_avro(), ids["readings-value"][0])) for one in old]
    sent += [("both-0", framed(one.to_avro(), ids["readings-value"][1], newest)) for one in new]
    random.Random(8).shuffle(sent)  # noqa: S311 - weather
    send(platform, sent)

    expect_tables(platform, [*old, *new])
    rows = platform.rows("readings_by_station", "both-0")
    assert {None: 5, "V": 5} == Counter(row["quality"] for row in rows)


def test_a_new_version_is_read_at_once_and_restarts_nothing(platform: Platform) -> None:
    schema = avro_schema("reading.v2.avsc")
    schema["fields"].append({"name": "snow_cm", "type": ["null", "double"], "default": None})
    before = {name: driver.restarts for name, driver in platform.spark.drivers.items()}
    newer = reading("versions-0", 10, temperature_c=39.0)

    new_id = register(platform.stack.registry, "admin", "readings-value", json.dumps(schema)).json()["id"]
    written = framed({**newer.to_avro(), "snow_cm": 4.0}, new_id, fastavro.parse_schema(schema))
    send(platform, [("versions-0", written)])

    expect_tables(platform, [newer])
    assert before == {name: driver.restarts for name, driver in platform.spark.drivers.items()}


def test_late_readings_are_stored_and_may_alert_but_are_in_no_average(platform: Platform) -> None:
    lateness = PLATFORM.streaming.allowed_lateness_seconds
    late = reading("late-0", lateness + 60, temperature_c=40.0)
    good = reading("late-0", lateness - 3600, temperature_c=41.0)

    publish(platform, [late, good])

    expect(reading_rows([late, good]), lambda: stored_readings(platform, "readings_by_station", ["late-0"]))
    expect(2, lambda: len(platform.rows("alerts_by_station", "late-0")))
    expect(
        [41.0], lambda: [row["temperature_c_mean"] for row in platform.rows("averages_by_station", "late-0")]
    )
    assert {41.0: True, 40.0: False} == {
        row["temperature_c"]: row["on_time"] for row in platform.rows("readings_by_station", "late-0")
    }


def stop_cleanly(*drivers: SparkContainer) -> None:
    """Tell them to stop, all at once: each ends its queries, says so, and fails in nothing."""

    def stopped(driver: SparkContainer) -> int:
        return driver.log().count(f"driver {driver.name.split('-')[1]}: stopped")

    before = {driver.name: stopped(driver) for driver in drivers}
    side_by_side(*(partial(driver.container.stop, timeout=30) for driver in drivers))
    for driver in drivers:
        driver.container.reload()
        assert driver.container.attrs["State"]["ExitCode"] == 0, driver.name
        assert before[driver.name] + 1 == stopped(driver), driver.name


@pytest.mark.full
def test_a_partition_that_lags_in_a_catch_up_loses_nothing(platform: Platform) -> None:
    # Two stations on different partitions; what the one has is as old as may be, what the other has is new.
    lateness = PLATFORM.streaming.allowed_lateness_seconds
    stations = one_station_for_each_partition(platform, "lag")
    driver = platform.driver("driver-tables")
    old = [reading(stations[0], lateness - 3600 + number, temperature_c=20.0) for number in range(300)]
    new = [reading(stations[1], -200 + number, temperature_c=21.0) for number in range(300)]

    stop_cleanly(driver)
    publish(platform, new)
    publish(platform, old)
    driver.container.start()

    expect_tables(platform, [*old, *new])
    assert "behind the watermark" not in driver.log()


@pytest.mark.full
def test_micro_batches_go_on_from_real_time_and_give_the_very_same_rows(platform: Platform) -> None:
    readings = weather("trigger", 60, seed=9)
    publish(platform, readings[:30])
    tables = ("alerts_by_station", "alerts_by_day")
    stations = sorted({one.station_id for one in readings})

    def stored() -> dict[str, list[dict[str, Any]]]:
        return {table: sorted(platform.rows(table, *stations), key=repr) for table in tables}

    copies = [platform.driver(f"driver-alerts-{copy}") for copy in (0, 1)]
    expect_alerts(platform, readings[:30])
    stop_cleanly(*copies)
    try:
        with platform.spark.alerts_driver(0, 1, "microbatch"):
            publish(platform, readings[30:])
            expect_alerts(platform, readings)
            wanted = stored()
        for table in tables:
            platform.cassandra.execute(f"TRUNCATE galewatch.{table}")
        remove = ["rm", "-rf", "/var/lib/galewatch/checkpoints/alerts-0"]
        assert platform.spark.workers[0].container.exec_run(remove).exit_code == 0
        with platform.spark.alerts_driver(0, 1, "microbatch"):
            expect(wanted, stored)
    finally:
        for copy in copies:
            copy.container.start()
    for copy in copies:
        copy.wait_until_healthy()


@pytest.mark.full
def test_a_copy_whose_worker_is_gone_goes_on_elsewhere_and_comes_back_with_its_next_start(
    platform: Platform,
) -> None:
    """What scaling Spark in and out again does: no driver is configured anew."""
    spark, readings = platform.spark, weather("scaled", 60, seed=8)
    gone, copy = spark.workers[1], spark.drivers["driver-alerts-1"]
    wait_until(lambda: spark.executors().get("alerts-1") == gone.name, "its own worker")

    gone.container.stop(timeout=20)
    publish(platform, readings[:30])
    wait_until(lambda: spark.executors().get("alerts-1") == spark.workers[0].name, "the other worker")

    gone.container.start()
    gone.wait_until_healthy()
    copy.container.restart(timeout=30)
    wait_until(lambda: spark.executors().get("alerts-1") == gone.name, "its own worker again")
    copy.wait_until_healthy()
    publish(platform, readings[30:])
    expect_tables(platform, readings)
