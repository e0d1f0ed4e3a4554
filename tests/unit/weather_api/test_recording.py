"""Recordings: exact values, and one clear error for what is damaged."""

from __future__ import annotations

import shutil
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fastavro
import pytest

from pipeline.errors import ConfigError
from pipeline.weather_api.recording import Recording, kelvin_hundredths, load_recording, plain_hundredths
from pipeline.weather_api.weather import NOTHING, Place, Values, hour_of

DAY = Path(__file__).parents[2] / "data" / "synthetic-day"


@pytest.fixture(scope="module")
def recording() -> Recording:
    return load_recording(DAY)


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """Give a copy of the synthetic day to damage."""
    return Path(shutil.copytree(DAY, tmp_path / "day"))


def rewrite(path: Path, rows: list[dict[str, Any]], kind: str = "string") -> None:
    """Write a file of those rows."""
    fields = [{"name": name, "type": kind} for name in rows[0]]
    with path.open("wb") as file:
        fastavro.writer(file, {"type": "record", "name": "R", "fields": fields}, rows)


@pytest.mark.parametrize(
    ("text", "hundredths"),
    [
        ("273.15", 0),
        ("310.93", 3778),
        ("242.336666667", -3081),
        ("0", -27315),
        ("300", 2685),
        # Six digits without a point are thousandths of a kelvin. Halves go to the even.
        ("317382", 4423),
        ("294865", 2172),
        ("294875", 2172),
        ("294865.0", 29459185),
    ],
)
def test_a_text_in_kelvin_becomes_exact_hundredths_of_a_degree(text: str, hundredths: int) -> None:
    assert kelvin_hundredths(text) == hundredths


@pytest.mark.parametrize(
    ("text", "hundredths"), [("76.0", 7600), ("1029.0", 102900), ("0.125", 12), ("-3", -300)]
)
def test_a_text_becomes_exact_hundredths_of_its_unit(text: str, hundredths: int) -> None:
    assert plain_hundredths(text) == hundredths


@pytest.mark.parametrize("text", ["abc", "NaN", "Infinity", "1e99", "", "12,5"])
def test_a_text_that_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no measurement"):
        kelvin_hundredths(text)


def test_the_hours_and_cities_are_those_of_the_files(recording: Recording) -> None:
    assert recording.first_hour == hour_of(datetime(2001, 7, 1, 1, tzinfo=UTC))
    assert recording.last_hour == hour_of(datetime(2001, 7, 2, 0, tzinfo=UTC))
    names = {city.name for city in recording.cities}
    assert names == {"Phoenix", "Las Vegas", "Eilat", "Minneapolis", "New York", "Jerusalem"}


def test_values_are_found_by_city_and_hour(recording: Recording) -> None:
    minneapolis = Place("Minneapolis", 44.979969, -93.26384)
    at = [recording.at(minneapolis, recording.first_hour + hour) for hour in (5, 6)]
    assert [values.temperature_c for values in at] == [0.0, -0.01]
    assert all(values.wind_speed_ms is None and values.pressure_hpa for values in at)


def test_missing_values_are_none_and_so_is_everything_outside_of_the_recording(recording: Recording) -> None:
    jerusalem = Place("Jerusalem", 31.769039, 35.216331)
    assert recording.at(jerusalem, recording.first_hour + 3) == NOTHING
    assert recording.at(jerusalem, recording.first_hour + 10).temperature_c is None
    assert recording.at(jerusalem, recording.first_hour + 10).humidity_pct is not None
    assert recording.at(jerusalem, recording.first_hour - 1) == NOTHING
    assert recording.at(jerusalem, recording.last_hour + 1) == NOTHING
    assert isinstance(recording.at(jerusalem, recording.last_hour), Values)


def test_a_directory_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^GALEWATCH_REPLAY: '.*/nowhere' is not a directory$"):
        load_recording(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "name", ["temperature.avro", "humidity.avro", "pressure.avro", "city_attributes.csv"]
)
def test_a_missing_file_is_named(damaged: Path, name: str) -> None:
    (damaged / name).unlink()
    with pytest.raises(ConfigError, match=rf"/{name}: cannot be read: No such file or directory"):
        load_recording(damaged)


@pytest.mark.parametrize("name", ["temperature.avro", "humidity.avro", "pressure.avro"])
def test_a_file_cut_anywhere_is_refused_in_one_sentence(damaged: Path, name: str) -> None:
    path = damaged / name
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(ConfigError, match=f"/{name}: ") as caught:
            load_recording(damaged)
        assert "\n" not in str(caught.value)


def test_a_file_with_flipped_bytes_never_ends_in_another_error(damaged: Path) -> None:
    path = damaged / "temperature.avro"
    whole = path.read_bytes()
    for index in range(0, len(whole), 3):
        path.write_bytes(whole[:index] + bytes([whole[index] ^ 0x55]) + whole[index + 1 :])
        with suppress(ConfigError):
            load_recording(damaged)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [{"datetime": "2001-07-01 01:00:00", "Phoenix": "warm"}],
            "'Phoenix' at 2001-07-01 01:00:00: 'warm' is no",
        ),
        ([{"datetime": "2001-07-01 01:30:00", "Phoenix": "300"}], "'2001-07-01 01:30:00' is no full hour"),
        (
            [{"datetime": f"2001-07-01 0{hour}:00:00", "Phoenix": "300"} for hour in (1, 3)],
            "'2001-07-01 03:00:00' is no full hour that follows the one before",
        ),
        ([{"datetime": "yesterday", "Phoenix": "300"}], "yesterday"),
        ([{"datetime": "2001-07-01 01:00:00"}], "one or more cities"),
        ([{"time": "2001-07-01 01:00:00", "Phoenix": "300"}], "'datetime'"),
    ],
)
def test_a_wrong_row_is_named(damaged: Path, rows: list[dict[str, str]], message: str) -> None:
    rewrite(damaged / "temperature.avro", rows)
    with pytest.raises(ConfigError, match=rf"temperature\.avro: .*{message}"):
        load_recording(damaged)


def test_a_file_of_other_types_is_refused(damaged: Path) -> None:
    rewrite(damaged / "temperature.avro", [{"datetime": b"2001-07-01 01:00:00", "Phoenix": b"300"}], "bytes")
    with pytest.raises(ConfigError, match=r"temperature\.avro: .*its schema is not of the texts"):
        load_recording(damaged)


def test_files_of_different_hours_are_refused(damaged: Path) -> None:
    with (damaged / "pressure.avro").open("rb") as file:
        rows: list[Any] = list(fastavro.reader(file))
    rewrite(damaged / "pressure.avro", rows[1:])
    with pytest.raises(
        ConfigError, match=r"pressure\.avro: its hours or cities are not those of temperature\.avro"
    ):
        load_recording(damaged)


def test_a_city_without_coordinates_is_named(damaged: Path) -> None:
    path = damaged / "city_attributes.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("Eilat", "Elat"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"city_attributes\.csv: has no row for the recorded city 'Eilat'"):
        load_recording(damaged)


@pytest.mark.parametrize(
    "text", ["City,Latitude\nPhoenix,33\n", "City,Latitude,Longitude\nPhoenix,33,east\n"]
)
def test_a_table_of_cities_that_is_none_is_refused(damaged: Path, text: str) -> None:
    (damaged / "city_attributes.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"city_attributes\.csv: is no table of City,Latitude,Longitude"):
        load_recording(damaged)
