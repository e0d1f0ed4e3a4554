"""Plain CSV recordings: every value as written, and one clear error for the first row that is wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import ConfigError
from pipeline.stations import Station
from pipeline.weather_api.csv_recording import load_csv_recording
from pipeline.weather_api.feeds import open_weather
from pipeline.weather_api.replay import Replay
from pipeline.weather_api.settings import WeatherApiSettings
from pipeline.weather_api.weather import Place, Values, hour_of

if TYPE_CHECKING:
    from pathlib import Path

STATIONS = "station_id,name,latitude,longitude\noslo,Oslo,59.91,10.75\nquito,Quito,-0.18,-78.47\n"
HEADER = "station_id,observed_at,temperature_c,humidity_pct,pressure_hpa,wind_speed_ms\n"
OSLO = Place("Oslo", 59.91, 10.75, "oslo")
QUITO = Place("Quito", -0.18, -78.47, "quito")
TEN = hour_of(datetime(2026, 1, 31, 10, tzinfo=UTC))


def write(folder: Path, stations: str = STATIONS, **files: str) -> Path:
    """Write a recording; each file's rows come after the header."""
    (folder / "stations.csv").write_text(stations, encoding="utf-8")
    for name, rows in files.items():
        (folder / f"{name}.csv").write_text(HEADER + rows, encoding="utf-8")
    return folder


def test_rows_of_all_files_are_found_by_station_and_hour_in_the_order_of_time(tmp_path: Path) -> None:
    recording = load_csv_recording(
        write(
            tmp_path,
            b="oslo,2026-01-31T10:59:59.999Z,-3.25,81.5,1013.25,4\nquito,2026-01-31T12:00:00Z,14,,,\n",
            a="oslo,2026-01-31T11:00:00Z,-3,,,\noslo,2026-01-31T12:00:10+02:00,-4,80,1013,0.5\n",
        )
    )
    assert recording.places == (OSLO, QUITO)
    assert (recording.first_hour, recording.last_hour) == (TEN, TEN + 2)
    assert recording.within(OSLO, TEN) == (
        (10_000, Values(-4.0, 80.0, 1013.0, 0.5)),
        (3_599_999, Values(-3.25, 81.5, 1013.25, 4.0)),
    )
    assert recording.within(OSLO, TEN + 1) == ((0, Values(-3.0, None, None, None)),)
    assert recording.within(OSLO, TEN + 2) == ()
    assert recording.within(QUITO, TEN + 2) == ((0, Values(14.0)),)


def test_columns_may_be_in_any_order_and_the_file_may_come_from_a_spreadsheet(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "day.csv").write_bytes(
        b"\xef\xbb\xbfobserved_at,station_id,wind_speed_ms,pressure_hpa,humidity_pct,temperature_c\r\n"
        b'2026-01-31T10:00:00Z,"oslo",4,3,2,1\r\n'
    )
    assert load_csv_recording(tmp_path).within(OSLO, TEN) == ((0, Values(1.0, 2.0, 3.0, 4.0)),)


def test_an_implausible_value_is_served_as_it_is(tmp_path: Path) -> None:
    recording = load_csv_recording(write(tmp_path, day="oslo,2026-01-31T10:00:00Z,999,-5,0,1e3\n"))
    assert recording.within(OSLO, TEN) == ((0, Values(999.0, -5.0, 0.0, 1000.0)),)


