"""`galewatch`: look at alerts, averages and history, and at the platform itself, in one environment."""

from __future__ import annotations

import json
import re
import sys
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from pipeline.environment import Environment
from pipeline.errors import GalewatchError, ServiceError
from pipeline.readings import utc_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["app"]

app = typer.Typer(
    name="galewatch",
    help="Look at the alerts, averages and history of a running environment.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_DURATION = re.compile(r"(\d{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _instant(text: str) -> datetime:
    """Read `24h`, `7d`, `90m` (that long ago) or an ISO 8601 time; a time without a zone is UTC."""
    if match := _DURATION.fullmatch(text.strip()):
        return datetime.now(UTC) - timedelta(seconds=int(match[1]) * _SECONDS[match[2]])
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"must be a time like 2026-11-21T14:00Z or a span like 24h, got {text!r}"
        ) from None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


Name = Annotated[str | None, typer.Option("--env", help="The environment; default $GALEWATCH_ENV, else dev.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line instead of a table.")]
Station = Annotated[str | None, typer.Option("--station", help="Only this station's id.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="At most so many, the newest.")]
Since = Annotated[
    datetime | None,
    typer.Option("--since", parser=_instant, help="A time (ISO 8601) or a span back from now (24h, 7d)."),
]


@app.command()
def alerts(
    station: Station = None,
    limit: Limit = 20,
    since: Since = None,
    *,
    as_json: AsJson = False,
    env: Name = None,
) -> None:
    """Show the newest alerts (of the last 7 days, unless --since says otherwise)."""
    from pipeline.serving import Serving  # noqa: PLC0415 - the driver takes half a second to import

    now = datetime.now(UTC)
    since = since or now - timedelta(days=7)
    with _sentences():
        environment = Environment.from_env(env)
        with Serving(environment.cassandra(), environment.platform.cassandra.keyspace) as serving:
            found = (
                serving.alerts_of_station(station, since=since, limit=limit)
                if station
                else serving.latest_alerts(since=since, now=now, limit=limit)
            )
    columns = ("observed_at", "station_id", "severity", "message", "value", "threshold", "unit", "origin")
    _show([asdict(alert) for alert in found], columns, as_json=as_json, nothing="no alerts")


@app.command()
def averages(
    station: Annotated[str, typer.Option("--station", help="The station's id.")],
    limit: Limit = 20,
    since: Since = None,
    *,
    as_json: AsJson = False,
    env: Name = None,
) -> None:
    """Show a station's newest five-minute averages (of the last 7 days, unless --since says otherwise)."""
    from pipeline.serving import Serving  # noqa: PLC0415 - the same

    now = datetime.now(UTC)
    with _sentences():
        environment = Environment.from_env(env)
        with Serving(environment.cassandra(), environment.platform.cassandra.keyspace) as serving:
            found = serving.averages(station, since=since or now - timedelta(days=7), now=now, limit=limit)
    columns = (
        "window_start",
        "window_end",
        "station_id",
        "temperature_c_mean",
        "temperature_c_min",
        "temperature_c_max",
        "readings",
        "origin",
    )
    _show([asdict(average) for average in found], columns, as_json=as_json, nothing="no averages")


@app.command()
def history(
    station: Station = None,
    limit: Limit = 20,
    since: Since = None,
    *,
    as_json: AsJson = False,
    env: Name = None,
) -> None:
    """Show the newest readings of the history in PostgreSQL."""
    from pipeline.history import History  # noqa: PLC0415 - as the others, only when it is asked for

    with _sentences(), History(Environment.from_env(env).history()) as opened:
        found = opened.readings(station_id=station, since=since, limit=limit)
    rows = [
        {
            **row.reading.model_dump(exclude={"fetched_at"}),
            "event_id": row.reading.event_id,
            "fetched_at": row.reading.fetched_at,
            "ingested_at": row.ingested_at,
            "streamed": row.streamed,
            "published_at": row.published_at,
        }
        for row in found
    ]
    columns = (
        "observed_at",
        "station_id",
        "temperature_c",
        "humidity_pct",
        "pressure_hpa",
        "wind_speed_ms",
        "revision",
        "published_at",
        "origin",
    )
    _show(rows, columns, as_json=as_json, nothing="no readings")


@app.command()
def status(*, as_json: AsJson = False, env: Name = None) -> None:
    """Show every container of the environment, its health and its memory; exit code 1 if one is not well."""
    from pipeline.infra.status import report, table  # noqa: PLC0415 - it asks the engine

    with _sentences():
        found = report(Environment.from_env(env).name)
    if as_json:
        for service in found.services:
            _print_json({**asdict(service), "is_well": service.is_well})
    else:
        Console().print(table(found))
    if not found.is_well:
        raise typer.Exit(1)


@contextmanager
def _sentences() -> Iterator[None]:
    """Turn an error of ours into one sentence and exit code 1."""
    try:
        yield
    except GalewatchError as error:
        hint = " (is it running? `galewatch status` tells)" if isinstance(error, ServiceError) else ""
        print(f"galewatch: {error}{hint}", file=sys.stderr)  # noqa: T201 - this is what the command says
        raise typer.Exit(1) from None


def _show(rows: Sequence[dict[str, Any]], columns: Sequence[str], *, as_json: bool, nothing: str) -> None:
    if as_json:
        for row in rows:
            _print_json(row)
        return
    if not rows:
        print(nothing)  # noqa: T201 - the same
        return
    table = Table(header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if isinstance(rows[0][column], int | float) else "left")
    for row in rows:
        # What is not the real weather says so by its colour as well.
        style = None if row["origin"] == "live" else "magenta" if row["origin"] == "selftest" else "cyan"
        table.add_row(*(_cell(row[column]) for column in columns), style=style)
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return utc_text(value)
    return f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _print_json(row: dict[str, Any]) -> None:
    plain = {key: utc_text(value) if isinstance(value, datetime) else value for key, value in row.items()}
    print(json.dumps(plain, ensure_ascii=False))  # noqa: T201 - the same


if __name__ == "__main__":
    app()
