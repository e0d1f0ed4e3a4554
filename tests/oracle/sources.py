"""What the gateway and the US weather service told, read by other means than the product's.

Nothing of the product is imported. A number is the fraction that its text names, is converted exactly, and
becomes a float at the very end.
"""

from __future__ import annotations

import json
from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING

from tests.oracle.weather import Observed

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["from_gateway", "from_nws"]

# The international mile is 1609.344 m.
_MPH = Fraction(1609344, 1000) / 3600


def from_gateway(text: str) -> list[Observed]:
    """Read an answer of the gateway, whole: device ids are station ids; a row without any value is none."""
    first, *rows, last = text.rstrip("\n").split("\n")
    assert first == "device_id,observed_at,temperature_f,humidity_pct,pressure_pa,wind_speed_mph"
    assert last == f"# rows={len(rows)}"
    observed = []
    for row in rows:
        device, at, *fields = row.split(",")
        fahrenheit, percent, pascal, mph = (Fraction(field) if field else None for field in fields)
        if any(field for field in fields):
            observed.append(
                Observed(
                    device,
                    datetime.fromisoformat(at),
                    None if fahrenheit is None else float((fahrenheit - 32) * 5 / 9),
                    None if percent is None else float(percent),
                    None if pascal is None else float(pascal / 100),
                    None if mph is None else float(mph * _MPH),
                )
            )
    return observed


def from_nws(text: str, station_ids: Mapping[str, str]) -> list[Observed]:
    """Read a collection of observations; `station_ids` gives the product's id for the service's own."""
    observed = []
    for feature in json.loads(text, parse_float=str, parse_int=str)["features"]:
        told = feature["properties"]
        measures = (
            ("temperature", "wmoUnit:degC", Fraction(1)),
            ("relativeHumidity", "wmoUnit:percent", Fraction(1)),
            ("barometricPressure", "wmoUnit:Pa", Fraction(1, 100)),
            ("windSpeed", "wmoUnit:km_h-1", Fraction(1000, 3600)),
        )
        values = []
        for name, unit, factor in measures:
            assert told[name]["unitCode"] == unit
            value = told[name]["value"]
            values.append(None if value is None else float(Fraction(value) * factor))
        if any(value is not None for value in values):
            station_id = station_ids[told["station"].rpartition("/")[2]]
            observed.append(Observed(station_id, datetime.fromisoformat(told["timestamp"]), *values))
    return sorted(observed, key=lambda item: (item.station_id, item.observed_at))
