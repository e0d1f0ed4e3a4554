"""What comes of a day: its alerts, its averages, and which stations are worth a look. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.rules import evaluate
from pipeline.windows import averages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.readings import Reading
    from pipeline.rules import Alert, Rule
    from pipeline.windows import Average

__all__ = ["Crossed", "Outcome", "play"]

_ABOVE = {">", ">="}


@dataclass(frozen=True, slots=True)
class Crossed:
    """A rule that was crossed: how often, at how many stations, and the alert that was the furthest over."""

    rule: Rule
    alerts: int
    stations: int
    worst: Alert


@dataclass(frozen=True, slots=True)
class Outcome:
    """Alerts in the order of time, averages by station and window."""

    alerts: tuple[Alert, ...]
    averages: tuple[Average, ...]
    crossed: tuple[Crossed, ...]

    @property
    def notable(self) -> tuple[str, ...]:
        """The stations of the highest average, of the lowest, and of the one of most readings; each once."""
        if not self.averages:
            return ()
        found = (
            max(self.averages, key=lambda average: average.temperature_c_mean),
            min(self.averages, key=lambda average: average.temperature_c_mean),
            max(self.averages, key=lambda average: average.readings),
        )
        return tuple(dict.fromkeys(average.station_id for average in found))

    def widest(self, count: int) -> list[Average]:
        """Give the averages of the greatest difference between least and greatest, the greatest first."""
        return sorted(self.averages, key=lambda one: one.temperature_c_min - one.temperature_c_max)[:count]


def play(readings: Sequence[Reading], rules: Sequence[Rule], window_seconds: int) -> Outcome:
    """Put readings, in the order of time, through the rules and the windows."""
    alerts = tuple(alert for reading in readings for alert in evaluate(rules, reading))
    crossed = [_crossed(rule, [alert for alert in alerts if alert.rule_id == rule.id]) for rule in rules]
    return Outcome(alerts, averages(readings, window_seconds), tuple(one for one in crossed if one))


def _crossed(rule: Rule, alerts: Sequence[Alert]) -> Crossed | None:
    if not alerts:
        return None
    worst = (max if rule.comparison in _ABOVE else min)(alerts, key=lambda alert: alert.value)
    return Crossed(rule, len(alerts), len({alert.station_id for alert in alerts}), worst)
