"""Reading whole tables back, to compare them with what is expected; and a keyspace for the plain consumer."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from benchmarks.expected import Expected, Mean
from pipeline._cassandra import session
from pipeline.schemas import cassandra_statements

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pipeline.environment import Environment

__all__ = ["KEYSPACE", "found", "own_keyspace"]

KEYSPACE: Final = "galewatch_bench"
"""The plain consumer's tables: those of the product, in a keyspace that goes with the bench."""

_TIMEOUT_S: Final = 60.0


@contextmanager
def own_keyspace(environment: Environment) -> Iterator[str]:
    """Make the tables in a keyspace of their own, empty, and drop it in the end."""
    datacenter = environment.platform.cassandra.datacenter
    with session(environment.cassandra("admin"), timeout_seconds=_TIMEOUT_S) as opened:
        opened.execute(f"DROP KEYSPACE IF EXISTS {KEYSPACE}")
        opened.execute(
            f"CREATE KEYSPACE {KEYSPACE} WITH replication = "
            f"{{'class': 'NetworkTopologyStrategy', '{datacenter}': 1}}"
        )
        opened.set_keyspace(KEYSPACE)
        for statement in cassandra_statements():
            opened.execute(statement)
    try:
        yield KEYSPACE
    finally:
        with session(environment.cassandra("admin"), timeout_seconds=_TIMEOUT_S) as opened:
            opened.execute(f"DROP KEYSPACE IF EXISTS {KEYSPACE}")


def found(environment: Environment, user: str, keyspace: str, expected: Expected) -> Expected:
    """Read the rows of the stations and days that are expected."""
    days = {(mean.station_id, mean.window_start.date()) for mean in expected.averages}
    with session(environment.cassandra(user), keyspace=keyspace, timeout_seconds=_TIMEOUT_S) as opened:
        by_station = opened.prepare("SELECT observed_at, rule_id FROM alerts_by_station WHERE station_id = ?")
        of_day = opened.prepare("SELECT * FROM averages_by_station WHERE station_id = ? AND day = ?")
        counted = opened.prepare(
            "SELECT count(*) AS n FROM readings_by_station WHERE station_id = ? AND day = ?"
        )
        alerts = {
            (station, _utc(row.observed_at), row.rule_id)
            for station in expected.readings
            for row in opened.execute(by_station, (station,))
        }
        averages = {_mean(row) for key in days for row in opened.execute(of_day, key)}
        readings: dict[str, int] = dict.fromkeys(expected.readings, 0)
        for station, day in days:
            readings[station] += opened.execute(counted, (station, day)).one().n
    return Expected(frozenset(alerts), frozenset(averages), readings)


def _mean(row: Any) -> Mean:
    return Mean(
        row.station_id,
        _utc(row.window_start),
        row.temperature_c_mean,
        row.temperature_c_min,
        row.temperature_c_max,
        row.readings,
    )


def _utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC)
