"""Intervals by cron, of which the recent ones are made up for after a standstill."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.timetables.base import TimeRestriction
from airflow.timetables.interval import CronDataIntervalTimetable
from pendulum import now

if TYPE_CHECKING:
    from airflow.timetables.base import DagRunInfo, DataInterval

__all__ = ["CatchUpTimetable"]


class CatchUpTimetable(CronDataIntervalTimetable):  # type: ignore[misc] # Airflow is untyped here
    """Runs the newest interval first, and after a standstill each that began less than `catch_up` ago.

    Airflow itself knows only all or nothing: every interval since the DAG's start date, which lies years back
    so that any past hour can be run, or the newest one alone.
    """

    def __init__(self, cron: str, catch_up: timedelta, timezone: Any = "UTC") -> None:
        super().__init__(cron, timezone)
        self._catch_up = catch_up

    def serialize(self) -> dict[str, Any]:
        """Write it as plain JSON, for Airflow's database."""
        return {**super().serialize(), "catch_up_seconds": self._catch_up.total_seconds()}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> CatchUpTimetable:
        """Read what `serialize` wrote."""
        return cls(data["expression"], timedelta(seconds=data["catch_up_seconds"]), data["timezone"])

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """Give the interval after the last one, or the first one that is not too old."""
        if last_automated_data_interval is not None and not restriction.catchup:
            oldest = now("UTC") - self._catch_up
            earliest = max(oldest, restriction.earliest) if restriction.earliest else oldest
            restriction = TimeRestriction(earliest, restriction.latest, catchup=True)
        return super().next_dagrun_info(
            last_automated_data_interval=last_automated_data_interval, restriction=restriction
        )
