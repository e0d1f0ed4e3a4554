"""When a backlog is worked off: the last rows of each query, asked for one after the other."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from benchmarks.errors import BenchError
from pipeline._cassandra import session

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.expected import Expected
    from benchmarks.target import Target
    from pipeline.readings import Reading

__all__ = ["await_rows"]

# A question in vain, and then a pause: some twenty a second, whatever the backlog.
_PAUSE_S: Final = 0.05
_TELL_S: Final = 2.0

_QUERIES: Final = {
    "readings": (
        "SELECT observed_at FROM readings_by_station "
        "WHERE station_id = ? AND day = ? AND observed_at = ? AND source = ?"
    ),
    "alerts": "SELECT observed_at FROM alerts_by_station WHERE station_id = ? AND observed_at = ?",
    "averages": (
        "SELECT readings FROM averages_by_station WHERE station_id = ? AND day = ? AND window_start = ?"
    ),
}


class _Row(NamedTuple):
    """A row to wait for, by its key; an average's counts `readings` when it is complete."""

    kind: str
    key: tuple[Any, ...]
    readings: int = 0


def await_rows(
    target: Target,
    readings: Sequence[Reading],
    expected: Expected,
    patience_s: float,
    on_first: Callable[[], None],
) -> tuple[float, float]:
    """Wait until all is visible and give the moments (monotonic) of the first and of the last row.

    `on_first` is called when the first is seen. Raises BenchError where it takes longer than `patience_s`.
    """
    until = time.monotonic() + patience_s
    first, told = 0.0, 0.0
    rows = _rows(readings, expected)
    with session(target.environment.cassandra(), keyspace=target.keyspace) as opened:
        statements = {kind: opened.prepare(text) for kind, text in _QUERIES.items()}
        for index, row in enumerate(rows):
            while not _is_there(opened.execute(statements[row.kind], row.key).one(), row):
                now = time.monotonic()
                if now > until:
                    raise BenchError(
                        f"the backlog was not worked off in {patience_s:.0f} s: "
                        f"{row.kind} of {row.key[0]} are missing"
                    )
                if now - told > _TELL_S:
                    told = now
                    target.say(f"waiting for {row.kind} of {row.key[0]} ({index} of {len(rows)} seen)")
                time.sleep(_PAUSE_S)
            if not first:
                first = time.monotonic()
                on_first()
    return first, time.monotonic()


def _rows(readings: Sequence[Reading], expected: Expected) -> list[_Row]:
    """Give the first reading; of each station the last reading and the last alert; and every average."""
    last = {reading.station_id: reading for reading in readings}
    hot = {station: at for station, at, _ in sorted(expected.alerts, key=lambda alert: alert[1])}
    return [
        *(
            _Row("readings", (one.station_id, one.observed_at.date(), one.observed_at, one.source))
            for one in (readings[0], *last.values())
        ),
        *(_Row("alerts", (station, at)) for station, at in hot.items()),
        *(
            _Row("averages", (one.station_id, one.window_start.date(), one.window_start), one.readings)
            for one in sorted(expected.averages, key=lambda one: one.window_start)
        ),
    ]


def _is_there(row: Any, wanted: _Row) -> bool:
    return row is not None and (wanted.kind != "averages" or row.readings >= wanted.readings)
