"""The slots that a driver insists on."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import StreamingError
from pipeline.streaming.session import Job, slots, wait_for_slots

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


def test_the_worker_that_is_wanted_is_named_when_it_gives_no_slots(spark: SparkSession) -> None:
    with pytest.raises(StreamingError, match="512 MiB, spark-worker-1 above all"):
        wait_for_slots(spark, Job("alerts", 2, "spark-worker-1"), Event(), deadline_seconds=0)
