"""The rules file, read once more: thresholds are exact fractions, rounded once to the double of a reading."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import yaml

from pipeline.oracle.errors import OracleError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["Rule", "load_rules"]

_FIELDS = {
    "temperature": "temperature_c",
    "humidity": "humidity_pct",
    "pressure": "pressure_hpa",
    "wind_speed": "wind_speed_ms",
}
_HOUR = 3600
_UNITS: dict[str, dict[str, Callable[[Fraction], Fraction]]] = {
    "temperature": {
        "°C": lambda degrees: degrees,
        "°F": lambda degrees: (degrees - 32) * 5 / 9,
        "K": lambda kelvin: kelvin - Fraction(27315, 100),
    },
    "humidity": {"%": lambda percent: percent},
    "pressure": {"hPa": lambda hectopascal: hectopascal, "Pa": lambda pascal: pascal / 100},
    "wind_speed": {
        "m/s": lambda metres: metres,
        "km/h": lambda kilometres: kilometres * 1000 / _HOUR,
        # The international mile is 1609.344 m, the nautical one 1852 m.
        "mph": lambda miles: miles * 1609344 / 1000 / _HOUR,
        "kn": lambda knots: knots * 1852 / _HOUR,
    },
}
_KEYS = ("id", "metric", "comparison", "threshold", "unit", "severity", "message")
_COMPARISONS = (">", ">=", "<", "<=")
_SEVERITIES = ("info", "warning", "critical")
_NAME = r"[a-z0-9]+(-[a-z0-9]+)*"
_NAME_LENGTH = 64


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One line; `threshold` is in `unit`, the canonical unit of the metric."""

    id: str
    metric: str
    comparison: str
    threshold: float
    severity: str = "info"
    message: str = ""

    @property
    def field(self) -> str:
        """The measure of a record that the rule is about."""
        return _FIELDS[self.metric]

    @property
    def unit(self) -> str:
        """The unit of that measure and of the threshold."""
        return next(iter(_UNITS[self.metric]))

    def crossed_by(self, value: float | None) -> bool:
        """Tell whether a value crosses the line: what is absent or NaN crosses none."""
        if value is None or math.isnan(value):
            return False
        # Two doubles compare exactly.
        over, under = value > self.threshold, value < self.threshold
        return {">": over, ">=": not under, "<": under, "<=": not over}[self.comparison]


def load_rules(path: Path) -> tuple[Rule, ...]:
    """Read a rules file; raises OracleError that names file, rule, key and value."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise OracleError(f"{path}: cannot be read: {' '.join(str(error).split())}") from None
    if not isinstance(data, dict) or list(data) != ["rules"] or not isinstance(data["rules"], list):
        raise OracleError(f"{path}: must hold a list named rules, and nothing else")
    if not data["rules"]:
        raise OracleError(f"{path}: rules: there must be one at least, got []")
    rules = tuple(_rule(entry, f"{path}: rules[{index}]") for index, entry in enumerate(data["rules"]))
    for index, rule in enumerate(rules):
        if rule.id in {other.id for other in rules[:index]}:
            raise OracleError(f"{path}: rules[{index}].id: is given twice, got {rule.id!r}")
    return rules


def _check_keys(entry: Any, place: str) -> None:
    if not isinstance(entry, dict):
        raise OracleError(f"{place}: must be a mapping, got {entry!r}")
    for key in _KEYS:
        if key not in entry:
            raise OracleError(f"{place}.{key}: is missing")
    for key, value in entry.items():
        if key not in _KEYS:
            raise OracleError(f"{place}.{key}: unknown key, got {value!r}")


def _rule(entry: Any, place: str) -> Rule:
    _check_keys(entry, place)

    def need(key: str, holds: object, what: str) -> None:
        if not holds:
            raise OracleError(f"{place}.{key}: must be {what}, got {entry[key]!r}")

    for key in _KEYS:
        if key != "threshold":
            need(key, isinstance(entry[key], str) and entry[key], "a text")
    name = re.fullmatch(_NAME, entry["id"]) and len(entry["id"]) <= _NAME_LENGTH
    need("id", name, f"lower-case letters, digits and single hyphens, at most {_NAME_LENGTH}")
    for key, allowed in (("metric", _UNITS), ("comparison", _COMPARISONS), ("severity", _SEVERITIES)):
        need(key, entry[key] in allowed, f"one of {', '.join(allowed)}")
    units = _UNITS[entry["metric"]]
    need("unit", entry["unit"] in units, f"one of {', '.join(units)}")
    threshold = entry["threshold"]
    is_number = isinstance(threshold, int | float) and not isinstance(threshold, bool)
    need("threshold", is_number and math.isfinite(threshold), "a finite number")
    # A number is what its shortest text says: 37.8 is 378/10, and not the double beside it.
    exact = units[entry["unit"]](Fraction(repr(threshold)))
    return Rule(
        id=entry["id"],
        metric=entry["metric"],
        comparison=entry["comparison"],
        threshold=float(exact),
        severity=entry["severity"],
        message=entry["message"],
    )
