"""The rules (config/rules.yaml) and what they make of a reading: alerts."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Iterable, Sequence  # noqa: TC003 - pydantic resolves annotations at run time
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - the same
from pathlib import Path  # noqa: TC003 - the same
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.config import Entry, load_config, shown
from pipeline.errors import ConfigError
from pipeline.readings import SLUG, Instant, Origin, Reading
from pipeline.units import CANONICAL, Metric, UnitError, to_canonical

__all__ = [
    "Alert",
    "Comparison",
    "Nearest",
    "Rule",
    "Severity",
    "alert_id",
    "evaluate",
    "load_rules",
    "nearest",
]

Comparison = Literal[">", ">=", "<", "<="]
Severity = Literal["info", "warning", "critical"]

_COMPARE: dict[Comparison, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}

# About one standard deviation of the weather at a place: what makes 3 °C comparable with 3 hPa in `nearest`.
_SCALE: dict[Metric, float] = {"temperature": 10.0, "humidity": 20.0, "pressure": 10.0, "wind_speed": 3.0}


@dataclass(frozen=True, slots=True)
class Rule:
    """One line that a reading may cross; `threshold` is in `unit`, the canonical unit of the metric."""

    id: str
    metric: Metric
    comparison: Comparison
    threshold: float
    unit: str
    severity: Severity
    message: str

    def crossed_by(self, value: float | None) -> bool:
        """Tell whether a value in the canonical unit crosses the line; None and NaN never do."""
        return value is not None and _COMPARE[self.comparison](value, self.threshold)


class Alert(BaseModel):
    """A rule that one reading crossed; `value` and `threshold` are in `unit`, the metric's canonical one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    alert_id: str
    rule_id: str
    severity: Severity
    station_id: str
    observed_at: Instant
    source: str
    origin: Origin
    event_id: str
    revision: int
    metric: Metric
    value: float
    threshold: float
    unit: str
    message: str

    def to_avro(self, raised_at: datetime) -> dict[str, Any]:
        """Give the record of alert.v1.avsc, raised at that instant."""
        return {**self.model_dump(), "raised_at": raised_at}


@dataclass(frozen=True, slots=True)
class Nearest:
    """The reading nearest to a line; `distance` is in usual spreads of the metric, 0 at or over it."""

    rule: Rule
    reading: Reading
    value: float
    distance: float


def alert_id(event_id: str, rule_id: str) -> str:
    """Give the id of an alert: the same for every copy of the alerts query, replay and revision."""
    return f"{event_id}/{rule_id}"


def evaluate(rules: Iterable[Rule], reading: Reading) -> tuple[Alert, ...]:
    """Give one alert for each rule that the reading crosses, in the order of the rules."""
    event_id = reading.event_id
    return tuple(
        Alert(
            alert_id=alert_id(event_id, rule.id),
            rule_id=rule.id,
            severity=rule.severity,
            station_id=reading.station_id,
            observed_at=reading.observed_at,
            source=reading.source,
            origin=reading.origin,
            event_id=event_id,
            revision=reading.revision,
            metric=rule.metric,
            value=value,
            threshold=rule.threshold,
            unit=rule.unit,
            message=rule.message,
        )
        for rule in rules
        if (value := reading.value(rule.metric)) is not None and rule.crossed_by(value)
    )


def nearest(rules: Sequence[Rule], readings: Iterable[Reading]) -> Nearest | None:
    """Find the reading that came nearest to crossing any rule; None without readings or rules."""
    best: Nearest | None = None
    for reading in readings:
        for rule in rules:
            value = reading.value(rule.metric)
            if value is None:
                continue
            gap = rule.threshold - value if rule.comparison in {">", ">="} else value - rule.threshold
            distance = max(gap, 0.0) / _SCALE[rule.metric]
            if best is None or distance < best.distance:
                best = Nearest(rule, reading, value, distance)
    return best


class _RuleEntry(Entry):
    """A rule as written: `threshold` in any `unit` of the metric's dimension."""

    id: Annotated[str, Field(pattern=SLUG, max_length=64)]
    metric: Metric
    comparison: Comparison
    threshold: Annotated[float, Field(strict=True)]
    unit: str
    severity: Severity
    message: Annotated[str, Field(min_length=1)]


class _RuleFile(Entry):
    rules: Annotated[tuple[_RuleEntry, ...], Field(min_length=1)]


def load_rules(path: Path) -> tuple[Rule, ...]:
    """Load a rule file; raises ConfigError that names the file, the rule, the field and the value."""
    entries = load_config(path, _RuleFile).rules
    counts = Counter(entry.id for entry in entries)
    rules = []
    for index, entry in enumerate(entries):
        place = f"{path}: rules[{index}] (id '{entry.id}')"
        if counts[entry.id] > 1:
            raise ConfigError(f"{place}.id: '{entry.id}' is given {counts[entry.id]} times")
        try:
            threshold = to_canonical(entry.threshold, entry.unit, entry.metric)
        except UnitError as error:
            raise ConfigError(f"{place}.unit: {error}, got {shown(entry.unit)}") from None
        rules.append(
            Rule(
                id=entry.id,
                metric=entry.metric,
                comparison=entry.comparison,
                threshold=threshold,
                unit=CANONICAL[entry.metric],
                severity=entry.severity,
                message=entry.message,
            )
        )
    return tuple(rules)
