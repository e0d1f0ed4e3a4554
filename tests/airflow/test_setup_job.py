"""The job that writes Airflow's connections and pool, on Airflow's own database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.jobs import airflow as job_module
from pipeline.jobs.runtime import Job, JobSettings

if TYPE_CHECKING:
    from pathlib import Path

SECRETS = ("postgres_history", "kafka_publisher", "registry_client")
CONNECTIONS = ("history", "kafka", "registry", "open_meteo", "gateway", "nws", "selftest")


@pytest.fixture
def secrets(tmp_path: Path, airflow_database: None) -> Path:  # noqa: ARG001 - the tables are there first
    for name in SECRETS:
        (tmp_path / name).write_text(f"{name}-not-to-be-shown")
    return tmp_path


@pytest.fixture(autouse=True)
def _nothing_there_before_and_after(airflow_database: None) -> None:  # noqa: ARG001 - the same
    from airflow.models.connection import Connection  # noqa: PLC0415 - after the environment is set
    from airflow.models.pool import Pool  # noqa: PLC0415
    from airflow.utils.session import create_session  # noqa: PLC0415
    from sqlalchemy import delete  # noqa: PLC0415

    with create_session() as session:
        session.execute(delete(Connection))
        session.execute(delete(Pool).where(Pool.pool == "weather_api"))


def run(secrets: Path, **settings: str) -> list[str]:
    said: list[str] = []
    job_module.run(Job(JobSettings.model_validate({"secrets_dir": secrets, **settings}), say=said.append))
    return said


def test_a_first_run_makes_everything_and_a_second_one_changes_nothing(secrets: Path) -> None:
    assert run(secrets) == [
        *(f"connection galewatch_{name}: created" for name in CONNECTIONS),
        "pool weather_api: 1 slot",
    ]
    assert run(secrets) == []


def test_what_differs_is_written_anew_and_named_without_its_value(secrets: Path) -> None:
    run(secrets)
    (secrets / "kafka_publisher").write_text("another-not-to-be-shown")
    assert run(secrets, weather_source="live") == [
        "connection galewatch_kafka: changed password",
        "connection galewatch_open_meteo: changed description, host, port, schema",
        "connection galewatch_nws: changed description, host, port, schema",
    ]


def test_a_half_done_run_is_completed(secrets: Path) -> None:
    from airflow.models.connection import Connection  # noqa: PLC0415
    from airflow.utils.session import create_session  # noqa: PLC0415
    from sqlalchemy import delete  # noqa: PLC0415

    run(secrets)
    with create_session() as session:
        session.execute(delete(Connection).where(Connection.conn_id == "galewatch_kafka"))
    assert run(secrets) == ["connection galewatch_kafka: created"]


def test_passwords_are_encrypted_in_the_database(secrets: Path) -> None:
    from airflow.utils.session import create_session  # noqa: PLC0415
    from sqlalchemy import text  # noqa: PLC0415

    run(secrets)
    with create_session() as session:
        rows = session.execute(text("SELECT password, is_encrypted FROM connection WHERE login IS NOT NULL"))
        found = rows.fetchall()
    assert len(found) == 3
    for password, is_encrypted in found:
        assert is_encrypted
        assert "not-to-be-shown" not in password
