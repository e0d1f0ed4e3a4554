"""Asking where the data is: history, outbox, registry, topics, tables."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import psycopg2

from pipeline.doctor.seen import (
    HistorySeen,
    KafkaSeen,
    OutboxSeen,
    ProgressSeen,
    RegistrySeen,
    ServingSeen,
    TopicSeen,
)
from pipeline.errors import HistoryError
from pipeline.history import connect
from pipeline.registry import Registry
from pipeline.schemas import schema_text
from pipeline.serving import Serving
from pipeline.topics.reader import NoTopicError, TopicReader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.environment import Environment

__all__ = ["history", "kafka", "outbox", "registry", "serving"]

_READER: Final = "reader"
_DAY: Final = timedelta(days=1)
# Counting more rows takes longer than anybody wants to wait; that there are many is enough to know.
_COUNTED: Final = 1_000_000
_TIMEOUT_MS: Final = 5000
# The newest average is one of a station that spoke lately.
_STATIONS_ASKED: Final = 5


def history(environment: Environment) -> HistorySeen:
    """Count the readings, and find when each source was loaded last."""
    counted = "SELECT count(*) FROM (SELECT 1 FROM readings LIMIT %s) AS counted"
    ((count,),) = _ask(environment, counted, _COUNTED + 1)
    loads = _ask(environment, "SELECT source, max(loaded_at) FROM loads GROUP BY source")
    return HistorySeen(min(count, _COUNTED), count > _COUNTED, dict(loads))


def outbox(environment: Environment) -> OutboxSeen:
    """Count what waits."""
    ((waiting, since),) = _ask(
        environment,
        "SELECT count(*), min(ingested_at) FROM readings "
        "WHERE streamed AND published_revision IS DISTINCT FROM revision",
    )
    return OutboxSeen(waiting, since)


def registry(environment: Environment) -> RegistrySeen:
    """Look up each schema of platform.yaml."""
    wanted = [
        (subject, schema)
        for subject, schemas in environment.platform.schema_registry.subjects.items()
        for schema in schemas
    ]
    with Registry(environment.registry()) as opened:
        missing = tuple(
            f"{schema} in {subject}"
            for subject, schema in wanted
            if opened.schema_id(subject, schema_text(schema)) is None
        )
    return RegistrySeen(len(wanted) - len(missing), missing)


def kafka(environment: Environment) -> KafkaSeen:
    """Look at the offsets and the newest message of each topic."""
    group = environment.platform.kafka.users[_READER].group_prefix or _READER
    topics: dict[str, TopicSeen] = {}
    missing = []
    for name in environment.platform.kafka.topics:
        with TopicReader(environment.kafka(_READER), name, group) as topic:
            try:
                offsets = topic.offsets()
            except NoTopicError:
                missing.append(name)
                continue
            topics[name] = TopicSeen(
                messages=sum(there.end - there.first for there in offsets.values()),
                ends={number: there.end for number, there in offsets.items()},
                appended_at=max((message.appended_at for message in topic.last(offsets)), default=None),
            )
    return KafkaSeen(topics, tuple(missing))


def serving(environment: Environment) -> ServingSeen:
    """Look at the newest rows of each table, and at the queries' progress."""
    now = datetime.now(UTC)
    with Serving(environment.cassandra(), environment.platform.cassandra.keyspace) as opened:
        latest = sorted(opened.all_latest(), key=lambda one: one.observed_at, reverse=True)
        days = ((now - _DAY).date(), now.date())
        newest = opened.latest_alerts(since=now - _DAY, now=now, limit=1)
        stations = list(dict.fromkeys(one.station_id for one in latest))
        averages = [
            average.window_start
            for station in stations[:_STATIONS_ASKED]
            for average in opened.averages(station, since=now - _DAY, now=now, limit=1)
        ]
        return ServingSeen(
            stations=len(stations),
            reading_at=latest[0].observed_at if latest else None,
            alerts=sum(opened.count_alerts(day) for day in days),
            alert_at=newest[0].observed_at if newest else None,
            average_at=max(averages, default=None),
            progress=tuple(
                ProgressSeen(one.query, one.copy, one.partition, one.next_offset, one.at)
                for one in opened.progress()
            ),
        )


def _ask(environment: Environment, question: str, *values: Any) -> Sequence[tuple[Any, ...]]:
    try:
        with closing(connect(environment.history())) as connection, connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = %s", (_TIMEOUT_MS,))
            cursor.execute(question, values)
            return cursor.fetchall()
    except psycopg2.Error as error:
        raise HistoryError(f"PostgreSQL refused: {str(error).strip().splitlines()[0]}") from None
