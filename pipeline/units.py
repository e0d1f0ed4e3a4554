"""The one place that converts units. Canonical are °C, %, hPa and m/s.

A number counts as the shortest decimal text that names it (300.15 K is exactly 27 °C), is converted with
exact fractions and rounded once, to the nearest double. So equal quantities compare equal in whatever unit.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Literal, NamedTuple, get_args

from pipeline.errors import GalewatchError

__all__ = [
    "CANONICAL",
    "METRICS",
    "Metric",
    "UnitError",
    "dimension",
    "from_canonical",
    "named_in_wmo",
    "named_short",
    "to_canonical",
    "units_of",
]

Metric = Literal["temperature", "humidity", "pressure", "wind_speed"]

METRICS: tuple[Metric, ...] = get_args(Metric)

CANONICAL: dict[Metric, str] = {"temperature": "°C", "humidity": "%", "pressure": "hPa", "wind_speed": "m/s"}


class UnitError(GalewatchError):
    """An unknown unit, or one of another dimension; the text lists those that would do."""


class _Unit(NamedTuple):
    """canonical = (value + shift) * factor, exactly."""

    metric: Metric
    factor: Fraction = Fraction(1)
    shift: Fraction = Fraction(0)


# Exact by definition: °F, K, the international mile (1609.344 m) and the nautical mile (1852 m).
_UNITS: dict[str, _Unit] = {
    "°C": _Unit("temperature"),
    "°F": _Unit("temperature", factor=Fraction(5, 9), shift=Fraction(-32)),
    "K": _Unit("temperature", shift=Fraction("-273.15")),
    "%": _Unit("humidity"),
    "hPa": _Unit("pressure"),
    "Pa": _Unit("pressure", factor=Fraction(1, 100)),
    "m/s": _Unit("wind_speed"),
    "km/h": _Unit("wind_speed", factor=Fraction(1000, 3600)),
    "mph": _Unit("wind_speed", factor=Fraction("1609.344") / 3600),
    "kn": _Unit("wind_speed", factor=Fraction(1852, 3600)),
}

# How units are written where signs have no place, such as in the name of a column.
_SHORT: dict[str, str] = {
    "c": "°C",
    "f": "°F",
    "k": "K",
    "pct": "%",
    "hpa": "hPa",
    "pa": "Pa",
    "ms": "m/s",
    "kmh": "km/h",
    "mph": "mph",
    "kn": "kn",
}

# The World Meteorological Organization's codes, http://codes.wmo.int/common/unit/.
_WMO: dict[str, str] = {
    "degC": "°C",
    "degF": "°F",
    "K": "K",
    "percent": "%",
    "hPa": "hPa",
    "Pa": "Pa",
    "m_s-1": "m/s",
    "km_h-1": "km/h",
    "kt": "kn",
}


def named_short(text: str) -> str:
    """Give the unit that is written as `pct` or `ms`; raises UnitError when it is unknown."""
    return _named(text, _SHORT)


def named_in_wmo(code: str) -> str:
    """Give the unit of a WMO code such as `degC` or `km_h-1`; raises UnitError when it is unknown."""
    return _named(code, _WMO)


def units_of(metric: Metric) -> tuple[str, ...]:
    """List the units that measure `metric`, the canonical one first."""
    return tuple(name for name, unit in _UNITS.items() if unit.metric == metric)


def dimension(unit: str) -> Metric:
    """Tell what `unit` measures; raises UnitError when it is unknown."""
    if unit not in _UNITS:
        raise UnitError(f"unknown unit {unit!r}; known are {', '.join(_UNITS)}")
    return _UNITS[unit].metric


def to_canonical(value: float, unit: str, metric: Metric) -> float:
    """Convert `value` from `unit` to the canonical unit of `metric`.

    NaN and infinities stay. Raises UnitError when the unit is unknown or measures something else.
    """
    found = _find(unit, metric)
    if unit == CANONICAL[metric] or not math.isfinite(value):
        return float(value)
    return float((Fraction(repr(value)) + found.shift) * found.factor)


def from_canonical(value: float, unit: str, metric: Metric) -> float:
    """Convert `value` from the canonical unit of `metric` to `unit`; the inverse of `to_canonical`."""
    found = _find(unit, metric)
    if unit == CANONICAL[metric] or not math.isfinite(value):
        return float(value)
    return float(Fraction(repr(value)) / found.factor - found.shift)


def _named(text: str, names: dict[str, str]) -> str:
    if text not in names:
        raise UnitError(f"unknown unit {text!r}; known are {', '.join(names)}")
    return names[text]


def _find(unit: str, metric: Metric) -> _Unit:
    if dimension(unit) != metric:
        usable = " or ".join(units_of(metric))
        raise UnitError(f"unit {unit!r} measures {dimension(unit)}, not {metric}; use {usable}")
    return _UNITS[unit]
