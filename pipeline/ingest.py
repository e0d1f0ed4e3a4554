"""What the DAGs do: extract → transform → load of one interval, and publish what waits.

Each step's result is plain JSON, because it passes through Airflow's XCom: the answers for 100 stations and
one hour are some 60 kB. So a run can be followed in Airflow's pages from the answer to the rows, and a load
that is tried again does not ask the weather service again.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypedDict

from pipeline.errors import ContractError
from pipeline.history import History
from pipeline.outbox import drain
from pipeline.publisher import Publisher
from pipeline.readings import Reading, RejectedReading, utc_text
from pipeline.sources.forecast import parse_forecast
from pipeline.sources.open_meteo import OpenMeteo, full_hours
from pipeline.stations import SELFTEST_STATION_ID, Station

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.settings import HistorySettings, KafkaSettings, RegistrySettings, WeatherSettings

__all__ = [
    "BATCH",
    "SELFTEST_STATION",
    "Extracted",
    "Loaded",
    "Transformed",
    "current_hour",
    "extract",
    "load",
    "publish",
    "transform",
    "window",
]

BATCH: Final = 100
"""Stations asked for in one call: each location counts against the service's limit of 600 a minute."""

SELFTEST_STATION: Final = Station(id=SELFTEST_STATION_ID, name="Galewatch self-test", latitude=0, longitude=0)

# XCom is a row of Airflow's database, not a store of files. An hour of a thousand stations is a tenth of it.
_XCOM_LIMIT_BYTES: Final = 8 * 1024 * 1024

_HOUR: Final = timedelta(hours=1)


class Batch(TypedDict):
    """One call: the stations that were asked for, as in stations.yaml, and the answer as it came."""

    stations: list[dict[str, Any]]
    answer: Any


class Extracted(TypedDict):
    """The answers for one interval; times as ISO 8601."""

    window_start: str
    window_end: str
    fetched_at: str
    batches: list[Batch]


class Transformed(TypedDict):
    """The readings of one interval, in canonical units, and what could not be one."""

    window_start: str
    window_end: str
    readings: list[dict[str, Any]]
    rejected: list[dict[str, Any]]
    empty: int


class Loaded(TypedDict):
    """What one load did; goes into the asset's event."""

    window_start: str
    window_end: str
    stored: int
    revised: int
    unchanged: int
    rejected: int
    empty: int
    to_publish: int


def current_hour(now: datetime) -> tuple[datetime, datetime]:
    """Give the hour that `now` is in, as [start, end)."""
    start = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return start, start + _HOUR


def window(start: datetime | None, end: datetime | None, *, now: datetime) -> tuple[datetime, datetime]:
    """Give a run's data interval; for a run without one (started by hand so), the last hour that is over."""
    if start is None or end is None:
        return current_hour(now - _HOUR)
    # Airflow gives pendulum's, whose differences do not divide by a timedelta.
    return datetime.fromtimestamp(start.timestamp(), UTC), datetime.fromtimestamp(end.timestamp(), UTC)


def extract(
    weather: WeatherSettings,
    stations: Sequence[Station],
    interval: tuple[datetime, datetime],
    *,
    fetched_at: datetime,
    path: str = "",
) -> Extracted:
    """Ask the weather API under `path` for the full hours in [start, end); raises a SourceError."""
    start, end = interval
    hours = full_hours(start, end)
    batches: list[Batch] = []
    with OpenMeteo(weather.url + path, batch_size=BATCH) as source:
        for first in range(0, len(stations) if hours else 0, BATCH):
            asked = stations[first : first + BATCH]
            answer = source.ask(asked, hours)
            batches.append({"stations": [station.model_dump() for station in asked], "answer": answer})
    if (size := len(json.dumps(batches))) > _XCOM_LIMIT_BYTES:
        raise ContractError(
            f"{source.name} answered {size} bytes for {len(stations)} stations and {len(hours)} hours; "
            f"one run takes at most {_XCOM_LIMIT_BYTES}"
        )
    return {
        "window_start": utc_text(start),
        "window_end": utc_text(end),
        "fetched_at": utc_text(fetched_at),
        "batches": batches,
    }


def transform(extracted: Extracted) -> Transformed:
    """Turn the answers into readings in canonical units; raises ContractError if they break the contract."""
    start, end, fetched_at = (
        datetime.fromisoformat(extracted[key]) for key in ("window_start", "window_end", "fetched_at")
    )
    parts = [
        parse_forecast(
            batch["answer"],
            [Station.model_validate(station) for station in batch["stations"]],
            full_hours(start, end),
            fetched_at,
        )
        for batch in extracted["batches"]
    ]
    return {
        "window_start": extracted["window_start"],
        "window_end": extracted["window_end"],
        "readings": [reading.model_dump(mode="json") for part in parts for reading in part.readings],
        "rejected": [record.model_dump(mode="json") for part in parts for record in part.rejected],
        "empty": sum(part.empty for part in parts),
    }


def load(settings: HistorySettings, transformed: Transformed, *, horizon: timedelta, now: datetime) -> Loaded:
    """Write the readings into the history and, where they are fresh, its outbox; raises HistoryError."""
    readings = [Reading.parse(record) for record in transformed["readings"]]
    rejected = [RejectedReading.model_validate(record) for record in transformed["rejected"]]
    with History(settings) as history:
        report = history.load(readings, rejected, horizon=horizon, now=now)
    return {
        "window_start": transformed["window_start"],
        "window_end": transformed["window_end"],
        "stored": report.stored,
        "revised": report.revised,
        "unchanged": report.unchanged,
        "rejected": report.rejected,
        "empty": transformed["empty"],
        "to_publish": report.to_publish,
    }


def publish(history: HistorySettings, kafka: KafkaSettings, registry: RegistrySettings) -> int:
    """Publish every reading that waits, whichever run left it; returns their number.

    Raises HistoryError, RegistryError or DeliveryError; what was not acknowledged waits for the next run.
    """
    with History(history) as opened:
        if not opened.waiting():
            return 0
        with Publisher(kafka, registry) as publisher:
            return drain(opened, publisher)
