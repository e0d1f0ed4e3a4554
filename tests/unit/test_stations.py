"""The station file: what is in it, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.config import config_dir
from pipeline.errors import ConfigError
from pipeline.stations import DEFAULT_SOURCE, Station, load_stations, stations_of

if TYPE_CHECKING:
    from pathlib import Path

OSLO = "{ id: oslo, name: Oslo, latitude: 59.91, longitude: 10.75 }"


def load(tmp_path: Path, *entries: str) -> tuple[Station, ...]:
    """Load a station file of those entries."""
    path = tmp_path / "stations.yaml"
    path.write_text("stations:\n" + "".join(f"  - {entry}\n" for entry in entries), encoding="utf-8")
    return load_stations(path)


def test_stations_are_loaded_in_their_order(tmp_path: Path) -> None:
    quito = "{ id: quito, name: Quito, latitude: -0.18, longitude: -78.47 }"
    assert load(tmp_path, OSLO, quito) == (
        Station(id="oslo", name="Oslo", latitude=59.91, longitude=10.75),
        Station(id="quito", name="Quito", latitude=-0.18, longitude=-78.47),
    )


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (OSLO, r"stations\[0\]\.id: 'oslo' is given 2 times"),
        (
            OSLO.replace("59.91", "91"),
            r"stations\[1\] \(id 'oslo'\)\.latitude: .*less than or equal to 90, got 91",
        ),
        (OSLO.replace("10.75", "-180.5"), r"\.longitude: .*greater than or equal to -180, got -180\.5"),
        (OSLO.replace("59.91", ".nan"), r"\.latitude: .*finite number, got nan"),
        (OSLO.replace("59.91", "north"), r"\.latitude: .*got 'north'"),
        (OSLO.replace("id: oslo", "id: Oslo"), r"stations\[1\] \(id 'Oslo'\)\.id: .*got 'Oslo'"),
        (OSLO.replace("name", "nmae"), r"\.name: is missing"),
        (OSLO.replace("name: Oslo", "name: Oslo, height: 23"), r"\.height: unknown key \(its value is 23\)"),
        (OSLO.replace("name: Oslo", "name: ''"), r"\.name: .*at least 1 character, got ''"),
        (OSLO.replace("name: Oslo", "name: Oslo, source: NWS"), r"\.source: .*got 'NWS'"),
        (OSLO.replace("name: Oslo", "name: Oslo, code: 'K JFK'"), r"\.code: .*got 'K JFK'"),
        (OSLO.replace("id: oslo", "id: galewatch-selftest"), r"'galewatch-selftest' is reserved"),
        ("oslo", r"stations\[1\]: .*got 'oslo'"),
    ],
)
def test_a_bad_entry_is_named_with_file_field_and_value(tmp_path: Path, entry: str, message: str) -> None:
    with pytest.raises(ConfigError, match=rf"^{tmp_path}/stations\.yaml: .*{message}"):
        load(tmp_path, OSLO, entry)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stations: []\n", r"stations: .*at least 1 item.*, got \[\]"),
        ("", "the file: .*got None"),
        ("stations: [\n", "is no valid YAML"),
        (f"stations: [{OSLO}]\nstations: [{OSLO}]\n", "key 'stations' is given twice"),
        (f"stations: [{OSLO}]\nregions: []\n", r"regions: unknown key"),
    ],
)
def test_a_bad_file_is_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "stations.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"^{path}: .*{message}") as caught:
        load_stations(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: cannot be read: No such file or directory"):
        load_stations(tmp_path / "nowhere.yaml")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "stations.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"stations\.yaml: cannot be read: .*utf-8"):
        load_stations(path)


def test_a_station_belongs_to_one_source_that_may_call_it_otherwise(tmp_path: Path) -> None:
    kennedy = "{ id: nws-kjfk, source: nws, code: KJFK, name: Kennedy, latitude: 40.64, longitude: -73.76 }"
    stations = load(tmp_path, OSLO, kennedy)
    assert [(station.source, station.source_code) for station in stations] == [
        (DEFAULT_SOURCE, "oslo"),
        ("nws", "KJFK"),
    ]
    assert stations_of(stations, "nws") == stations[1:]


def test_the_committed_stations_lie_on_every_continent() -> None:
    stations = stations_of(load_stations(config_dir() / "stations.yaml"), DEFAULT_SOURCE)
    corners = {(station.latitude > 0, round(station.longitude / 60)) for station in stations}
    assert len(stations) <= 100, "more need a second call to the service"
    assert {longitude for _, longitude in corners} >= {-2, -1, 0, 1, 2, 3}
    assert {north for north, _ in corners} == {True, False}
