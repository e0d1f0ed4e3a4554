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
