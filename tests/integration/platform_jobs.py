"""Running the one-shot jobs on the services of the fixtures, as their containers run them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.jobs import airflow_migrate as airflow_migrate_job
from pipeline.jobs import cassandra as cassandra_job
from pipeline.jobs import history as history_job
from pipeline.jobs import kafka as kafka_job
from pipeline.jobs import postgres as postgres_job
from pipeline.jobs import schemas as schemas_job
from pipeline.jobs.runtime import Job, JobSettings

if TYPE_CHECKING:
    from types import ModuleType

    from pipeline.platform import Platform
    from tests.integration.containers import Cassandra, Kafka, Postgres, Registry, Service

__all__ = [
    "run_airflow_migrate",
    "run_cassandra",
    "run_history",
    "run_kafka",
    "run_postgres",
    "run_schemas",
]


def run_postgres(postgres: Postgres, platform: Platform | None = None) -> list[str]:
    """Run the job and return what it said: one line a change."""
    return _run(postgres_job, postgres, platform, history_host=postgres.host, history_port=postgres.port)


def run_history(postgres: Postgres, platform: Platform | None = None) -> list[str]:
    """Run the job; the same."""
    return _run(history_job, postgres, platform, history_host=postgres.host, history_port=postgres.port)


def run_airflow_migrate(postgres: Postgres) -> list[str]:
    """Run the job; the same. Airflow is the one that PATH finds, and has its database from its variables."""
    return _run(airflow_migrate_job, postgres, None, history_host=postgres.host, history_port=postgres.port)


def run_kafka(kafka: Kafka, platform: Platform | None = None) -> list[str]:
    """Run the job; the same."""
    return _run(kafka_job, kafka, platform, kafka_bootstrap=kafka.bootstrap)


def run_cassandra(
    cassandra: Cassandra, platform: Platform | None = None, *, deadline_seconds: float = 60
) -> list[str]:
    """Run the job; the same. Other tests' built-in superuser is locked out by it."""
    return _run(
        cassandra_job,
        cassandra,
        platform,
        cassandra_host=cassandra.host,
        cassandra_port=cassandra.port,
        deadline_seconds=deadline_seconds,
    )


def run_schemas(registry: Registry, platform: Platform | None = None) -> list[str]:
    """Run the job; the same."""
    return _run(schemas_job, registry, platform, registry_url=registry.url)


def _run(job: ModuleType, service: Service, platform: Platform | None, **settings: Any) -> list[str]:
    said: list[str] = []
    made = JobSettings(secrets_dir=service.environment.secrets, **{"deadline_seconds": 60, **settings})
    job.run(Job(made, platform=platform, say=said.append))
    return said
