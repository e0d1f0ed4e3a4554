"""What `make up` ends with: the alerts, the pages, and where the passwords are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from rich.table import Table

from pipeline.readings import utc_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from pipeline.infra.first_alert import Outcome
    from pipeline.infra.layout import Layout
    from pipeline.rules import Nearest
    from pipeline.serving import Alert

__all__ = ["alerts_table", "ending", "near_miss", "pages"]

_SHOWN_ALERTS: Final = 12
# Output that goes into a file has no width of its own.
_WIDTH: Final = 120
_COLOURS: Final = {"critical": "bold red", "warning": "yellow", "info": "cyan"}

_PAGES: Final = {
    "airflow": ("Airflow", "user admin, password in {secrets}/airflow_admin"),
    "spark_master": ("Spark", "workers and drivers"),
    "driver_alerts": ("alerts driver", "its queries"),
    "driver_tables": ("tables driver", "its queries"),
    "weather_api": ("weather API", "replayed or synthetic weather"),
    "schema_registry": ("Schema Registry", "user client, password in {secrets}/registry_client"),
    "kafka": ("Kafka", "user reader (SCRAM-SHA-512), password in {secrets}/kafka_reader"),
    "postgres": ("PostgreSQL", "database history, user reader, password in {secrets}/postgres_reader"),
    "cassandra": ("Cassandra", "keyspace galewatch, user reader, password in {secrets}/cassandra_reader"),
}


def ending(console: Console, layout: Layout, outcome: Outcome, addresses: Mapping[str, Any]) -> None:
    """Print everything that someone who has just brought the environment up wants to know."""
    console.print()
    hour = f"{outcome.start:%Y-%m-%d %H:%M} to {outcome.end:%H:%M} UTC"
    if outcome.alerts:
        console.print(f"[bold]Alerts of {hour}[/], {outcome.readings} readings:")
        _print(console, alerts_table(outcome.alerts))
    else:
        console.print(
            f"None of the {outcome.readings} readings of {hour} crosses a rule. {near_miss(outcome.nearest)}"
        )
        if outcome.test is not None:
            console.print(
                "That the path is whole, a [magenta]test reading[/] has just proved (no real weather):"
            )
            _print(console, alerts_table([outcome.test]))
    console.print()
    _print(console, pages(addresses, layout))
    console.print("More: [bold].venv/bin/galewatch alerts[/], [bold]make status[/], [bold]make help[/].")


def alerts_table(alerts: Sequence[Alert]) -> Table:
    """Draw alerts, the newest first; synthetic, replayed and test weather is told in the last column."""
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("observed (UTC)", "station", "severity", "alert"):
        drawn.add_column(heading)
    drawn.add_column("value", justify="right")
    drawn.add_column("threshold", justify="right")
    drawn.add_column("raised", justify="right")
    drawn.add_column("weather")
    for alert in alerts[:_SHOWN_ALERTS]:
        colour = _COLOURS.get(alert.severity, "")
        drawn.add_row(
            f"{alert.observed_at:%Y-%m-%d %H:%M}",
            alert.station_id,
            f"[{colour}]{alert.severity}[/]" if colour else alert.severity,
            alert.message,
            f"{alert.value:.1f} {alert.unit}",
            f"{alert.threshold:.1f} {alert.unit}",
            _ago(alert.raised_at),
            "test" if alert.origin == "selftest" else alert.origin,
        )
    if len(alerts) > _SHOWN_ALERTS:
        drawn.add_row("", f"and {len(alerts) - _SHOWN_ALERTS} more")
    return drawn


def near_miss(found: Nearest | None) -> str:
    """Tell in a sentence which reading came nearest to a rule."""
    if found is None:
        return "There was no reading to come near one."
    value, rule = f"{found.value:.1f} {found.rule.unit}", found.rule
    return (
        f"Nearest came {found.reading.station_id} at {utc_text(found.reading.observed_at)} with {value} "
        f"({rule.metric.replace('_', ' ')}; {rule.id} wants {rule.comparison} {rule.threshold:.1f} {rule.unit})."
    )


def pages(addresses: Mapping[str, Any], layout: Layout) -> Table:
    """Draw the addresses, with the place of each password; never a password."""
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("where", "address", "what"):
        drawn.add_column(heading, no_wrap=heading == "address")
    secrets = layout.secrets.relative_to(layout.root)
    for name, (title, what) in _PAGES.items():
        given = addresses.get(name)
        for address in given if isinstance(given, list) else [given] if given else []:
            drawn.add_row(title, address, what.format(secrets=secrets))
    return drawn


def _ago(instant: datetime) -> str:
    age = datetime.now(UTC) - instant
    return f"{age.total_seconds():.0f} s ago" if age < timedelta(minutes=2) else f"{instant:%H:%M:%S}"


def _print(console: Console, table: Table) -> None:
    console.print(table, width=None if console.is_terminal else _WIDTH)
