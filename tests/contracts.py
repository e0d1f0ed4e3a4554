"""Answers of the gateway and the US weather service, made up and written as those write them.

Values are decimals in the units of the answer; what they are in canonical units is computed here apart from
the code under test, from the units' definitions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from pipeline.units import METRICS, Metric
from tests.strategies import hours, origins, stations

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from pipeline.readings import Origin
    from pipeline.stations import Station

__all__ = ["Answer", "Observed", "answers", "csv_text", "geojson"]

Conversion = tuple[str, "Callable[[Fraction], Fraction]"]

# The spellings of each contract, and what a value is in the canonical unit.
_CSV: dict[Metric, list[Conversion]] = {
    "temperature": [
        ("c", lambda value: value),
        ("f", lambda value: (value - 32) / Fraction("1.8")),
        ("k", lambda value: value - Fraction("273.15")),
    ],
    "humidity": [("pct", lambda value: value)],
    "pressure": [("hpa", lambda value: value), ("pa", lambda value: value / 100)],
    "wind_speed": [
        ("ms", lambda value: value),
        ("kmh", lambda value: value / Fraction("3.6")),
        ("mph", lambda value: value * Fraction("1609.344") / 3600),
        ("kn", lambda value: value * 1852 / 3600),
    ],
}
_WMO: dict[str, str] = {
    "c": "degC",
    "f": "degF",
    "k": "K",
    "pct": "percent",
    "hpa": "hPa",
    "pa": "Pa",
    "ms": "m_s-1",
    "kmh": "km_h-1",
    "mph": "",
    "kn": "kt",
}
# Decimals that are plausible in every unit of their metric.
_VALUES: dict[Metric, dict[str, tuple[str, str]]] = {
    "temperature": {"c": ("-99", "69"), "f": ("-99", "150"), "k": ("180", "340")},
    "humidity": {"pct": ("0", "100")},
    "pressure": {"hpa": ("500", "1100"), "pa": ("50000", "110000")},
    "wind_speed": {"ms": ("0", "120"), "kmh": ("0", "400"), "mph": ("0", "250"), "kn": ("0", "200")},
}
_PROPERTIES: dict[Metric, str] = {
    "temperature": "temperature",
    "humidity": "relativeHumidity",
    "pressure": "barometricPressure",
    "wind_speed": "windSpeed",
}


@dataclass(frozen=True, slots=True)
class Observed:
    """What one station observed: values in the answer's units, None where it did not measure."""

    station: Station
    at: datetime
    values: dict[Metric, Decimal | None]

    @property
    def is_empty(self) -> bool:
        """Tell whether it did not measure anything."""
        return all(value is None for value in self.values.values())


@dataclass(frozen=True, slots=True)
class Answer:
    """What was asked, and what is to be answered, with the unit of each metric as CSV spells it."""

    stations: list[Station]
    start: datetime
    end: datetime
    origin: Origin | None
    units: dict[Metric, str]
    observed: list[Observed]

    def canonical(self, observed: Observed) -> list[float | None]:
        """Give the values of an observation as a reading has them."""
        conversions = {metric: dict(_CSV[metric])[unit] for metric, unit in self.units.items()}
        return [
            None
            if (value := observed.values[metric]) is None
            else float(conversions[metric](Fraction(value)))
            for metric in METRICS
        ]


@st.composite
def answers(draw: st.DrawFn, *, wmo: bool = False, max_stations: int = 4) -> Answer:
    """Give answers of up to an hour; with `wmo` only in units that the WMO has a code for."""
    places = draw(st.lists(stations(), min_size=1, max_size=max_stations, unique_by=lambda place: place.id))
    start = draw(hours)
    end = start + timedelta(minutes=draw(st.integers(1, 60)))
    units = {
        metric: draw(st.sampled_from([unit for unit, _ in _CSV[metric] if _WMO[unit] or not wmo]))
        for metric in METRICS
    }
    instants = st.integers(0, int((end - start).total_seconds() * 1000) - 1).map(
        lambda millis: start + timedelta(milliseconds=millis)
    )
    observed = draw(
        st.lists(
            st.builds(
                Observed,
                st.sampled_from(places),
                instants,
                st.fixed_dictionaries(
                    {
                        metric: st.none()
                        | st.decimals(*_VALUES[metric][units[metric]], places=draw(st.integers(0, 3)))
                        for metric in METRICS
                    }
                ),
            ),
            max_size=8,
            unique_by=lambda one: (one.station.id, one.at),
        )
    )
    return Answer(places, start, end, draw(st.none() | origins), units, observed)


def _time(instant: datetime, offset_minutes: int) -> str:
    return instant.astimezone(timezone(timedelta(minutes=offset_minutes))).isoformat()


def csv_text(answer: Answer, columns: list[str], offset_minutes: int = 0) -> str:
    """Write it as the gateway does, with the columns in this order (`device_id`, `observed_at`, metrics)."""
    names: dict[str, str] = {metric: f"{metric}_{unit}" for metric, unit in answer.units.items()}
    lines = [",".join(names.get(column, column) for column in columns)]
    for one in sorted(answer.observed, key=lambda one: (one.at, one.station.id)):
        fields: dict[str, str] = {
            "device_id": one.station.source_code,
            "observed_at": _time(one.at, offset_minutes),
            **{metric: "" if value is None else str(value) for metric, value in one.values.items()},
        }
        lines.append(",".join(fields[column] for column in columns))
    return "\n".join([*lines, f"# rows={len(answer.observed)}"]) + "\n"


def geojson(answer: Answer, station: Station, offset_minutes: int = 0) -> dict[str, Any]:
    """Write what one station observed as the US weather service does, the newest first."""
    features = []
    for one in sorted(answer.observed, key=lambda one: one.at, reverse=True):
        if one.station.id != station.id:
            continue
        properties: dict[str, Any] = {
            "station": f"https://api.weather.gov/stations/{station.source_code}",
            "timestamp": _time(one.at, offset_minutes),
            "elevation": {"unitCode": "wmoUnit:m", "value": 3},
            **{
                _PROPERTIES[metric]: {
                    "unitCode": f"wmoUnit:{_WMO[answer.units[metric]]}",
                    "value": None if value is None else float(value),
                    "qualityControl": "Z" if value is None else "V",
                }
                for metric, value in one.values.items()
            },
        }
        if answer.origin is not None:
            properties["galewatch_origin"] = answer.origin
        features.append({"type": "Feature", "properties": properties})
    return {"type": "FeatureCollection", "features": features}
