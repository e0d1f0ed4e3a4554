"""Sources in trouble: each fault is told for what it is, and what was missed is there afterwards.

All sources fail at once, and before the tests of test_policies: Airflow waits half a minute or more before it
tries again, once for all of them and beside those.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.runs import run_before, said, succeed, tries
from tests.e2e.trouble import (
    FIVE_MINUTES,
    HOUR,
    Troubled,
    fault,
    readings_csv,
    rows_of,
)
from tests.e2e.weather import station_places
from tests.integration.faults import proven
from tests.oracle import sources
from tests.oracle import weather as oracle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.runs import Try
    from tests.e2e.stack import Stack

    Query = Callable[[str], list[dict[str, Any]]]
    Record = Callable[[str, object], None]

pytestmark = [pytest.mark.engine, pytest.mark.e2e]


def test_a_limit_is_kept_as_long_as_the_source_says(
    stack: Stack, troubled: Troubled, record_property: Record
) -> None:
    """After 429 with the minute's window the gateway is left alone for a minute; then all is there."""
    with stack.airflow() as airflow:
        succeed(airflow, troubled.gateway)
        first, second = tries(airflow, troubled.gateway, "extract")[:2]
        assert "gateway answered 429: Minutely API request limit exceeded" in said(
            airflow, troubled.gateway, "extract", first.number
        )
    assert second.start - first.end >= timedelta(seconds=60)
    start, end = troubled.gateway_end - FIVE_MINUTES, troubled.gateway_end
    told = sources.from_gateway(readings_csv(stack, start, end))
    assert 300 == len(told)
    rows = stack.select(
        "SELECT station_id, observed_at, temperature_c FROM readings "
        "WHERE source = 'gateway' AND observed_at >= %s AND observed_at < %s",
        start, end,
    )  # fmt: skip
    assert sorted((item.station_id, item.observed_at, item.temperature_c) for item in told) == sorted(rows)
    _survived(record_property, "429", first, second, f"{len(rows)} readings")


def test_an_overloaded_source_is_asked_again(
    stack: Stack, troubled: Troubled, recording: Path, this_hour: datetime, record_property: Record
) -> None:
    """After 503 the same run stores the hour, once."""
    with stack.airflow() as airflow:
        succeed(airflow, troubled.nws)
        assert "nws answered 503: The service is overloaded" in said(airflow, troubled.nws, "extract", 1)
        first, second = tries(airflow, troubled.nws, "extract")[:2]
    hour = this_hour - 5 * HOUR
    places = oracle.places_of(recording, {"nws-kphx": "Phoenix"})
    expected = [item for item in oracle.recorded(recording, this_hour, 6, places) if item.observed_at == hour]
    rows = stack.select(
        "SELECT station_id, observed_at, temperature_c FROM readings "
        "WHERE station_id = 'nws-kphx' AND observed_at = %s",
        hour,
    )
    assert [(item.station_id, item.observed_at, item.temperature_c) for item in expected] == rows
    assert expected
    _survived(record_property, "503", first, second, f"{len(rows)} reading")


def test_a_changed_contract_stores_nothing_until_it_is_mended_and_a_broken_answer_is_asked_for_again(
    stack: Stack, troubled: Troubled, recording: Path, this_hour: datetime, record_property: Record
) -> None:
    """The failed run was repeated; its answer broke off in the middle; the next try has all of it."""
    run = troubled.open_meteo
    with stack.airflow() as airflow:
        succeed(airflow, run)
        well, broken, mended = tries(airflow, run, "extract")[:3]
        assert "SourceUnavailableError" not in said(airflow, run, "extract", well.number)
        told = said(airflow, run, "extract", broken.number)
        assert ("open-meteo" in told, "SourceUnavailableError" in told) == (True, True), told
    hour = this_hour - 5 * HOUR
    expected = [
        (item.station_id, item.temperature_c)
        for item in oracle.recorded(recording, this_hour, 6, station_places())
        if item.observed_at == hour
    ]
    rows = stack.select(
        "SELECT station_id, temperature_c FROM readings WHERE source = 'open-meteo' AND observed_at = %s",
        hour,
    )
    assert expected
    assert expected == sorted(rows)
    _survived(record_property, "a truncated 200", broken, mended, f"{len(rows)} readings")


def test_unknown_values_are_empty_slots_and_no_readings(stack: Stack, this_hour: datetime) -> None:
    """A source that answers nulls only is believed: the load says how many slots were empty."""
    end = this_hour - 8 * HOUR
    with stack.airflow() as airflow, fault(stack, "open-meteo", kind="nulls"):
        succeed(airflow, run_before(airflow, "ingest_open_meteo", end))
    rows = stack.select(
        "SELECT fetched, stored, rejected, empty FROM loads WHERE source = 'open-meteo' AND window_end = %s",
        end,
    )
    assert [(0, 0, 0, len(station_places()))] == rows
    assert 0 == rows_of(stack, "open-meteo", end - HOUR, end)


def _survived(record: Record, answer: str, failed: Try, again: Try, outcome: str) -> None:
    proven(
        record,
        f"a source answers {answer}, seen by Airflow",
        observed=f"try {failed.number} failed, try {again.number} succeeded",
        outcome=f"exact: {outcome}",
        recovery_s=(again.end - failed.end).total_seconds(),
    )
