"""A year of five-minute readings of a hundred stations in the history, and a station's last month out of it.

`python -m benchmarks.history` starts a PostgreSQL of its own, in the image, with the settings and the memory
of an environment; fills it on the server in the order in which readings come in, that is, all stations of an
interval side by side; and asks for the last 30 days of each station.
"""

from __future__ import annotations

import argparse
import json
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from benchmarks.numbers import Summary, summarise
from pipeline._history_rows import MEASURED
from pipeline.history import History, connect
from pipeline.migrations import load_migrations, migrate
from pipeline.settings import HistorySettings
from tests.integration.containers import Postgres
from tests.integration.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from psycopg2.extensions import connection as Connection  # noqa: N812 - a class in spite of its name

# What infra/terraform/history.tf gives it.
_MEMORY: Final = "512m"

_END: Final = datetime(2026, 11, 1, tzinfo=UTC)
_STEP: Final = timedelta(minutes=5)
_DAY: Final = timedelta(days=1)
_MONTH: Final = timedelta(days=30)

_FILL: Final = """
INSERT INTO readings (station_id, observed_at, source, origin, event_id, temperature_c, humidity_pct,
                      pressure_hpa, wind_speed_ms, fetched_at, ingested_at, streamed)
SELECT 'station-' || station, at, 'gateway', 'synthetic', gen_random_uuid(), 20 + 15 * random(), 50, 1013.25,
       10 * random(), at, at, false
FROM generate_series(%s::timestamptz, %s::timestamptz - interval '1 second', %s::interval) AS at,
     generate_series(1, %s) AS station
ORDER BY at, station
"""


@dataclass(frozen=True, slots=True)
class Result:
    """Rows in the table, and what answers took: of one metric, at first and again, and of whole readings."""

    rows: int
    fill_seconds: float
    table_mib: float
    index_mib: float
    rows_of_an_answer: int
    plan: list[str]
    first: Summary
    again: Summary
    whole_readings: Summary


def fill(connection: Connection, stations: int, days: int) -> None:
    """Write the readings of `days` up to the end, one transaction a day."""
    for number in range(days):
        start = _END - (days - number) * _DAY
        with connection, connection.cursor() as cursor:
            cursor.execute(_FILL, (start, start + _DAY, _STEP, stations))


def timed(ask: Callable[[str], int], stations: Sequence[str], expected: int) -> Summary:
    """Time one question for each station."""
    took = []
    for station in stations:
        began = time.perf_counter()
        found = ask(station)
        took.append(time.perf_counter() - began)
        if found != expected:
            raise AssertionError(f"{station}: {found} rows where {expected} were written")
    return summarise(took)


def measure(settings: HistorySettings, stations: int, days: int) -> Result:
    """Fill an empty history and ask it."""
    with closing(connect(settings)) as connection:
        migrate(connection, load_migrations())
        began = time.perf_counter()
        fill(connection, stations, days)
        took = time.perf_counter() - began
        connection.autocommit = True
        with connection.cursor() as cursor:
            # What autovacuum does some time after.
            cursor.execute("VACUUM ANALYZE readings")
            cursor.execute(
                "SELECT count(*), pg_relation_size('readings'), pg_indexes_size('readings') FROM readings"
            )
            rows, table, index = cursor.fetchone() or (0, 0, 0)
            names = [f"station-{number}" for number in range(1, stations + 1)]
            since = _END - min(_MONTH, days * _DAY)
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {MEASURED['temperature']}", (names[0], since, _END))
            plan = [line for (line,) in cursor.fetchall()]
    expected = (_END - since) // _STEP
    with History(settings) as history:

        def temperatures(station: str) -> int:
            return len(history.measured(station, "temperature", since=since, until=_END))

        def whole(station: str) -> int:
            return len(history.readings(station_id=station, since=since, until=_END, limit=1_000_000))

        first, again = timed(temperatures, names, expected), timed(temperatures, names, expected)
        readings = timed(whole, names, expected)
    mib = 2**20
    return Result(rows, round(took, 1), table / mib, index / mib, expected, plan, first, again, readings)


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stations", type=int, default=100)
    parser.add_argument("--days", type=int, default=365)
    arguments = parser.parse_args()
    with Environment() as environment, Postgres(environment) as service:
        service.container.update(mem_limit=_MEMORY, memswap_limit=_MEMORY)
        service.make_database("history")
        settings = HistorySettings(
            host=service.host,
            port=service.port,
            database="history",
            user="history",
            password=service.password("history"),
        )
        result = measure(settings, arguments.stations, arguments.days)
    print("\n".join(result.plan))  # noqa: T201 - this is what the command says
    told = {
        "rows": result.rows,
        "fill_seconds": result.fill_seconds,
        "table_mib": round(result.table_mib),
        "index_mib": round(result.index_mib),
        "rows_of_an_answer": result.rows_of_an_answer,
        "first_ms": result.first.as_json(),
        "again_ms": result.again.as_json(),
        "whole_readings_ms": result.whole_readings.as_json(),
    }
    print(json.dumps(told, indent=2))  # noqa: T201 - the same


if __name__ == "__main__":
    main()
