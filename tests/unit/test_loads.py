"""What makes a load another load."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.loads import Load, LoadReport

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
LOAD = Load("nws", "scheduled__one", NOON - timedelta(hours=1), NOON, NOON)


def test_the_id_of_a_load_never_changes() -> None:
    # Readings and rejected records name it: another value here makes them name nothing.
    assert LOAD.load_id == "8a29883c-fd04-54fb-92e9-98ce8f8fdbfe"


@pytest.mark.parametrize(
    "change", [{"source": "gateway"}, {"run_id": "manual"}, {"fetched_at": NOON + timedelta(milliseconds=1)}]
)
def test_another_source_run_or_fetch_is_another_load(change: dict[str, Any]) -> None:
    assert replace(LOAD, **change).load_id != LOAD.load_id


def test_what_a_load_found_empty_does_not_make_it_another() -> None:
    assert replace(LOAD, empty=3).load_id == LOAD.load_id


def test_every_record_that_was_fetched_is_accounted_for() -> None:
    report = LoadReport(stored=1, revised=2, unchanged=3, rejected=4, rejected_again=4, to_publish=3)
    assert report.fetched == 10
