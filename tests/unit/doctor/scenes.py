"""An environment in which everything is well, as the probes would see it; each test breaks a part of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.doctor.seen import (
    AirflowSeen,
    ContainerSeen,
    DagSeen,
    HistorySeen,
    KafkaSeen,
    OutboxSeen,
    ProgressSeen,
    RegistrySeen,
    Seen,
    ServingSeen,
    SparkSeen,
    TopicSeen,
    WeatherSeen,
)

__all__ = ["NOW", "WELL", "ago", "container", "dag", "progress"]

NOW = datetime(2026, 7, 1, 12, 30, tzinfo=UTC)
SERVICES = (
    "weather-api", "airflow-api", "airflow-scheduler", "airflow-dag-processor", "postgres", "schema-registry",
    "zookeeper", "kafka", "spark-master", "spark-worker-0", "spark-worker-1", "driver-alerts-0",
    "driver-alerts-1", "driver-tables", "cassandra",
)  # fmt: skip


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def dag(dag_id: str, **values: Any) -> DagSeen:
    well = DagSeen(dag_id, is_paused=False, state="success", ran_at=ago(minutes=30), next_at=ago(minutes=-30))
    return replace(well, **values)


def container(
    service: str, state: str = "running", health: str = "healthy", exit_code: int = 0
) -> ContainerSeen:
    return ContainerSeen(service, state, health, exit_code)


def progress(**behind: int) -> tuple[ProgressSeen, ...]:
    """Give every query's progress in two partitions that end at 1,000 each; `alerts_0` and so on, offsets."""
    queries = {"alerts_0": 0, "alerts_1": 0, "readings_0": 0, "averages_0": 0, **behind}
    return tuple(
        ProgressSeen(query, int(copy), partition, 1000 - (offsets if partition == 0 else 0), ago(seconds=1))
        for name, offsets in queries.items()
        for query, _, copy in [name.partition("_")]
        for partition in (0, 1)
    )


WELL = Seen(
    now=NOW,
    containers=tuple(container(service) for service in SERVICES),
    weather=WeatherSeen("synthetic", {}),
    airflow=AirflowSeen(
        unhealthy=(),
        import_errors=(),
        dags=(
            dag("ingest_gateway"),
            dag("ingest_open_meteo"),
            dag("publish_readings", next_at=None),
            dag("selftest", state=None, ran_at=None, next_at=None),
        ),
    ),
    history=HistorySeen(
        5034, more=False, loaded_at={"gateway": ago(minutes=2), "open-meteo": ago(minutes=29)}
    ),
    outbox=OutboxSeen(0, None),
    registry=RegistrySeen(3, ()),
    kafka=KafkaSeen(
        {
            "readings": TopicSeen(2000, {0: 1000, 1: 1000}, ago(minutes=2)),
            "readings.dlq": TopicSeen(0, {0: 0}, None),
            "alerts": TopicSeen(12, {0: 6, 1: 6}, ago(minutes=2)),
        }
    ),
    spark=SparkSeen(2, {}),
    serving=ServingSeen(78, ago(minutes=2), 24, ago(minutes=2), ago(minutes=5), progress()),
)
