"""The queries: which driver runs which, what each reads and writes, and how many slots they take.

| driver | query    | trigger     | reads    | writes                                                     |
|--------|----------|-------------|----------|------------------------------------------------------------|
| alerts | alerts   | Real-Time   | readings | alerts_by_station, alerts_by_day, topic alerts             |
| tables | readings | micro-batch | readings | readings_by_station, latest_by_station, topic readings.dlq |
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
from pipeline.streaming.context import READINGS
from pipeline.streaming.failures import sentence
from pipeline.streaming.phases import Phase
from pipeline.streaming.tables_queries import AVERAGES, READINGS_QUERY, start_averages, start_readings
from pipeline.streaming.watched import RealTime, Watched

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql.streaming.query import StreamingQuery

    from pipeline.streaming.context import Context

__all__ = ["DRIVERS", "watched"]

_LOG = logging.getLogger("driver")

DRIVERS: dict[str, tuple[str, ...]] = {"alerts": (ALERTS,), "tables": (READINGS_QUERY, AVERAGES)}
"""The queries of each driver."""

_MICRO_BATCHES: dict[str, Callable[[Context], StreamingQuery]] = {
    ALERTS: partial(start_alerts, batch_seconds=None),
    READINGS_QUERY: start_readings,
    AVERAGES: start_averages,
}


def watched(driver: str, context: Context) -> list[Watched]:
    """Give the queries of a driver, not started yet."""
    return [_watched(query, context) for query in DRIVERS[driver]]


def _watched(query: str, context: Context) -> Watched:
    check = partial(context.check_topic, query)
    if query == ALERTS and context.driver.trigger == "realtime":
        phase = Phase(
            context.platform.streaming.alerts_batch_seconds, context.driver.index, context.driver.copies
        )
        return RealTime(
            query,
            partial(start_alerts, context),
            check,
            phase=phase,
            beat=context.beat(query),
            tasks=context.partitions,
        )
    begin, works = partial(_MICRO_BATCHES[query], context), partial(_works, context)
    if query == ALERTS:
        return Watched(query, begin, check, works=works)
    return Watched(query, begin, check, progress=_Progress(query, context), works=works)


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
