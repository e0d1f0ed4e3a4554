"""The US National Weather Service: the observations of a station as GeoJSON.

https://www.weather.gov/documentation/services-web-api. `GET /stations/{id}/observations?start=…&end=…`
answers a FeatureCollection; each measure has its own unit and the letter of its quality control. The weather
API of this project adds `galewatch_origin` to each feature's properties; without it a value is live.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from pipeline.config import shown
from pipeline.errors import ContractError, ReadingError
from pipeline.readings import FIELDS, Reading, utc_text
from pipeline.sources import Call, Fetched
from pipeline.sources._records import by_field, canonical, checked_origin, json_content, raw_json, refused
from pipeline.units import METRICS, UnitError, dimension, named_in_wmo

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.readings import RejectedReading
    from pipeline.stations import Station
    from pipeline.units import Metric

__all__ = ["PROPERTIES", "NwsGeoJson"]

PROPERTIES: Final[dict[Metric, str]] = {
    "temperature": "temperature",
    "humidity": "relativeHumidity",
    # The altimeter's setting: reduced to sea level, as all pressures here, and reported more often than
    # seaLevelPressure.
    "pressure": "barometricPressure",
    "wind_speed": "windSpeed",
}
"""The service's name of each metric."""

# In unitCode, now and before 2021.
_VOCABULARIES: Final = ("wmoUnit", "unit")

# What the quality control says of a value that failed: rejected, or bad by a person's judgement
# (https://madis.ncep.noaa.gov/madis_sfc_qc.shtml).
_FAILED: Final = frozenset({"X", "B"})


class NwsGeoJson:
    """Asks for the observations of one station a call."""

    def __init__(self, name: str) -> None:
        self.name = name

    def calls(self, stations: Sequence[Station], start: datetime, end: datetime) -> tuple[Call, ...]:
        """Ask each station for what it observed in [start, end)."""
        interval = {"start": utc_text(start), "end": utc_text(end)}
        return tuple(
            Call(f"/stations/{quote(station.source_code)}/observations", (station,), interval)
            for station in stations
        )

    def content(self, headers: Mapping[str, str], body: bytes) -> Any:  # noqa: ARG002 - the protocol's
        """Give the answer as it came; raises SourceUnavailableError where it breaks off."""
        return json_content(self.name, body)

    def parse(
        self, content: Any, stations: Sequence[Station], start: datetime, end: datetime, fetched_at: datetime
    ) -> Fetched:
        """Give a reading, a rejected reading or an empty slot for each observation in [start, end)."""
        (station,) = stations
        here = f"for station '{station.id}'"
        readings: list[Reading] = []
        rejected: list[RejectedReading] = []
        empty = 0
        for properties in self._features(content, station, here):
            observed_at = _instant(properties["timestamp"])
            # The service's interval includes its end, which is the next one's.
            if observed_at is not None and not start <= observed_at < end:
                continue
            values, flags = self._measures(properties, here)
            if all(value is None for value, _ in values.values()):
                empty += 1
                continue
            try:
                readings.append(self._reading(station, properties, values, flags, fetched_at))
            except ReadingError as error:
                kept = {name: properties[name] for name in ("timestamp", *PROPERTIES.values())}
                rejected.append(refused(self.name, station.id, observed_at, str(error), raw_json(kept)))
        return Fetched(tuple(readings), tuple(rejected), empty)

    def _features(self, content: Any, station: Station, here: str) -> list[Mapping[str, Any]]:
        """Give the properties of each feature, of this station and with a time and an origin."""
        features = content.get("features") if isinstance(content, dict) else None
        if not isinstance(features, list) or content.get("type") != "FeatureCollection":
            raise ContractError(f"{self.name} answered no FeatureCollection {here}: {shown(content)}")
        found: list[Mapping[str, Any]] = []
        for feature in features:
            properties = feature.get("properties") if isinstance(feature, dict) else None
            if not isinstance(properties, dict):
                raise ContractError(
                    f"{self.name} answered a feature without properties {here}: {shown(feature)}"
                )
            if not isinstance(properties.get("timestamp"), str):
                got = shown(properties.get("timestamp"))
                raise ContractError(f"{self.name} answered the timestamp {got} {here}")
            code = str(properties.get("station", "")).rpartition("/")[2]
            if code != station.source_code:
                raise ContractError(f"{self.name} answered an observation of {shown(code)} {here}")
            checked_origin(self.name, properties.get("galewatch_origin", "live"), here)
            found.append(properties)
        return found

    def _measures(
        self, properties: Mapping[str, Any], here: str
    ) -> tuple[dict[Metric, tuple[Any, str]], dict[Metric, Any]]:
        """Give value and unit of each metric, and the flags of the values that there are."""
        values: dict[Metric, tuple[Any, str]] = {}
        flags: dict[Metric, Any] = {}
        for metric, name in PROPERTIES.items():
            measure = properties.get(name)
            if not isinstance(measure, dict) or not {"unitCode", "value"} <= measure.keys():
                raise ContractError(f"{self.name} answered '{name}' as {shown(measure)} {here}, no measure")
            values[metric] = (measure["value"], self._unit(metric, measure["unitCode"], name, here))
            if measure["value"] is not None:
                flags[metric] = measure.get("qualityControl")
        return values, flags

    def _unit(self, metric: Metric, code: Any, name: str, here: str) -> str:
        vocabulary, _, text = str(code).partition(":")
        try:
            unit = named_in_wmo(text) if vocabulary in _VOCABULARIES else None
        except UnitError:
            unit = None
        if unit is None or dimension(unit) != metric:
            raise ContractError(f"{self.name} answered '{name}' in {shown(code)} {here}, no unit of {metric}")
        return unit

    def _reading(
        self,
        station: Station,
        properties: Mapping[str, Any],
        values: Mapping[Metric, tuple[Any, str]],
        flags: Mapping[Metric, Any],
        fetched_at: datetime,
    ) -> Reading:
        observed_at = _instant(properties["timestamp"])
        if observed_at is None:
            raise ReadingError(f"timestamp is {shown(properties['timestamp'])}, no time with an offset")
        for metric, flag in flags.items():
            if flag is not None and not isinstance(flag, str):
                raise ReadingError(f"the quality control of {FIELDS[metric]} is {shown(flag)}, no text")
            if flag in _FAILED:
                raise ReadingError(f"{FIELDS[metric]} failed the quality control (flag {flag})")
        told = sorted({flag for flag in flags.values() if flag})
        return Reading.parse(
            {
                "station_id": station.id,
                "observed_at": observed_at,
                "source": self.name,
                "origin": properties.get("galewatch_origin", "live"),
                "fetched_at": fetched_at,
                # One letter where all values have the same one.
                "quality": ",".join(told) or None,
                **by_field({metric: canonical(metric, *values[metric]) for metric in METRICS}),
            }
        )


def _instant(text: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant.astimezone(UTC) if instant.tzinfo else None
