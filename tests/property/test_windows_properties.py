"""What holds of the averages, whatever comes in whatever order."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from pipeline.windows import averages, window_start
from tests.strategies import EPOCH, instants, readings

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.readings import Reading

# Few stations within few minutes, so that readings meet in windows and events repeat.
crowded = st.lists(
    readings(
        station_ids=st.sampled_from(["a", "b"]),
        observed=st.integers(0, 60).map(lambda tens: EPOCH + timedelta(days=20000, seconds=10 * tens)),
        revisions=st.integers(1, 2),
    ),
    max_size=25,
)


@given(crowded, st.randoms(use_true_random=False))
def test_the_order_of_arrival_decides_nothing(some: list[Reading], random: object) -> None:
    shuffled = list(some)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert averages(shuffled, 300) == averages(some, 300)


@given(crowded)
def test_what_comes_twice_counts_once(some: list[Reading]) -> None:
    assert averages([*some, *some], 300) == averages(some, 300)


@given(crowded)
def test_every_event_with_a_temperature_is_in_exactly_one_window(some: list[Reading]) -> None:
    events = {reading.event_id for reading in some if reading.temperature_c is not None}
    assert sum(row.readings for row in averages(some, 300)) == len(events)


@given(crowded)
def test_least_mean_and_greatest_are_in_this_order(some: list[Reading]) -> None:
    for row in averages(some, 300):
        slack = 1e-12 * (1 + abs(row.temperature_c_mean))
        assert row.temperature_c_min - slack <= row.temperature_c_mean <= row.temperature_c_max + slack
        assert row.window_end - row.window_start == timedelta(minutes=5)


@given(instants, st.integers(1, 86400))
def test_an_instant_lies_in_its_window(instant: datetime, seconds: int) -> None:
    start = window_start(instant, seconds)
    assert start <= instant < start + timedelta(seconds=seconds)
    assert (start - EPOCH) % timedelta(seconds=seconds) == timedelta(0)
