"""How long people wait for alerts: reads by key from Cassandra of a running environment.

`python -m benchmarks.reads --environment dev` asks, one question after the other as a page or a command
does, for the newest alerts of each station that has some, and for the newest and for all alerts of a day.
The first questions of a session, which prepare the statements, are not counted. It only reads.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console

from benchmarks.numbers import Summary, summarise
from benchmarks.report import table
from pipeline.environment import Environment
from pipeline.errors import GalewatchError
from pipeline.serving import Serving

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

__all__ = ["Answers", "measure"]

_WARM: Final = 50
_SPAN: Final = timedelta(days=7)
_NEWEST: Final = 20
_PAGE: Final = 100
_ALL: Final = 100_000
# What users were promised: the 99th percentile of the first two rows.
_GOAL_MS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Answers:
    """One kind of question: how long it took, and the rows of the largest answer."""

    question: str
    rows: int
    took: Summary


def measure(serving: Serving, now: datetime, questions: int) -> list[Answers]:
    """Ask each kind so many times; raises GalewatchError where there is no alert to ask for."""
    alerts = serving.latest_alerts(since=now - _SPAN, now=now, limit=_ALL)
    if not alerts:
        raise GalewatchError("there is no alert of the last 7 days to ask for: `galewatch simulate --hot 10`")
    stations = list(dict.fromkeys(alert.station_id for alert in alerts))
    days = list(dict.fromkeys(alert.observed_at.date() for alert in alerts))
    return [
        _timed(
            f"the {_NEWEST} newest alerts of a station",
            lambda station: len(serving.alerts_of_station(station, limit=_NEWEST)),
            stations,
            questions,
        ),
        _timed(
            f"the {_PAGE} newest alerts of a day",
            lambda day: len(serving.alerts_of_day(day, limit=_PAGE)),
            days,
            questions,
        ),
        _timed(
            "all alerts of a day",
            lambda day: len(serving.alerts_of_day(day, limit=_ALL)),
            days,
            max(1, questions // 20),
        ),
    ]


def _timed(
    question: str, ask: Callable[[Any], int], keys: Sequence[str] | Sequence[date], count: int
) -> Answers:
    for key in islice(cycle(keys), _WARM):
        ask(key)
    took, most = [], 0
    for key in islice(cycle(keys), count):
        began = time.perf_counter()
        rows = ask(key)
        took.append(time.perf_counter() - began)
        most = max(most, rows)
    return Answers(question, most, summarise(took))


def main() -> None:
    """Measure and tell; exit code 1 where the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environment", default="dev")
    parser.add_argument("--questions", type=int, default=5000)
    arguments = parser.parse_args()
    try:
        environment = Environment.from_env(arguments.environment)
        with Serving(environment.cassandra(), environment.platform.cassandra.keyspace) as serving:
            found = measure(serving, datetime.now(UTC), arguments.questions)
    except GalewatchError as error:
        print(f"bench: {error}", file=sys.stderr)  # noqa: T201 - this is what the command says
        sys.exit(1)
    columns = ("reads from Cassandra, ms", "rows at most", "questions", "p50", "p95", "p99", "max")
    rows = [
        (one.question, one.rows, one.took.count, one.took.p50, one.took.p95, one.took.p99, one.took.max)
        for one in found
    ]
    Console(highlight=False).print(table("Reads", columns, rows))
    if any(one.took.p99 > _GOAL_MS for one in found[:2]):
        sys.exit(1)


if __name__ == "__main__":
    main()
