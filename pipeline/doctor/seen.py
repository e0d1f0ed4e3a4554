"""What the probes saw of each hop. A probe that got no answer gives Failed with the reason."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - a dataclass's annotation
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - the same

__all__ = [
    "AirflowSeen",
    "ContainerSeen",
    "DagSeen",
    "Failed",
    "HistorySeen",
    "KafkaSeen",
    "OutboxSeen",
    "ProgressSeen",
    "RegistrySeen",
    "Seen",
    "ServingSeen",
    "SparkSeen",
    "TopicSeen",
    "WeatherSeen",
]


@dataclass(frozen=True, slots=True)
class Failed:
    """No answer; `reason` is one sentence."""

    reason: str


@dataclass(frozen=True, slots=True)
class ContainerSeen:
    """A service's container, as the engine tells of it; `health` is empty where nothing checks it."""

    service: str
    state: str
    health: str
    exit_code: int

    @property
    def runs(self) -> bool:
        """Tell whether its processes run: it has not ended, and is not paused."""
        return self.state == "running"

    @property
    def is_healthy(self) -> bool:
        """Tell whether its health check, if it has one, has found it healthy the last time."""
        return self.health in {"", "healthy"}


@dataclass(frozen=True, slots=True)
class WeatherSeen:
    """The weather API: where its weather comes from, and which faults are switched on, by contract."""

    origin: str
    faults: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DagSeen:
    """A DAG, its newest run, and when the scheduler is to make the next one; None where there is none.

    `trouble` tells why the newest run failed, or why it is being tried again.
    """

    dag_id: str
    is_paused: bool
    state: str | None = None
    ran_at: datetime | None = None
    next_at: datetime | None = None
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class AirflowSeen:
    """Airflow: components that are not healthy, DAG files that cannot be imported, and the DAGs."""

    unhealthy: tuple[str, ...]
    import_errors: tuple[str, ...]
    dags: tuple[DagSeen, ...]


@dataclass(frozen=True, slots=True)
class HistorySeen:
    """The history: rows (`more`: there are more than were counted), and when each source was loaded."""

    readings: int
    more: bool
    loaded_at: Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class OutboxSeen:
    """Readings that wait to be published, and since when the oldest does."""

    waiting: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class RegistrySeen:
    """The registry: how many schemas it knows, and which of those that it must know it does not."""

    known: int
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TopicSeen:
    """A topic: how many messages lie on it, each partition's next offset, and its newest append time."""

    messages: int
    ends: Mapping[int, int]
    appended_at: datetime | None


@dataclass(frozen=True, slots=True)
class KafkaSeen:
    """Kafka's topics by name, and those that are not there."""

    topics: Mapping[str, TopicSeen]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProgressSeen:
    """How far a copy of a query has come in a partition: the next offset, and when it said so."""

    query: str
    copy: int
    partition: int
    next_offset: int
    at: datetime


@dataclass(frozen=True, slots=True)
class SparkSeen:
    """The cluster's workers, and what drivers tell as their trouble, by the name of their service."""

    workers: int
    troubles: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ServingSeen:
    """Cassandra's tables: stations with a reading, alerts of today and yesterday, the newest of each."""

    stations: int
    reading_at: datetime | None
    alerts: int
    alert_at: datetime | None
    average_at: datetime | None
    progress: tuple[ProgressSeen, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """All that the probes saw at about the same time."""

    now: datetime
    containers: tuple[ContainerSeen, ...] | Failed
    weather: WeatherSeen | Failed
    airflow: AirflowSeen | Failed
    history: HistorySeen | Failed
    outbox: OutboxSeen | Failed
    registry: RegistrySeen | Failed
    kafka: KafkaSeen | Failed
    spark: SparkSeen | Failed
    serving: ServingSeen | Failed
