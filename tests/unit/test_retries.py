"""Which failures another try can mend."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.errors import (
    ConfigError,
    ContractError,
    DeliveryError,
    HistoryError,
    IncompatibleSchemaError,
    InvalidRequestError,
    RateLimitedError,
    RefusedError,
    RegistryError,
    SourceUnavailableError,
)
from pipeline.retries import judge


@pytest.mark.parametrize(
    "error",
    [
        SourceUnavailableError("503"),
        HistoryError("the server is starting"),
        RegistryError("cannot be reached"),
        DeliveryError("timed out"),
        ConnectionResetError("by peer"),
    ],
)
def test_an_outage_is_worth_another_try(error: Exception) -> None:
    verdict = judge(error)
    assert (True, None) == (verdict.again, verdict.after)


@pytest.mark.parametrize(
    "error",
    [
        InvalidRequestError("400"),
        ContractError("another unit"),
        ConfigError("a station twice"),
        IncompatibleSchemaError("refused"),
        RefusedError("no right to write"),
        TypeError("a fault of the code"),
    ],
)
def test_a_refusal_is_final(error: Exception) -> None:
    assert judge(error).again is False


@pytest.mark.parametrize("seconds", [60, 3600, 86400])
def test_a_rate_limit_is_never_asked_again_before_its_window_is_over(seconds: int) -> None:
    verdict = judge(RateLimitedError("limit exceeded", seconds))
    assert verdict.again
    assert timedelta(seconds=seconds) == verdict.after
