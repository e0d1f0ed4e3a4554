"""The days that a question about a span of time is asked of."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipeline.serving import _days
from tests.strategies import instants


def test_a_span_over_midnight_asks_both_days_the_newest_first() -> None:
    since, now = datetime(2026, 6, 30, 23, 50, tzinfo=UTC), datetime(2026, 7, 1, 0, 5, tzinfo=UTC)
    assert [date(2026, 7, 1), date(2026, 6, 30)] == list(_days(since, now))


def test_just_before_midnight_tomorrow_is_asked_too() -> None:
    now = datetime(2026, 7, 1, 23, 55, tzinfo=UTC)
    assert [date(2026, 7, 2), date(2026, 7, 1)] == list(_days(now, now))


@given(since=instants, span=st.timedeltas(timedelta(0), timedelta(days=20)))
def test_every_instant_of_the_span_is_in_a_day_that_is_asked(since: datetime, span: timedelta) -> None:
    asked = list(_days(since, since + span))
    assert {(since + span * part / 7).date() for part in range(8)} <= set(asked)
    assert sorted(set(asked), reverse=True) == asked
