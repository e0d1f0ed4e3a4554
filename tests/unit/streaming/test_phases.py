"""When copies change batches."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.streaming.phases import Phase

phases = st.integers(1, 5).flatmap(
    lambda copies: st.builds(
        Phase, batch_seconds=st.integers(20, 900), copy=st.integers(0, copies - 1), copies=st.just(copies)
    )
)
clocks = st.floats(1.7e9, 2.0e9)


@given(phase=phases, now=clocks)
def test_the_first_batch_ends_on_the_phase(phase: Phase, now: float) -> None:
    length = phase.first_batch(now)

    assert 6 <= length <= phase.batch_seconds + 6
    assert not phase.drifted(now + length)


@given(phase=phases, now=clocks)
def test_half_a_batch_off_the_phase_is_drifted(phase: Phase, now: float) -> None:
    assert phase.drifted(now + phase.first_batch(now) + phase.batch_seconds / 2)


def test_copies_change_at_equal_distances() -> None:
    assert [300, 100, 200] == [Phase(300, copy, 3).first_batch(900_000_000.0) for copy in range(3)]


def test_a_batch_that_would_be_too_short_takes_the_next_phase() -> None:
    assert [305, 7] == [Phase(300, 0, 1).first_batch(900_000_000.0 - left) for left in (5, 7)]
