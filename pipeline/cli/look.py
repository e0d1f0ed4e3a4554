"""Commands that show rows: alerts, averages, history and the latest readings."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.options import AsJson, Limit, Name, Since, Station  # noqa: TC001 - typer resolves annotations at run time
from pipeline.cli.output import sentences, show
from pipeline.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.serving import Serving

__all__ = ["alerts", "averages", "history", "latest"]


def alerts(
    station: Station = None,
    limit: Limit = 20,
    since: Since = None,
    *,
    as_json: AsJson = False,
    env: Name = None,
) -> None:
    """Show the newest alerts (of the last 7 days, unless --since says otherwise)."""
    now = datetime.now(UTC)
    since = since or now - timedelta(days=7)
    with sentences(), _serving(Environment.from_env(env)) as serving:
        found = (
            serving.alerts_of_station(station, since=since, limit=limit)
            if station
            else serving.latest_alerts(since=since, now=now, limit=limit)
        )
    columns = ("observed_at", "station_id", "severity", "message", "value", "threshold", "unit", "origin")
    show([asdict(alert) for alert in found], columns, as_json=as_json, nothing="no alerts")


def averages(
    station: Annotated[str, typer.Option("--station", help="The station's id.")],
    limit: Limit = 20,
    since: Since = None,
    *,
    as_json: AsJson = False,
    env: Name = None,
) -> None:
    """Show a station's newest five-minute averages (of the last 7 days, unless --since says otherwise)."""
    now = datetime.now(UTC)
    with sentences(), _serving(Environment.from_env(env)) as serving:
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
    show([asdict(average) for average in found], columns, as_json=as_json, nothing="no averages")


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

    with sentences(), History(Environment.from_env(env).history()) as opened:
        found = opened.readings(station_id=station, since=since, limit=limit)
    rows = [
        {
            **row.reading.model_dump(exclude={"fetched_at"}),
            "event_id": row.reading.event_id,
            "fetched_at": row.reading.fetched_at,
            "load_id": row.load_id,
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
    show(rows, columns, as_json=as_json, nothing="no readings")


def latest(station: Station = None, limit: Limit = 100, *, as_json: AsJson = False, env: Name = None) -> None:
    """Show each station's newest reading by source, and its mean temperature of the last five minutes."""
    from pipeline.windows import trailing  # noqa: PLC0415 - as the others, only when it is asked for

    now = datetime.now(UTC)
    with sentences():
        environment = Environment.from_env(env)
        window = environment.platform.streaming.window_seconds
        since = now - timedelta(seconds=window)
        with _serving(environment) as serving:
            found = serving.latest(station) if station else serving.all_latest()
            found = sorted(found, key=lambda one: (one.observed_at, one.station_id), reverse=True)[:limit]
            speaking = [one.station_id for one in found if one.observed_at > since]
            recent = serving.readings_since(speaking, since, now=now)
    means = {
        name: trailing([(one.observed_at, one.temperature_c) for one in readings], now, window)
        for name, readings in recent.items()
    }
    rows = [
        {
            **asdict(one),
            "mean_c": mean and mean.temperature_c_mean,
            "of_readings": mean and mean.readings,
        }
        for one in found
        for mean in [means.get(one.station_id)]
    ]
    columns = (
        "observed_at",
        "station_id",
        "source",
        "temperature_c",
        "humidity_pct",
        "pressure_hpa",
        "wind_speed_ms",
        "mean_c",
        "of_readings",
        "origin",
    )
    show(rows, columns, as_json=as_json, nothing="no readings")


@contextmanager
def _serving(environment: Environment) -> Iterator[Serving]:
    from pipeline.serving import Serving  # noqa: PLC0415 - the driver takes half a second to import

    with Serving(environment.cassandra(), environment.platform.cassandra.keyspace) as opened:
        yield opened
