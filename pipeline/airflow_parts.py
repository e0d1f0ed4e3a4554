"""What the DAGs share: the asset between them, their start date, the one-slot pool and the retries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from airflow.sdk import Asset, RetryDecision, RetryPolicy

from pipeline.retries import judge

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["READINGS", "START_DATE", "TASK_DEFAULTS", "WEATHER_POOL", "RetryByCause"]

READINGS: Final = Asset(name="readings", uri="galewatch://history/readings")
"""The history's readings. Its event says which window was loaded, and with what counts."""

START_DATE: Final = datetime(2020, 1, 1, tzinfo=UTC)
"""Long ago: a run for an hour before its DAG's start date would succeed without doing anything."""

WEATHER_POOL: Final = "weather_api"
"""One slot: however many runs of however many sources there are, one request is made at a time."""


class RetryByCause(RetryPolicy):  # type: ignore[misc] # Airflow is untyped here
    """Retries what may pass, waits as long as the source says, and gives up at once on what cannot pass."""

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,  # noqa: ARG002 - the base's signature
        max_tries: int,  # noqa: ARG002
        context: Any = None,  # noqa: ARG002
    ) -> RetryDecision:
        """Turn the verdict on an error into Airflow's decision."""
        verdict = judge(exception)
        if verdict.again:
            return RetryDecision.retry(delay=verdict.after, reason=verdict.reason)
        return RetryDecision.fail(reason=verdict.reason)


TASK_DEFAULTS: Final[Mapping[str, Any]] = {
    "owner": "galewatch",
    # Half a minute, one, two, four, five: a broker's or a database's restart is over long before.
    "retries": 5,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=5),
    "retry_policy": RetryByCause(),
    "execution_timeout": timedelta(minutes=10),
}
