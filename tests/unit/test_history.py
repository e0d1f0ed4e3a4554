"""The history's decisions that need no database: freshness, and the order of writing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipeline._history_rows import rounds, to_row
from pipeline.readings import Reading
from tests.strategies import readings

HORIZON = timedelta(hours=3)
OBSERVED = datetime(2026, 7, 1, 12, tzinfo=UTC)
LOAD_ID = "6a1b0d9e-2a4c-5a8e-9d7f-000000000001"


def _fetched(age: timedelta) -> Reading:
    return Reading(station_id="a", observed_at=OBSERVED, source="s", origin="live", fetched_at=OBSERVED + age)


def test_a_reading_younger_than_the_horizon_at_its_fetch_is_streamed() -> None:
    assert to_row(_fetched(HORIZON - timedelta(milliseconds=1)), LOAD_ID, HORIZON, OBSERVED)[-1] is True


def test_a_reading_as_old_as_the_horizon_is_history_only() -> None:
    assert to_row(_fetched(HORIZON), LOAD_ID, HORIZON, OBSERVED)[-1] is False


def test_a_load_long_after_the_fetch_decides_the_same() -> None:
    late = OBSERVED + timedelta(days=30)
    assert to_row(_fetched(HORIZON / 2), LOAD_ID, HORIZON, late)[-1] is True


few = st.lists(readings(station_ids=st.sampled_from(["a", "b"])), max_size=12)


@given(given=few)
def test_no_round_writes_a_row_twice_and_none_is_left_out(given: list[Reading]) -> None:
    made = rounds(given)
    assert len(given) == sum(len(rows) for rows in made)
    for rows in made:
        keys = [(r.station_id, r.observed_at, r.source) for r in rows]
        assert sorted(set(keys)) == keys


@given(given=few)
def test_repeated_keys_are_written_in_the_order_given(given: list[Reading]) -> None:
    def turns(rows: list[Reading]) -> dict[str, list[Reading]]:
        found: dict[str, list[Reading]] = {}
        for reading in rows:
            found.setdefault(reading.event_id, []).append(reading)
        return found

    assert turns(given) == turns([reading for rows in rounds(given) for reading in rows])
