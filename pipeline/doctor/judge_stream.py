"""Judging the second half of the path: Schema Registry, Kafka, Spark, Cassandra. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pipeline.doctor.hop import Hop, age, judged, plural, stopped, unanswered, unwell
from pipeline.doctor.seen import Failed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pipeline.doctor.seen import KafkaSeen, ProgressSeen, RegistrySeen, Seen, ServingSeen, TopicSeen

__all__ = ["KAFKA", "REGISTRY", "SERVING", "SPARK", "kafka", "registry", "serving", "spark"]

REGISTRY: Final = "Schema Registry"
KAFKA: Final = "Kafka"
SPARK: Final = "Spark"
SERVING: Final = "Cassandra"

READINGS: Final = "readings"
_REGISTRY_SERVICE: Final = "schema-registry"
_BROKER: Final = ("zookeeper", "kafka")
_MASTER: Final = "spark-master"
_WORKERS: Final = "spark-worker-"
_CASSANDRA: Final = "cassandra"
_ALERTS_DRIVER: Final = "driver-alerts-"
_TABLES_DRIVER: Final = "driver-tables"
# Which driver runs a query; of the alerts' there are copies, of which one is enough.
_DRIVERS: Final = {"alerts": _ALERTS_DRIVER, "readings": _TABLES_DRIVER, "averages": _TABLES_DRIVER}
# Behind, and not a step further for so long: a batch takes seconds, and the first one after a start half a
# minute.
_STUCK: Final = timedelta(seconds=60)
# A query that has had nothing to do for a day has no progress any more: its row has gone by its TTL.
_PROGRESS_KEPT: Final = timedelta(hours=23)


def registry(seen: Seen) -> Hop:
    """Judge the registry."""
    found: RegistrySeen | Failed = seen.registry
    if isinstance(found, Failed):
        return unanswered(REGISTRY, found, seen, _REGISTRY_SERVICE)
    lost = [f"it does not know {', '.join(found.missing)}: `make up` registers it"] if found.missing else []
    broken = [*stopped(seen, _REGISTRY_SERVICE), *lost]
    return judged(REGISTRY, plural(found.known, "schema"), broken, unwell(seen, _REGISTRY_SERVICE))


def kafka(seen: Seen) -> Hop:
    """Judge ZooKeeper, the broker and the topics."""
    found: KafkaSeen | Failed = seen.kafka
    if isinstance(found, Failed):
        return unanswered(KAFKA, found, seen, *_BROKER)
    facts = "; ".join(
        f"{name} {topic.messages:,}{f', newest {age(topic.appended_at, seen.now)}' if topic.messages else ''}"
        for name, topic in sorted(found.topics.items(), key=lambda item: (item[0] != READINGS, item[0]))
    )
    lost = [f"there is no topic {', '.join(found.missing)}: `make up` makes it"] if found.missing else []
    return judged(KAFKA, facts, [*stopped(seen, *_BROKER), *lost], unwell(seen, *_BROKER))


@dataclass(frozen=True, slots=True)
class _Copy:
    """A copy of a query: how many offsets it is behind, and when it last came a step further."""

    query: str
    copy: int
    behind: int
    at: datetime

    @property
    def name(self) -> str:
        return f"{self.query}-{self.copy}" if self.query == "alerts" else self.query

    @property
    def driver(self) -> str:
        driver = _DRIVERS.get(self.query, _TABLES_DRIVER)
        return f"{driver}{self.copy}" if driver.endswith("-") else driver

    def is_stuck(self, now: datetime) -> bool:
        return self.behind > 0 and now - self.at > _STUCK


def spark(seen: Seen) -> Hop:
    """Judge the cluster, the drivers, and how far each query has come."""
    found = seen.spark
    if isinstance(found, Failed):
        return unanswered(SPARK, found, seen, _MASTER)
    facts = [plural(found.workers, "worker")]
    copies: list[_Copy] = []
    if isinstance(seen.serving, Failed) or isinstance(seen.kafka, Failed):
        facts.append("how far its queries are cannot be told")
    else:
        copies = _copies(seen.serving.progress, seen.kafka.topics.get(READINGS), seen)
        facts += [f"{one.name} {one.behind:,} behind, {age(one.at, seen.now)}" for one in copies]
    ended = stopped(seen, _ALERTS_DRIVER)
    no_alerts = ended if len(ended) == _count(seen, _ALERTS_DRIVER) else []
    no_workers = [] if found.workers else ["no worker is registered with its master"]
    troubles = [f"{driver}: {said}" for driver, said in sorted(found.troubles.items())]
    broken = [*stopped(seen, _MASTER), *no_workers, *_with_trouble(no_alerts, seen, _ALERTS_DRIVER)]
    broken += [*_with_trouble(stopped(seen, _TABLES_DRIVER), seen, _TABLES_DRIVER), *_stuck(copies, seen)]
    ill = unwell(seen, _MASTER, _WORKERS, _ALERTS_DRIVER, _TABLES_DRIVER)
    warnings = [*ended, *stopped(seen, _WORKERS), *troubles, *ill]
    return judged(SPARK, "; ".join(facts), broken, warnings)


def _copies(progress: tuple[ProgressSeen, ...], topic: TopicSeen | None, seen: Seen) -> list[_Copy]:
    """Add up the partitions of each copy; a copy whose driver is gone is left out."""
    ends = {} if topic is None else topic.ends
    parts: defaultdict[tuple[str, int], list[ProgressSeen]] = defaultdict(list)
    for one in progress:
        parts[one.query, one.copy].append(one)
    copies = []
    for (query, copy), told in sorted(parts.items()):
        reached = {one.partition: one.next_offset for one in told}
        behind = sum(max(0, end - reached.get(number, 0)) for number, end in ends.items())
        copies.append(_Copy(query, copy, behind, max(one.at for one in told)))
    return [one for one in copies if isinstance(seen.containers, Failed) or _count(seen, one.driver)]


def _stuck(copies: list[_Copy], seen: Seen) -> Iterator[str]:
    """Say which queries do not come further; of copies, only if none does."""
    topic = None if isinstance(seen.kafka, Failed) else seen.kafka.topics.get(READINGS)
    if isinstance(seen.serving, Failed) or topic is None or not topic.messages:
        return
    for query in _DRIVERS:
        own = [one for one in copies if one.query == query]
        if not own and _is_recent(topic, seen.now):
            told = _last_words(seen, _DRIVERS[query])
            yield f"the query {query} has not got through a single reading yet{told}"
        elif own and all(one.is_stuck(seen.now) for one in own):
            least = min(own, key=lambda one: one.behind)
            ill = [*stopped(seen, least.driver), *unwell(seen, least.driver)]
            healthy = not isinstance(seen.containers, Failed) and not ill
            yield (
                f"query {least.name}: {'driver healthy, ' if healthy else ''}"
                f"{plural(least.behind, 'offset')} behind, its last step was {age(least.at, seen.now)}"
                f"{_last_words(seen, least.driver)}"
            )


def _is_recent(topic: TopicSeen, now: datetime) -> bool:
    return topic.appended_at is not None and now - topic.appended_at < _PROGRESS_KEPT


def _with_trouble(ill: list[str], seen: Seen, driver: str) -> list[str]:
    return [f"{sentence}{_last_words(seen, driver)}" for sentence in ill]


def _last_words(seen: Seen, driver: str) -> str:
    """Give what a driver tells as its trouble, for the end of a sentence."""
    if isinstance(seen.spark, Failed):
        return ""
    said = [text for name, text in sorted(seen.spark.troubles.items()) if name.startswith(driver)]
    return f"; it says: {said[0]}" if said else ""


def _count(seen: Seen, service: str) -> int:
    """Count the containers of a service, also those that have ended."""
    if isinstance(seen.containers, Failed):
        return 0
    return sum(one.service.startswith(service) for one in seen.containers)


def serving(seen: Seen) -> Hop:
    """Judge the tables that people read."""
    found: ServingSeen | Failed = seen.serving
    if isinstance(found, Failed):
        return unanswered(SERVING, found, seen, _CASSANDRA)
    facts = (
        f"{plural(found.stations, 'station')}, newest reading {age(found.reading_at, seen.now)}; "
        f"{plural(found.alerts, 'alert')} since yesterday, newest {age(found.alert_at, seen.now)}; "
        f"newest average {age(found.average_at, seen.now)}"
    )
    topic = None if isinstance(seen.kafka, Failed) else seen.kafka.topics.get(READINGS)
    empty = []
    if topic is not None and topic.messages and not found.stations:
        empty = [f"its tables are empty, although {plural(topic.messages, 'reading')} lie on the topic"]
    return judged(SERVING, facts, [*stopped(seen, _CASSANDRA), *empty], unwell(seen, _CASSANDRA))
