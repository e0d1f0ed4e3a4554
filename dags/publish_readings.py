"""Woken by new readings in the history: publish everything that waits, whichever run left it there."""

from __future__ import annotations

from airflow.sdk import dag, task

from pipeline import ingest
from pipeline.airflow_connections import history_settings, kafka_settings, registry_settings
from pipeline.airflow_parts import READINGS, START_DATE, TASK_DEFAULTS


@dag(
    dag_id="publish_readings",
    schedule=[READINGS],
    start_date=START_DATE,
    catchup=False,
    # A paused DAG does not hear of the asset's events; there is never a reason to load and not to publish.
    is_paused_upon_creation=False,
    max_active_runs=1,
    default_args=dict(TASK_DEFAULTS),
    tags=["galewatch"],
    doc_md=__doc__,
)
def publish_readings() -> None:
    """Drain the outbox."""

    @task
    def publish() -> int:
        return ingest.publish(history_settings(), kafka_settings(), registry_settings())

    publish()


publish_readings()
