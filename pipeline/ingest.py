"""What the DAGs do: extract → transform → load of one interval, and publish what waits.

Each step's result is plain JSON, because it passes through Airflow's XCom: the answers for 100 stations and
one hour are some 60 kB, five minutes of ten devices some 25 kB. So a run can be followed in Airflow's pages
from the answer to the rows, and a load that is tried again does not ask the source again.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypedDict

from pipeline.errors import ContractError
from pipeline.feeds import Feed, SourceFacts, interval_around
from pipeline.history import History
from pipeline.loads import Load
from pipeline.outbox import drain
from pipeline.publisher import Publisher
from pipeline.readings import Reading, RejectedReading, utc_text
from pipeline.sources import together
from pipeline.sources.asking import Asker
from pipeline.sources.kinds import source_of
from pipeline.stations import DEFAULT_SOURCE, SELFTEST_STATION_ID, Station

if TYPE_CHECKING:
    from pipeline.settings import HistorySettings, KafkaSettings, RegistrySettings, WeatherSettings

__all__ = [
    "SELFTEST",
    "Extracted",
    "Loaded",
    "Transformed",
    "extract",
    "load",
    "publish",
    "transform",
    "window",
]

SELFTEST: Final = Feed(
    SourceFacts(id=DEFAULT_SOURCE, kind="open-meteo", interval="1h", catch_up="1h"),
    (Station(id=SELFTEST_STATION_ID, name="Galewatch self-test", latitude=0, longitude=0),),
)
"""The self-test's one station, which speaks as Open-Meteo."""

# XCom is a row of Airflow's database, not a store of files. An hour of a thousand stations is a tenth of it,
# five minutes of a thousand devices a half.
_XCOM_LIMIT_BYTES: Final = 16 * 1024 * 1024


class Answer(TypedDict):
    """One call: the stations that were asked for, as in stations.yaml, and the answer's content."""

    stations: list[dict[str, Any]]
    content: Any


class Extracted(TypedDict):
    """What a run asked and was answered: the source as in sources.yaml, times as ISO 8601."""

    source: dict[str, Any]
    run_id: str
    window_start: str
    window_end: str
    fetched_at: str
    answers: list[Answer]


class Transformed(TypedDict):
    """The readings of one run, in canonical units, and what could not be one."""

    source: str
    run_id: str
    window_start: str
    window_end: str
    fetched_at: str
    readings: list[dict[str, Any]]
    rejected: list[dict[str, Any]]
    empty: int


class Loaded(TypedDict):
    """What one load did; goes into the asset's event."""

    source: str
    load_id: str
    window_start: str
    window_end: str
    stored: int
    revised: int
    unchanged: int
    rejected: int
    empty: int
    to_publish: int


def window(
    start: datetime | None, end: datetime | None, length: timedelta, *, now: datetime
) -> tuple[datetime, datetime]:
    """Give a run's data interval; for a run without one (started by hand so), the last that is over."""
    if start is None or end is None:
        return interval_around(now - length, length)
    # Airflow gives pendulum's, whose differences do not divide by a timedelta.
    return datetime.fromtimestamp(start.timestamp(), UTC), datetime.fromtimestamp(end.timestamp(), UTC)


def extract(
    weather: WeatherSettings,
    feed: Feed,
    interval: tuple[datetime, datetime],
    *,
    run_id: str,
    fetched_at: datetime,
) -> Extracted:
    """Ask a source for an interval and, before it, its look-back; raises a SourceError."""
    start, end = interval[0] - feed.facts.lookback_time, interval[1]
    source = source_of(feed.facts)
    answers: list[Answer] = []
    with Asker(weather.url) as asker:
        for call in source.calls(feed.stations, start, end):
            stations = [station.model_dump() for station in call.stations]
            answers.append({"stations": stations, "content": asker.ask(source, call)})
    _check_size(answers, feed.facts.id, "answered")
    return {
        "source": feed.facts.model_dump(),
        "run_id": run_id,
        "window_start": utc_text(start),
        "window_end": utc_text(end),
        "fetched_at": utc_text(fetched_at),
        "answers": answers,
    }


def transform(extracted: Extracted) -> Transformed:
    """Turn the answers into readings in canonical units; raises ContractError if they break the contract."""
    source = source_of(SourceFacts.model_validate(extracted["source"]))
    start, end, fetched_at = (
        datetime.fromisoformat(extracted[key]) for key in ("window_start", "window_end", "fetched_at")
    )
    fetched = together(
        source.parse(
            answer["content"],
            [Station.model_validate(station) for station in answer["stations"]],
            start,
            end,
            fetched_at,
        )
        for answer in extracted["answers"]
    )
    readings = [reading.model_dump(mode="json") for reading in fetched.readings]
    _check_size(readings, source.name, "gave readings of")
    return {
        "source": source.name,
        "run_id": extracted["run_id"],
        "window_start": extracted["window_start"],
        "window_end": extracted["window_end"],
        "fetched_at": extracted["fetched_at"],
        "readings": readings,
        "rejected": [record.model_dump(mode="json") for record in fetched.rejected],
        "empty": fetched.empty,
    }


def load(settings: HistorySettings, transformed: Transformed, *, horizon: timedelta, now: datetime) -> Loaded:
    """Write the readings into the history and, where they are fresh, its outbox; raises HistoryError."""
    readings = [Reading.parse(record) for record in transformed["readings"]]
    rejected = [RejectedReading.model_validate(record) for record in transformed["rejected"]]
    start, end, fetched_at = (
        datetime.fromisoformat(transformed[key]) for key in ("window_start", "window_end", "fetched_at")
    )
    this = Load(transformed["source"], transformed["run_id"], start, end, fetched_at, transformed["empty"])
    with History(settings) as history:
        report = history.load(this, readings, rejected, horizon=horizon, now=now)
    return {
        "source": this.source,
        "load_id": this.load_id,
        "window_start": transformed["window_start"],
        "window_end": transformed["window_end"],
        "stored": report.stored,
        "revised": report.revised,
        "unchanged": report.unchanged,
        "rejected": report.rejected,
        "empty": this.empty,
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


def _check_size(content: Any, name: str, what: str) -> None:
    if (size := len(json.dumps(content))) > _XCOM_LIMIT_BYTES:
        raise ContractError(f"{name} {what} {size} bytes; one run takes at most {_XCOM_LIMIT_BYTES}")
