"""The queries: which driver runs which, what each reads and writes, and how many slots they take.

| driver | query    | trigger     | reads    | writes                                                     |
|--------|----------|-------------|----------|------------------------------------------------------------|
| alerts | alerts   | Real-Time   | readings | alerts_by_station, alerts_by_day, topic alerts             |
| tables | readings | Real-Time   | readings | readings_by_station, latest_by_station, topic readings.dlq |
| tables | averages | micro-batch | readings | averages_by_station                                        |

Each runs one task per partition of the topic, and all queries of a driver run side by side: a driver takes
(its queries) x (partitions) slots, and there are `alerts_copies` drivers `alerts`. With two partitions and
two copies that is 2 + 2 + 4 = 8 of the 16 slots of two workers. In Real-Time Mode a task keeps its slot for
the whole batch. All write query_progress.
"""

from __future__ import annotations

import json
import logging
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from py4j.protocol import Py4JJavaError

from pipeline.streaming import jvm
from pipeline.streaming.alerts_query import ALERTS, start_alerts
from pipeline.streaming.averages_query import AVERAGES, start_averages
from pipeline.streaming.context import READINGS
from pipeline.streaming.failures import sentence
from pipeline.streaming.phases import Phase
from pipeline.streaming.readings_query import DEAD_LETTERS, READINGS_QUERY, start_readings
from pipeline.streaming.watched import RealTime, Watched

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyspark.sql.streaming.query import StreamingQuery

    from pipeline.streaming.context import Context

__all__ = ["DRIVERS", "watched"]

_LOG = logging.getLogger("driver")

DRIVERS: dict[str, tuple[str, ...]] = {"alerts": (ALERTS,), "tables": (READINGS_QUERY, AVERAGES)}
"""The queries of each driver."""


def watched(driver: str, context: Context) -> list[Watched]:
    """Give the queries of a driver, not started yet."""
    return [_QUERIES[query](context) for query in DRIVERS[driver]]


def _alerts(context: Context) -> Watched:
    if context.driver.trigger == "realtime":
        copies = context.driver.copies
        return _real_time(ALERTS, start_alerts, context, copy=context.driver.index, copies=copies)
    begin = partial(start_alerts, context, batch_seconds=None)
    return Watched(ALERTS, begin, partial(context.check_topic, ALERTS), works=partial(_works, context))


def _readings(context: Context) -> Watched:
    lateness = context.platform.streaming.allowed_lateness_seconds
    counted = {
        "late": f"came more than {lateness} s after their observation and are not averaged",
        "poison": f"are poison and went to {DEAD_LETTERS}",
    }
    # A quarter of a batch off, it changes batches while no copy of the alerts does.
    return _real_time(READINGS_QUERY, start_readings, context, copy=1, copies=4, counted=counted)


def _averages(context: Context) -> Watched:
    return Watched(
        AVERAGES,
        partial(start_averages, context),
        partial(context.check_topic, AVERAGES),
        progress=_Progress(AVERAGES, context),
        works=partial(_works, context),
    )


_QUERIES: dict[str, Callable[[Context], Watched]] = {
    ALERTS: _alerts,
    READINGS_QUERY: _readings,
    AVERAGES: _averages,
}


def _real_time(  # noqa: PLR0913 - each a fact of its own
    query: str,
    begin: Callable[[Context, int], StreamingQuery],
    context: Context,
    *,
    copy: int,
    copies: int,
    counted: Mapping[str, str] | None = None,
) -> RealTime:
    return RealTime(
        query,
        partial(begin, context),
        partial(context.check_topic, query),
        phase=Phase(context.platform.streaming.real_time_batch_seconds, copy, copies),
        beat=context.beat(query),
        tasks=context.partitions,
        counted=counted,
    )


def _works(context: Context, running: StreamingQuery) -> bool:
    """Tell whether a job of the query runs: Spark names their group by the run."""
    tracker = context.session.sparkContext.statusTracker()
    active = tracker.getActiveJobsIds()
    return bool(active) and not set(active).isdisjoint(tracker.getJobIdsForGroup(str(running.runId)))


class _Progress:
    """Writes down how far a query has come."""

    def __init__(self, query: str, context: Context) -> None:
        self._query = query
        self._context = context

    @cached_property
    def _table(self) -> Any:
        context = self._context
        return jvm.progress_table(context.session, context.access, self._query, context.driver.index)

    def __call__(self, running: StreamingQuery) -> None:
        try:
            self._table.write(json.dumps(json.loads(jvm.end_offsets(running))[READINGS]))
        except Py4JJavaError as error:
            # The query itself goes on; whoever looks sees that the progress is old.
            _LOG.warning("query %s: its progress is not written: %s", self._query, sentence(str(error)))
