"""What holds of hundredths and shifts, for every recording."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from pipeline.weather_api.recording import Recording, kelvin_hundredths
from pipeline.weather_api.replay import Replay
from tests.oracle import weather as oracle

if TYPE_CHECKING:
    from decimal import Decimal


@given(st.decimals(150, 350, places=9) | st.decimals(150, 350, places=2) | st.decimals(150, 350, places=4))
def test_the_oracle_reads_the_same_from_a_text_in_kelvin(kelvin: Decimal) -> None:
    text = str(kelvin)
    assert kelvin_hundredths(text) / 100 == oracle.celsius(text)
    assert abs(Fraction(kelvin_hundredths(text), 100) - (Fraction(kelvin) - Fraction("273.15"))) <= Fraction(
        1, 200
    )


@given(st.integers(150_000, 350_000))
def test_a_text_that_lost_its_point_gets_it_back(thousandths: int) -> None:
    with_point = f"{thousandths // 1000}.{thousandths % 1000:03d}"
    assert kelvin_hundredths(str(thousandths)) == kelvin_hundredths(with_point)
    assert kelvin_hundredths(str(thousandths)) / 100 == oracle.celsius(str(thousandths))


@given(
    first=st.integers(-100_000, 100_000),
    length=st.integers(24, 100_000),
    shown_at=st.integers(-100_000, 1_000_000),
    after=st.integers(0, 300_000),
)
def test_a_replay_goes_on_for_ever_within_the_recording_and_keeps_the_time_of_day(
    first: int, length: int, shown_at: int, after: int
) -> None:
    replay = Replay(Recording(first, first + length - 1, {}), shown_at)
    recorded = replay._recorded_hour(shown_at + after)
    assert recorded is not None
    assert first <= recorded <= first + length - 1
    assert (recorded - (first + length - 1) - after) % 24 == 0
    assert replay._recorded_hour(shown_at) == first + length - 1