FINE = "oslo,2026-01-31T10:00:00Z,1,2,3,4\n"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (f"{FINE}oslo,2026-01-31T11:00:00Z,warm,2,3,4\n", "line 3: temperature_c is 'warm', no number"),
        (f"{FINE}\noslo,2026-01-31T11:00:00Z,1,2,3,nan\n", "line 3: has 0 fields where the header has 6"),
        (f"{FINE}oslo,2026-01-31T11:00:00Z,1,2,3,nan\n", "line 3: wind_speed_ms is 'nan', no finite number"),
        (f"{FINE}oslo,2026-01-31T11:00:00Z,1,-inf,3,4\n", "line 3: humidity_pct is '-inf', no finite"),
        (
            f"{FINE}oslo,2026-01-31T11:00:00,1,2,3,4\n",
            "line 3: observed_at is '2026-01-31T11:00:00', no time",
        ),
        (f"{FINE}oslo,31.01.2026 11:00,1,2,3,4\n", "line 3: observed_at is '31.01.2026 11:00', no time such"),
        (f"{FINE}oslo,2026-02-31T11:00:00Z,1,2,3,4\n", "line 3: observed_at is '2026-02-31T11:00:00Z', no"),
        (f"{FINE}lima,2026-01-31T11:00:00Z,1,2,3,4\n", "line 3: station_id is 'lima', no station of stat"),
        (f"{FINE}oslo,2026-01-31T11:00:00Z,1,2,3\n", "line 3: has 5 fields where the header has 6"),
        (f"{FINE}oslo,2026-01-31T11:00:00Z,1,2,3,4,5\n", "line 3: has 7 fields where the header has 6"),
        (
            f"{FINE}quito,2026-01-31T10:00:00Z,1,2,3,4\noslo,2026-01-31T11:00:00+01:00,9,2,3,4\n",
            "line 4: observed_at is that of another row of 'oslo'",
        ),
        (f'{FINE}"oslo,2026-01-31T11:00:00Z,1,2,3,4\n', "line 3: unexpected end of data"),
    ],
)
def test_a_bad_row_is_named_by_file_line_and_field(tmp_path: Path, rows: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_csv_recording(write(tmp_path, day=rows))
    assert str(caught.value).startswith(f"{tmp_path}/day.csv: {message}")
    assert "\n" not in str(caught.value)


def test_a_second_observation_in_another_file_is_named_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=rf"^{tmp_path}/b\.csv: line 3: observed_at is that of another row"):
        load_csv_recording(write(tmp_path, a=FINE, b=f"quito,2026-01-31T10:00:00Z,1,2,3,4\n{FINE}"))


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (HEADER.replace("temperature_c", "temperature"), "line 1: the column temperature_c is missing"),
        (HEADER.replace("temperature_c", "humidity_pct"), "line 1: the column temperature_c is missing"),
        (HEADER.replace("\n", ",humidity_pct\n"), "line 1: the column humidity_pct is given twice"),
        (HEADER.replace("\n", ",rain_mm\n"), "line 1: 'rain_mm' is no column of station_id,observed_at"),
        ("", "line 1: the column station_id is missing"),
    ],
)
def test_a_wrong_header_is_named_by_its_column(tmp_path: Path, header: str, message: str) -> None:
    write(tmp_path)
    (tmp_path / "day.csv").write_text(header + FINE if header else "", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_csv_recording(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}/day.csv: {message}")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("oslo,Oslo,91,10.75\n", "line 2: latitude is '91', outside of -90 to 90"),
        ("oslo,Oslo,59.91,east\n", "line 2: longitude is 'east', no number"),
        ("Oslo,Oslo,59.91,10.75\n", "line 2: station_id is 'Oslo', no id of lowercase letters"),
        ("oslo,Oslo,1,2\noslo,Oslo,1,2\n", "line 3: station_id is 'oslo', given before"),
        ("", "names no station"),
    ],
)
def test_a_wrong_table_of_stations_is_named(tmp_path: Path, rows: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_csv_recording(write(tmp_path, stations="station_id,name,latitude,longitude\n" + rows, day=FINE))
    assert str(caught.value).startswith(f"{tmp_path}/stations.csv: {message}")


def test_a_folder_without_an_observation_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no CSV file beside stations\.csv holds an observation$"):
        load_csv_recording(write(tmp_path, empty=""))


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "day.csv").write_bytes(HEADER.encode() + b"oslo,\xff\xfe\n")
    with pytest.raises(ConfigError, match=r"/day\.csv: is no text in UTF-8$"):
        load_csv_recording(tmp_path)


def test_both_formats_in_one_folder_are_refused(tmp_path: Path) -> None:
    write(tmp_path, day=FINE)
    (tmp_path / "temperature.avro").write_bytes(b"")
    with pytest.raises(
        ConfigError, match=r"holds stations\.csv and temperature\.avro: keep CSV and Avro apart"
    ):
        open_weather(WeatherApiSettings(replay=tmp_path))


def test_a_replay_shows_the_half_open_interval_and_nothing_after_now(tmp_path: Path) -> None:
    rows = "".join(f"oslo,2026-01-31T10:{minute:02}:00Z,{minute},,,\n" for minute in (0, 15, 30, 45))
    replay = Replay(load_csv_recording(write(tmp_path, day=rows)), TEN + 24)
    oslo = Station(id="oslo", name="Oslo", latitude=59.91, longitude=10.75)
    start = datetime(2026, 2, 1, 10, tzinfo=UTC)

    def shown(first: int, last: int, now: int) -> list[float | None]:
        times = (start + timedelta(minutes=minute) for minute in (first, last, now))
        return [values.temperature_c for _, values in replay.observations(oslo, *times)]

    assert shown(0, 45, 60) == [0, 15, 30]
    assert shown(15, 46, 60) == [15, 30, 45]
    assert shown(0, 60, 30) == [0, 15, 30]
    assert shown(0, 60, 29) == [0, 15]
