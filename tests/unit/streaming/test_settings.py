"""A driver's settings."""

from __future__ import annotations

import pytest

from pipeline.errors import ConfigError
from pipeline.streaming.settings import DriverSettings


def test_without_variables_a_driver_is_the_first_of_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GALEWATCH_DRIVER_INDEX", raising=False)

    assert (0, "spark://spark-master:7077") == (
        DriverSettings.from_env().index,
        DriverSettings.from_env().master,
    )


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("INDEX", "-1"),
        ("INDEX", "10"),
        ("INDEX", "first"),
        ("MASTER", "yarn"),
        ("MASTER", "spark://master"),
        ("HOST", ""),
    ],
)
def test_a_wrong_variable_is_named_with_its_value(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(f"GALEWATCH_DRIVER_{variable}", value)

    with pytest.raises(ConfigError, match=rf"^GALEWATCH_DRIVER_{variable}: .*got '{value}'$"):
        DriverSettings.from_env()


def test_failpoints_are_none_unless_they_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GALEWATCH_DRIVER_FAILPOINTS", raising=False)
    assert () == DriverSettings.from_env().failpoints

    monkeypatch.setenv("GALEWATCH_DRIVER_FAILPOINTS", "readings:after-sink,averages:before-commit")
    assert ("readings:after-sink", "averages:before-commit") == DriverSettings.from_env().failpoints


def test_an_unknown_failpoint_is_refused_and_those_that_there_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GALEWATCH_DRIVER_FAILPOINTS", "averages:after-sink,averages:before-breakfast")

    with pytest.raises(
        ConfigError,
        match=r"^GALEWATCH_DRIVER_FAILPOINTS: .*'alerts:after-sink'.* got 'averages:before-breakfast'$",
    ):
        DriverSettings.from_env()


def test_micro_batches_have_no_point_after_the_sink_of_alerts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GALEWATCH_DRIVER_FAILPOINTS", "alerts:after-sink")
    assert ("alerts:after-sink",) == DriverSettings.from_env().failpoints

    monkeypatch.setenv("GALEWATCH_DRIVER_TRIGGER", "microbatch")
    with pytest.raises(ConfigError, match="alerts:after-sink is none of the trigger microbatch"):
        DriverSettings.from_env()
