"""Job: the tables of Airflow's metadata database. It runs in Airflow's image."""

from __future__ import annotations

import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

from pipeline.errors import HistoryError, JobError
from pipeline.history import connect
from pipeline.settings import HistorySettings

if TYPE_CHECKING:
    from pipeline.jobs.runtime import Job

__all__ = ["run"]

DATABASE = "airflow"
_TIMEOUT_SECONDS = 300


def run(job: Job) -> None:
    """Wait for the database and migrate it; raises JobError with Airflow's last line."""
    owner = job.platform.postgres.databases[DATABASE].owner
    settings = HistorySettings(
        host=job.settings.history_host,
        port=job.settings.history_port,
        database=DATABASE,
        user=owner,
        password=job.secrets[f"postgres_{owner}"],
    )
    with closing(job.wait_for("PostgreSQL", lambda: connect(settings), failing_with=HistoryError)):
        pass
    try:
        done = subprocess.run(
            ["airflow", "db", "migrate"],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise JobError(f"`airflow db migrate` did not end within {_TIMEOUT_SECONDS} s") from None
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise JobError(f"`airflow db migrate` failed: {lines[-1] if lines else 'it said nothing'}")
    job.say("the metadata database is migrated")
