"""A plain CSV recording gives back what was written, and a replay of it moves all by the same hours."""

from __future__ import annotations

import csv
import random
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pipeline.readings import utc_text
from pipeline.stations import Station
from pipeline.weather_api.csv_recording import load_csv_recording
from pipeline.weather_api.replay import Replay
from pipeline.weather_api.weather import Values, hour_of
from tests.strategies import instants, slugs

FAR = datetime(2500, 1, 1, tzinfo=UTC)

numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)
observations = st.dictionaries(
    st.tuples(slugs, instants), st.builds(Values, numbers, numbers, numbers, numbers), min_size=1, max_size=12
)


def written(observed: dict[tuple[str, datetime], Values], seed: int, folder: Path) -> None:
    """Write the observations in any order into two files."""
    stations = sorted({station_id for station_id, _ in observed})
    with (folder / "stations.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [
                ("station_id", "name", "latitude", "longitude"),
                *((name, name.title(), 1, 2) for name in stations),
            ]
        )
    rows = [
        (station_id, utc_text(at), *("" if value is None else repr(value) for value in values))
        for (station_id, at), values in observed.items()
    ]
    random.Random(seed).shuffle(rows)  # noqa: S311 - an order, no secret
    header = ("station_id", "observed_at", "temperature_c", "humidity_pct", "pressure_hpa", "wind_speed_ms")
    for name, part in (("one", rows[::2]), ("two", rows[1::2])):
        with (folder / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([header, *part])


@given(observations, st.integers(0, 1000), st.integers(-100_000, 100_000))
def test_a_replay_shows_each_observation_moved_by_whole_hours(
    observed: dict[tuple[str, datetime], Values], seed: int, shift: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        written(observed, seed, Path(folder))
        recording = load_csv_recording(Path(folder))
    assert {place.station_id for place in recording.places} == {station_id for station_id, _ in observed}
    replay = Replay(recording, recording.last_hour + shift)
    for (station_id, at), values in observed.items():
        station = Station(id=station_id, name="x", latitude=0, longitude=0)
        moved = at + timedelta(hours=shift)
        seen = replay.observations(station, moved, moved + timedelta(milliseconds=1), FAR)
        assert seen == ((moved, values),)
    hours = {hour_of(at) for _, at in observed}
    assert (recording.first_hour, recording.last_hour) == (min(hours), max(hours))
