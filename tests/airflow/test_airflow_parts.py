"""Retries as Airflow asks for them."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import RetryAction

from pipeline.airflow_parts import RetryByCause
from pipeline.errors import InvalidRequestError, RateLimitedError, SourceUnavailableError


def test_a_refused_request_is_not_tried_again() -> None:
    decision = RetryByCause().evaluate(InvalidRequestError("latitude 91"), 1, 5)
    assert decision.action is RetryAction.FAIL


def test_a_rate_limit_is_waited_out() -> None:
    decision = RetryByCause().evaluate(RateLimitedError("hourly limit", 3600), 1, 5)
    assert decision.action is RetryAction.RETRY
    assert decision.retry_delay == timedelta(hours=1)


def test_an_outage_is_tried_again_at_the_tasks_own_pace() -> None:
    decision = RetryByCause().evaluate(SourceUnavailableError("503"), 1, 5)
    assert decision.action is RetryAction.RETRY
    assert decision.retry_delay is None
