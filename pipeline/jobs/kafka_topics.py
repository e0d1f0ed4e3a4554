"""Kafka's topics: made, grown and configured as platform.yaml says; never deleted."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewPartitions,
    NewTopic,
    ResourceType,
)

from pipeline.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confluent_kafka.admin import AdminClient

    from pipeline.jobs.runtime import Job
    from pipeline.platform import Topic

__all__ = ["ensure_topics", "topic_config"]

_REQUEST_SECONDS = 15


class _TakenError(Exception):
    """A topic of that name is not gone yet: Kafka ends a deletion after the last client has seen it end."""


def topic_config(topic: Topic, replication: int) -> dict[str, str]:
    """Give a topic's whole configuration; with several replicas, one may be away and writes go on safely."""
    config = dict(topic.config)
    if replication > 1:
        config.setdefault("min.insync.replicas", str(replication - 1))
    return config


def ensure_topics(job: Job, admin: AdminClient, topics: Mapping[str, Topic]) -> None:
    """Bring every topic into the declared state; raises JobError for one with too many partitions."""
    there = admin.list_topics(timeout=_REQUEST_SECONDS).topics
    replication = job.settings.replication
    missing = {
        name: NewTopic(
            name,
            num_partitions=topic.partitions,
            replication_factor=replication,
            config=topic_config(topic, replication),
        )
        for name, topic in topics.items()
        if name not in there
    }
    if missing:
        job.wait_for("Kafka's new topic", partial(_create, admin, dict(missing)), failing_with=_TakenError)
    for name in missing:
        job.say(f"topic {name}: created, {topics[name].partitions} partitions, {replication} replicas")
    for name, topic in topics.items():
        if name in there:
            _ensure_partitions(job, admin, name, topic, len(there[name].partitions))
            _ensure_config(job, admin, name, topic_config(topic, replication))
            _check_replication(job, name, min(len(p.replicas) for p in there[name].partitions.values()))


def _create(admin: AdminClient, missing: dict[str, NewTopic]) -> None:
    """Make topics, and leave in `missing` those whose name is still taken; raises _TakenError for these."""
    taken = []
    for name, future in admin.create_topics([*missing.values()], request_timeout=_REQUEST_SECONDS).items():
        try:
            _result(future)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
            taken.append(error.args[0].str())
        else:
            del missing[name]
    if taken:
        raise _TakenError(" ".join(taken))


def _ensure_partitions(job: Job, admin: AdminClient, name: str, topic: Topic, current: int) -> None:
    if current > topic.partitions:
        raise JobError(
            f"topic '{name}' has {current} partitions, but platform.yaml says {topic.partitions}: "
            f"Kafka cannot take partitions away; say at least {current}"
        )
    if current < topic.partitions:
        grown = admin.create_partitions(
            [NewPartitions(name, topic.partitions)], request_timeout=_REQUEST_SECONDS
        )
        _result(grown[name])
        job.say(f"topic {name}: grown from {current} to {topic.partitions} partitions")


def _ensure_config(job: Job, admin: AdminClient, name: str, wanted: Mapping[str, str]) -> None:
    asked = ConfigResource(ResourceType.TOPIC, name)
    (answer,) = admin.describe_configs([asked], request_timeout=_REQUEST_SECONDS).values()
    current = {
        key: entry.value
        for key, entry in _result(answer).items()
        if ConfigSource(entry.source) == ConfigSource.DYNAMIC_TOPIC_CONFIG
    }
    changes = [
        ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
        for key, value in wanted.items()
        if current.get(key) != value
    ]
    changes += [
        ConfigEntry(key, None, incremental_operation=AlterConfigOpType.DELETE)
        for key in current
        if key not in wanted
    ]
    if not changes:
        return
    order = ConfigResource(ResourceType.TOPIC, name, incremental_configs=changes)
    (done,) = admin.incremental_alter_configs([order], request_timeout=_REQUEST_SECONDS).values()
    _result(done)
    for change in changes:
        job.say(
            f"topic {name}: {change.name} {'back to its default' if change.value is None else change.value}"
        )


def _check_replication(job: Job, name: str, replicas: int) -> None:
    if replicas != job.settings.replication:
        job.say(
            f"topic {name}: has {replicas} replicas, wanted are {job.settings.replication}; "
            "moving them is a reassignment, which this job does not do"
        )


def _result(future: Any) -> Any:
    return future.result(timeout=_REQUEST_SECONDS + 5)
