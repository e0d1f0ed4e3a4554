"""Five-minute averages, as Spark must give them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.readings import Origin, Reading
from pipeline.windows import Average, Trailing, averages, thousandths, trailing, window_start

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


def reading(
    seconds: float, temperature_c: float | None, *, revision: int = 1, origin: Origin = "live"
) -> Reading:
    """Give a reading of noon plus some seconds."""
    return Reading(
        station_id="phoenix",
        observed_at=NOON + timedelta(seconds=seconds),
        source="open-meteo",
        origin=origin,
        revision=revision,
        temperature_c=temperature_c,
        fetched_at=NOON + timedelta(hours=revision),
    )


def test_a_window_has_mean_least_greatest_and_count() -> None:
    assert averages([reading(0, 20.0), reading(10, 21.0), reading(299, 25.0)], 300) == (
        Average("phoenix", NOON, NOON + timedelta(minutes=5), 22.0, 20.0, 25.0, 3, "live"),
    )


@pytest.mark.parametrize(("seconds", "start"), [(-0.001, -300), (0, 0), (299.999, 0), (300, 300)])
def test_a_window_begins_with_its_start_and_ends_before_its_end(seconds: float, start: int) -> None:
    assert window_start(NOON + timedelta(seconds=seconds), 300) == NOON + timedelta(seconds=start)


def test_windows_are_aligned_with_the_epoch_also_before_it() -> None:
    assert window_start(datetime(1969, 12, 31, 23, 59, tzinfo=UTC), 300) == datetime(
        1969, 12, 31, 23, 55, tzinfo=UTC
    )


def test_an_event_counts_once_with_its_first_revision() -> None:
    first, revised = reading(0, 20.0), reading(0, 30.0, revision=2)
    for order in ([first, revised], [revised, first], [first, first, revised]):
        (row,) = averages(order, 300)
        assert (row.temperature_c_mean, row.readings) == (20.0, 1)


def test_a_reading_without_a_temperature_is_not_counted() -> None:
    assert averages([reading(0, None)], 300) == ()
    (row,) = averages([reading(0, None), reading(10, 20.0)], 300)
    assert row.readings == 1


@pytest.mark.parametrize(
    ("temperature_c", "expected"),
    [(0.0005, 0), (0.0015, 2), (0.0025, 2), (-0.0005, 0), (-0.0015, -2), (37.7775, 37778), (21.7154, 21715)],
)
def test_halves_of_a_thousandth_go_to_the_even_one(temperature_c: float, expected: int) -> None:
    assert thousandths(temperature_c) == expected


def test_the_origin_of_a_window_is_the_alphabetically_last() -> None:
    (row,) = averages([reading(0, 20.0), reading(10, 20.0, origin="replay")], 300)
    assert row.origin == "replay"


def test_the_trailing_mean_is_of_the_window_that_ends_now() -> None:
    given = [(NOON + timedelta(seconds=at), float(at)) for at in (-301, -300, -299, -10, 0, 1)]
    since = NOON - timedelta(seconds=300)
    # The window's start is out and its end is in: -300 belongs to the window before, 1 to one to come.
    assert Trailing(since, NOON, -103.0, -299.0, 0.0, 3) == trailing(given, NOON, 300)


def test_there_is_no_trailing_mean_without_a_temperature() -> None:
    assert trailing([], NOON, 300) is None
    assert trailing([(NOON, None), (NOON - timedelta(hours=1), 20.0)], NOON, 300) is None


def test_a_trailing_mean_at_a_windows_end_is_that_windows_average() -> None:
    some = [reading(seconds, 20 + seconds / 7) for seconds in range(1, 300, 10)]
    (average,) = averages(some, 300)
    mean = trailing([(one.observed_at, one.temperature_c) for one in some], average.window_end, 300)
    assert mean is not None
    assert (average.temperature_c_mean, average.temperature_c_min, average.temperature_c_max, 30) == (
        mean.temperature_c_mean,
        mean.temperature_c_min,
        mean.temperature_c_max,
        mean.readings,
    )
