"""Registers the timetable with Airflow, whose `plugins_folder` this is: without it no DAG could be stored."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from pipeline.airflow_timetable import CatchUpTimetable

__all__ = ["GalewatchTimetables"]


class GalewatchTimetables(AirflowPlugin):  # type: ignore[misc] # Airflow is untyped here
    """The timetables of the sources."""

    name = "galewatch"
    timetables = (CatchUpTimetable,)
