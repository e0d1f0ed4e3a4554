"""The slots that a driver insists on, and where its passwords are."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import StreamingError
from pipeline.settings import CassandraSettings
from pipeline.streaming.session import Job, slots, use_cassandra, wait_for_slots

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def test_a_cluster_with_enough_slots_is_ready_at_once(spark: SparkSession) -> None:
    assert slots(spark) == 1

    wait_for_slots(spark, Job("alerts", 1), Event(), deadline_seconds=0)


def test_too_few_slots_are_an_error_that_tells_how_many(spark: SparkSession) -> None:
    with pytest.raises(StreamingError, match="driver tables needs 4 slots and got 1 in 0 s"):
        wait_for_slots(spark, Job("tables", 4), Event(), deadline_seconds=0)


def test_a_driver_that_is_told_to_stop_waits_for_no_slots(spark: SparkSession) -> None:
    stop = Event()
    stop.set()

    wait_for_slots(spark, Job("tables", 4), stop, deadline_seconds=60)


def test_cassandras_password_is_no_part_of_the_applications_configuration(spark: SparkSession) -> None:
    settings = CassandraSettings(
        host="cassandra", user="spark", password="secret", datacenter="dc1"
    )  # fmt: skip

    use_cassandra(spark, settings)

    assert spark.conf.get("spark.cassandra.auth.password") == "secret"
    assert "spark.cassandra.auth.password" not in dict(spark.sparkContext.getConf().getAll())
