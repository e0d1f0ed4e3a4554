"""What holds of the synthetic fleet for any seed, at any time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from pipeline.readings import LIMITS
from pipeline.units import METRICS
from pipeline.weather_api.climate import Climate
from pipeline.weather_api.devices import STEP_SECONDS, Devices
from tests.strategies import stations

if TYPE_CHECKING:
    from pipeline.stations import Station

seeds = st.integers(0, 2**32)
seconds = st.integers(0, 130 * 8766 * 3600)
fleets = st.lists(stations(), min_size=1, max_size=5, unique_by=lambda station: station.id)
spans = st.integers(1, 3600)
FAR = datetime(2200, 1, 1, tzinfo=UTC)


@given(seeds, fleets, seconds)
def test_every_value_is_one_that_a_reading_may_have(seed: int, fleet: list[Station], second: int) -> None:
    devices = Devices(Climate(seed), seed, fleet)
    for device in fleet:
        for metric, value in zip(METRICS, devices.at(device, second), strict=True):
            low, high = LIMITS[metric]
            assert value is not None
            assert low <= value <= high


@given(seeds, fleets, seconds, spans, spans)
def test_an_interval_is_its_parts(seed: int, fleet: list[Station], second: int, one: int, other: int) -> None:
    devices = Devices(Climate(seed), seed, fleet)
    start = datetime.fromtimestamp(second, UTC)
    middle, end = start + timedelta(seconds=one), start + timedelta(seconds=one + other)
    for device in fleet:
        whole = devices.observations(device, start, end, FAR)
        parts = [devices.observations(device, *part, FAR) for part in ((start, middle), (middle, end))]
        assert whole == parts[0] + parts[1]
        assert all(start <= at < end and at.timestamp() % STEP_SECONDS == 0 for at, _ in whole)
        assert abs(len(whole) - (one + other) / STEP_SECONDS) < 1


@given(seeds, fleets, seconds, spans, st.integers(-3600, 7200))
def test_what_is_known_later_begins_with_what_is_known_now(
    seed: int, fleet: list[Station], second: int, span: int, until: int
) -> None:
    devices = Devices(Climate(seed), seed, fleet)
    start = datetime.fromtimestamp(second, UTC)
    end, now = start + timedelta(seconds=span), start + timedelta(seconds=until)
    early = devices.observations(fleet[0], start, end, now)
    assert early == tuple(seen for seen in devices.observations(fleet[0], start, end, FAR) if seen.at <= now)
