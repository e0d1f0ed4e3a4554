"""Loads for tests that care for what is loaded, not for who loads it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pipeline.loads import Load

__all__ = ["a_load"]

_NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


def a_load(source: str = "open-meteo", run_id: str = "a run", fetched_at: datetime = _NOON) -> Load:
    """Give a load of the hour before its fetch."""
    return Load(source, run_id, fetched_at - timedelta(hours=1), fetched_at, fetched_at)
