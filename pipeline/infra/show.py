"""What `make up` ends with: the alerts, the pages, and where the passwords are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.infra.layout import DEFAULT_ENVIRONMENT
from pipeline.readings import utc_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.infra.first_alert import Outcome
    from pipeline.infra.layout import Layout
    from pipeline.rules import Nearest
    from pipeline.serving import Alert

__all__ = ["alerts_table", "console", "ending", "near_miss", "pages"]

_SHOWN_ALERTS: Final = 15
# Output that goes into a file has no width of its own.
_WIDTH: Final = 110
_COLOURS: Final = {"critical": "bold red", "warning": "yellow", "info": "cyan"}

# Each page or port: its name for people, and the user and the secret where it asks for them.
_PAGES: Final = {
    "airflow": ("Airflow", "admin", "airflow_admin"),
    "spark_master": ("Spark", "", ""),
    "driver_alerts": ("Spark: alerts", "", ""),
    "driver_tables": ("Spark: tables", "", ""),
    "weather_api": ("Weather API", "", ""),
    "schema_registry": ("Schema Registry", "client", "registry_client"),
    "kafka": ("Kafka (SCRAM)", "reader", "kafka_reader"),
    "postgres": ("PostgreSQL", "reader", "postgres_reader"),
    "cassandra": ("Cassandra", "reader", "cassandra_reader"),
}


def console() -> Console:
    """Give the console for what the user asked for, as against progress: standard output."""
    made = Console(highlight=False)
    return made if made.is_terminal else Console(highlight=False, width=_WIDTH)


def ending(out: Console, layout: Layout, outcome: Outcome, addresses: Mapping[str, Any]) -> None:
    """Print everything that someone who has just brought the environment up wants to know."""
    out.print()
    hour = f"{outcome.start:%Y-%m-%d}, {outcome.start:%H:%M} to {outcome.end:%H:%M} UTC"
    if outcome.alerts:
        out.print(f"[bold]Alerts of {hour}[/], from {outcome.readings} readings, as Cassandra has them:")
        out.print(alerts_table(outcome.alerts))
    else:
        out.print(f"None of the {outcome.readings} readings of {hour} crosses a rule.")
        out.print(near_miss(outcome.nearest))
        if outcome.test is not None:
            out.print("A [magenta]test reading[/] (no real weather) has proved that the path is whole:")
            out.print(alerts_table([outcome.test]))
    out.print()
    out.print(pages(addresses))
    folder = layout.secrets.relative_to(layout.root)
    out.print(f"Passwords are files in [bold]{folder}/[/], named in the last column.")
    named = layout.environment != DEFAULT_ENVIRONMENT
    option, variable = (f" --env {layout.environment}", f" ENV={layout.environment}") if named else ("", "")
    commands = (f".venv/bin/galewatch alerts{option}", f"make status{variable}", "make help")
    out.print(f"More: {', '.join(f'[bold]{command}[/]' for command in commands)}.")


def alerts_table(alerts: Sequence[Alert]) -> Table:
    """Draw alerts, the gravest first; the last column tells real weather (live) from other."""
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("UTC", "station", "alert"):
        drawn.add_column(heading, no_wrap=True)
    for heading in ("value", "limit"):
        drawn.add_column(heading, no_wrap=True, justify="right")
    drawn.add_column("weather", no_wrap=True)
    for alert in sorted(alerts, key=_urgency)[:_SHOWN_ALERTS]:
        drawn.add_row(
            f"{alert.observed_at:%H:%M}",
            alert.station_id,
            Text(alert.message, style=_COLOURS.get(alert.severity, "")),
            f"{alert.value:.1f} {alert.unit}",
            f"{alert.threshold:.1f} {alert.unit}",
            "test" if alert.origin == "selftest" else alert.origin,
        )
    if len(alerts) > _SHOWN_ALERTS:
        drawn.add_row("", f"… and {len(alerts) - _SHOWN_ALERTS} more")
    return drawn


def _urgency(alert: Alert) -> tuple[int, str, str]:
    graveness = list(_COLOURS)
    known = alert.severity in graveness
    return graveness.index(alert.severity) if known else len(graveness), alert.station_id, alert.rule_id


def near_miss(found: Nearest | None) -> str:
    """Tell in a sentence which reading came nearest to a rule."""
    if found is None:
        return "There was no reading to come near one."
    value, rule = f"{found.value:.1f} {found.rule.unit}", found.rule
    wanted = f"{rule.id} wants {rule.comparison} {rule.threshold:.1f} {rule.unit}"
    return (
        f"Nearest came {found.reading.station_id} at {utc_text(found.reading.observed_at)} with {value} "
        f"({rule.metric.replace('_', ' ')}; {wanted})."
    )


def pages(addresses: Mapping[str, Any]) -> Table:
    """Draw the addresses with users and the names of the secrets; never a password."""
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("where", "address", "user", "password"):
        drawn.add_column(heading, no_wrap=True)
    for name, (title, user, secret) in _PAGES.items():
        given = addresses.get(name)
        for address in given if isinstance(given, list) else [given] if given else []:
            drawn.add_row(title, address, user, secret)
    return drawn
