"""How long readings take that come through the weather API and Airflow, which work by the interval."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from benchmarks.numbers import summarise
from pipeline.history import History
from pipeline.serving import Serving

if TYPE_CHECKING:
    from pipeline.environment import Environment

__all__ = ["through_airflow"]

# What was published during the bench was observed at most this long before.
_HORIZON: Final = timedelta(hours=4)
_AT_MOST: Final = 100_000


def through_airflow(environment: Environment, began: float, ended: float) -> dict[str, Any]:
    """Sum up, in ms, what was published between two moments: from each station of the way to the next.

    Observed → visible is told where a reading raised an alert: only an alert's row says when it was written.
    """
    since = datetime.fromtimestamp(began, UTC)
    until = datetime.fromtimestamp(ended, UTC)
    with History(environment.history()) as history:
        rows = [
            row
            for row in history.readings(since=since - _HORIZON, until=until, limit=_AT_MOST)
            if row.published_at is not None and since <= row.published_at < until
        ]
    ids = {row.reading.event_id for row in rows}
    with Serving(environment.cassandra(), environment.platform.cassandra.keyspace) as serving:
        alerts = [
            alert
            for alert in serving.latest_alerts(since=since - _HORIZON, now=until, limit=_AT_MOST)
            if alert.event_id in ids
        ]
    steps = {
        "observed → fetched": [row.reading.fetched_at - row.reading.observed_at for row in rows],
        "fetched → published": [
            row.published_at - row.reading.fetched_at for row in rows if row.published_at is not None
        ],
        "observed → alert raised": [alert.raised_at - alert.observed_at for alert in alerts],
    }
    return {
        "readings": len(rows),
        "alerts": len(alerts),
        "latency_ms": {
            name: summarise([span.total_seconds() for span in spans]).as_json()
            for name, spans in steps.items()
        },
    }
