"""Failpoints as Spark is told of them; what they do is in spark/jvm and tests/integration."""

from __future__ import annotations

from threading import Event
from typing import get_args

import pytest

from pipeline.errors import ConfigError
from pipeline.streaming.driver import run
from pipeline.streaming.failpoints import FAILPOINTS, Failpoint, failpoint_conf


def test_without_failpoints_spark_is_told_nothing() -> None:
    assert {} == failpoint_conf((), 0)


def test_a_failpoint_is_a_folder_in_the_checkpoint_of_its_copy() -> None:
    assert {
        "spark.hadoop.galewatch.failpoints": "alerts-1/offsets=after-sink,averages-1/commits=before-commit"
    } == failpoint_conf(("alerts:after-sink", "averages:before-commit"), 1)


def test_every_failpoint_has_its_folder() -> None:
    assert set(get_args(Failpoint)) == set(FAILPOINTS)


def test_a_driver_refuses_the_failpoint_of_a_query_that_it_does_not_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GALEWATCH_DRIVER_FAILPOINTS", "averages:after-sink")

    with pytest.raises(
        ConfigError, match="averages:after-sink is of a query that driver alerts does not run"
    ):
        run("alerts", Event())
