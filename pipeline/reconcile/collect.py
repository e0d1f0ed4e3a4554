"""Reading the books of every store, in an order in which what moves meanwhile can be told apart.

First the history, then the end of the topic (what comes later belongs to the next time), then Cassandra,
then the topic itself up to its end by now: what lies beyond the first end is moving.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from pipeline.errors import ReadingError
from pipeline.readings import FIELDS
from pipeline.reconcile.books import Books, Record
from pipeline.reconcile.history_books import HistoryBooks
from pipeline.reconcile.serving_books import ServingBooks
from pipeline.rules import alert_id
from pipeline.topics import dead_letters
from pipeline.topics.decoder import Decoder
from pipeline.topics.reader import TopicReader
from pipeline.units import METRICS
from pipeline.windows import window_start

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipeline.environment import Environment
    from pipeline.reconcile.books import Place
    from pipeline.rules import Rule
    from pipeline.topics.reader import TopicMessage

__all__ = ["collect"]

_READER: Final = "reader"
_READINGS: Final = "readings"
_ALERTS: Final = "alerts"
# A row is marked as published after the broker had it: within the delivery's timeout, and a moment.
_MARKED_WITHIN: Final = timedelta(seconds=60)


def collect(environment: Environment, rules: Sequence[Rule], since: datetime) -> Books:
    """Read everything about what was appended to the topic since an instant."""
    history = HistoryBooks(environment.history())
    until = datetime.now(UTC)
    loads, rows, published = history.sums(since + _MARKED_WITHIN)
    with _topic(environment, _READINGS) as topic, Decoder(environment.registry()) as decoder:
        first = topic.offsets()
        begin = topic.offsets_at(since, first)
        end = {number: there.end for number, there in first.items()}
        records, undecoded = _decoded(topic.messages(begin, end), decoder, rules)
        # The partitions of Cassandra's tables that the records belong to.
        partitions = sorted({(one.station_id, one.observed_at.date()) for one in records})
        serving = ServingBooks(environment.cassandra(), environment.platform.cassandra.keyspace)
        earliest = min((one.observed_at for one in records), default=since)
        stored = serving.event_ids(partitions)
        by_station = serving.alerts_of_stations({station for station, _ in partitions}, earliest)
        by_day = serving.alerts_of_days({day for _, day in partitions})
        averages = serving.averages(partitions)
        later = {number: there.end for number, there in topic.offsets().items()}
        moving, _ = _decoded(topic.messages(end, later), decoder, rules)
    window = environment.platform.streaming.window_seconds
    loaded = [one for one in records if one.source in loads and one.event_id not in published]
    return Books(
        since=since,
        until=until,
        loads=loads,
        rows=rows,
        published=published,
        unknown=history.unknown(loaded),
        records=tuple(records),
        undecoded=frozenset(undecoded),
        dead=_dead(environment, since),
        stored=stored,
        alerts_by_station=by_station,
        alerts_by_day=by_day,
        alerts_on_topic=_alert_ids(environment, since),
        averages=averages,
        moving=frozenset((one.station_id, window_start(one.observed_at, window)) for one in moving),
    )


def _topic(environment: Environment, name: str) -> TopicReader:
    group = environment.platform.kafka.users[_READER].group_prefix or _READER
    return TopicReader(environment.kafka(_READER), name, group)


def _since(topic: TopicReader, since: datetime) -> Iterable[TopicMessage]:
    offsets = topic.offsets()
    return topic.messages(topic.offsets_at(since, offsets), {n: there.end for n, there in offsets.items()})


def _decoded(
    messages: Iterable[TopicMessage], decoder: Decoder, rules: Sequence[Rule]
) -> tuple[list[Record], list[Place]]:
    records, undecoded = [], []
    for message in messages:
        place = (message.partition, message.offset)
        try:
            records.append(_record(place, message.appended_at, decoder.decode(message.value), rules))
        except (ReadingError, KeyError):
            undecoded.append(place)
    return records, undecoded


def _record(place: Place, appended_at: datetime, told: Mapping[str, Any], rules: Sequence[Rule]) -> Record:
    values = {metric: told[FIELDS[metric]] for metric in METRICS}
    return Record(
        place=place,
        appended_at=appended_at,
        event_id=told["event_id"],
        station_id=told["station_id"],
        observed_at=told["observed_at"],
        source=told["source"],
        origin=told["origin"],
        revision=told["revision"],
        fetched_at=told["fetched_at"],
        temperature_c=told[FIELDS["temperature"]],
        alerts=tuple(rule.id for rule in rules if rule.crossed_by(values[rule.metric])),
    )


def _dead(environment: Environment, since: datetime) -> frozenset[Place]:
    with _topic(environment, dead_letters.TOPIC) as topic:
        letters = dead_letters.collect(_since(topic, since))
    return frozenset((one.partition, one.offset) for one in letters if one.topic == _READINGS)


def _alert_ids(environment: Environment, since: datetime) -> frozenset[str]:
    with _topic(environment, _ALERTS) as topic, Decoder(environment.registry()) as decoder:
        told = [decoder.decode(message.value) for message in _since(topic, since)]
    return frozenset(alert_id(one["event_id"], one["rule_id"]) for one in told)
