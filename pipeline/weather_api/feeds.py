"""What the settings name, opened: the forecast, the gateway's devices and the weather service's stations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.config import config_dir
from pipeline.errors import ConfigError
from pipeline.stations import load_stations, stations_of
from pipeline.weather_api.climate import Climate
from pipeline.weather_api.csv_recording import STATIONS_FILE, load_csv_recording
from pipeline.weather_api.devices import Devices
from pipeline.weather_api.recording import load_recording
from pipeline.weather_api.replay import RecordedDevices, Replay
from pipeline.weather_api.weather import hour_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pipeline.stations import Station
    from pipeline.weather_api.replay import Recorded
    from pipeline.weather_api.settings import WeatherApiSettings
    from pipeline.weather_api.weather import Observer, Weather

__all__ = ["Feeds", "open_weather"]

_GATEWAY: Final = "gateway"
_NWS: Final = "nws"


@dataclass(frozen=True, slots=True)
class Feeds:
    """Who gives the weather of each contract; devices and stations by what their source calls them."""

    forecast: Weather
    gateway: Observer
    devices: Mapping[str, Station]
    nws: Observer
    stations: Mapping[str, Station]


def open_weather(settings: WeatherApiSettings, stations: Sequence[Station] | None = None) -> Feeds:
    """Open what the settings name, for `stations` (default: those of stations.yaml); raises ConfigError."""
    known = load_stations(config_dir() / "stations.yaml") if stations is None else stations
    devices = {device.source_code: device for device in stations_of(known, _GATEWAY)}
    airports = {station.source_code: station for station in stations_of(known, _NWS)}
    climate = Climate(settings.seed)
    fleet = Devices(climate, settings.seed, tuple(devices.values()))
    if settings.replay is None:
        return Feeds(climate, fleet, devices, climate, airports)
    shown_at = hour_of(settings.replay_end or settings.clock())
    replay = Replay(_load(settings.replay), shown_at)
    # Hourly cities tell nothing of devices that measure every few seconds: where no device was recorded, the
    # fleet is synthetic, and labelled so.
    recorded = any(replay.records(device) for device in devices.values())
    return Feeds(replay, RecordedDevices(replay) if recorded else fleet, devices, replay, airports)


def _load(directory: Path) -> Recorded:
    """Read a folder of recordings in whichever of the two formats it is."""
    if not (directory / STATIONS_FILE).is_file():
        return load_recording(directory)
    other = next(directory.glob("*.avro"), None)
    if other is not None:
        raise ConfigError(
            f"GALEWATCH_REPLAY: '{directory}' holds {STATIONS_FILE} and {other.name}: keep CSV and Avro apart"
        )
    return load_csv_recording(directory)
