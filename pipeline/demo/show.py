"""What the demo shows: the rules that were crossed, the newest alerts, some averages, and a plot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.table import Table
from rich.text import Text

from pipeline.demo.plot import Line, plot

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from rich.console import Console

    from pipeline.demo.day import Day
    from pipeline.demo.play import Crossed, Outcome
    from pipeline.rules import Alert, Rule
    from pipeline.windows import Average

__all__ = ["page"]

_COLOURS: Final = {"critical": "bold red", "warning": "yellow", "info": "cyan"}
_WIDTH: Final = 110
_HOUR_SECONDS: Final = 3600
_NEWEST: Final = 8
_WIDEST: Final = 5


def page(out: Console, day: Day, outcome: Outcome, rules: Sequence[Rule]) -> None:
    """Print everything about a day."""
    span = f"{day.start:%d %B %Y %H:%M} to {day.end:%d %B %H:%M} UTC"
    kind = (
        "Recorded weather, replayed as" if day.origin == "replay" else f"{day.origin.capitalize()} weather of"
    )
    out.print(f"[bold]{kind} {span}[/]")
    for name, part in day.fetched.items():
        stations = len({reading.station_id for reading in part.readings})
        out.print(
            f"{name}: {len(part.readings):,} readings of {stations} stations, "
            f"{len(part.rejected):,} rejected, {part.empty:,} without a value"
        )
    out.print()
    if outcome.alerts:
        out.print(f"[bold]{len(outcome.alerts):,} alerts[/]")
        out.print(_crossed_table(outcome.crossed))
        newest = outcome.alerts[-_NEWEST:]
        out.print(f"\n[bold]The newest {len(newest)}[/]")
        out.print(_alerts_table(newest))
    else:
        out.print(f"No reading crosses any of the {len(rules)} rules.")
    out.print(f"\n[bold]{len(outcome.averages):,} averages over five minutes[/], the widest of them:")
    out.print(_averages_table(outcome.widest(_WIDEST)))
    out.print()
    # Where there are colours, they are escape codes already.
    out.file.write(plot(_lines(day, outcome), min(out.width, _WIDTH)))
    out.file.write("\n\n")


def _is_upper_temperature(rule: Rule) -> bool:
    return rule.metric == "temperature" and rule.comparison in {">", ">="}


def _crossed_table(crossed: Sequence[Crossed]) -> Table:
    """Draw the rules that were crossed, in their order."""
    drawn = _table(("rule", "alerts", "stations", "furthest over the line", "at", "UTC"), right=(1, 2, 3))
    for one in crossed:
        drawn.add_row(
            Text(one.rule.message, style=_COLOURS[one.rule.severity]),
            f"{one.alerts:,}",
            str(one.stations),
            f"{one.worst.value:.1f} {one.worst.unit}",
            one.worst.station_id,
            f"{one.worst.observed_at:%d %b %H:%M}",
        )
    return drawn


def _alerts_table(alerts: Sequence[Alert]) -> Table:
    """Draw alerts as they are given."""
    drawn = _table(("UTC", "station", "alert", "value", "limit"), right=(3, 4))
    for alert in alerts:
        drawn.add_row(
            f"{alert.observed_at:%d %b %H:%M:%S}",
            alert.station_id,
            Text(alert.message, style=_COLOURS[alert.severity]),
            f"{alert.value:.1f} {alert.unit}",
            f"{alert.threshold:.1f} {alert.unit}",
        )
    return drawn


def _averages_table(averages: Sequence[Average]) -> Table:
    """Draw averages as they are given."""
    drawn = _table(("window, UTC", "station", "mean", "least", "greatest", "readings"), right=(2, 3, 4, 5))
    for average in averages:
        drawn.add_row(
            f"{average.window_start:%d %b %H:%M} to {average.window_end:%H:%M}",
            average.station_id,
            f"{average.temperature_c_mean:.3f} °C",
            f"{average.temperature_c_min:.1f} °C",
            f"{average.temperature_c_max:.1f} °C",
            str(average.readings),
        )
    return drawn


def _lines(day: Day, outcome: Outcome) -> list[Line]:
    """Give the averages of the notable stations over the hours of the day, and the line that was crossed."""

    def hours(instant: datetime) -> float:
        return (instant - day.start).total_seconds() / _HOUR_SECONDS

    lines = [
        Line(
            station,
            colour,
            [
                (hours(average.window_start), average.temperature_c_mean)
                for average in outcome.averages
                if average.station_id == station
            ],
        )
        for station, colour in zip(outcome.notable, ("red", "cyan", "green"), strict=False)
    ]
    upper = next((one.rule for one in outcome.crossed if _is_upper_temperature(one.rule)), None)
    if upper is not None:
        label = f"{upper.message}: {upper.threshold:.1f} {upper.unit}"
        ends = [(hours(end), upper.threshold) for end in (day.start, day.end)]
        lines.append(Line(label, "yellow", ends))
    return lines


def _table(headings: Sequence[str], right: Sequence[int]) -> Table:
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for number, heading in enumerate(headings):
        drawn.add_column(heading, no_wrap=True, justify="right" if number in right else "left")
    return drawn
