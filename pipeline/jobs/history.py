"""Job: the history's tables, what its readers may select, and the stations."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from psycopg2 import sql

from pipeline.config import config_dir
from pipeline.errors import HistoryError, JobError
from pipeline.feeds import load_feeds
from pipeline.history import History, connect
from pipeline.migrations import load_migrations, migrate
from pipeline.settings import HistorySettings

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection  # noqa: N812 - a class in spite of its name

    from pipeline.jobs.runtime import Job

__all__ = ["DATABASE", "run"]

DATABASE = "history"


def run(job: Job) -> None:
    """Migrate as the owner, grant, and write the stations of stations.yaml, each of a known source."""
    stations = [station for feed in load_feeds(config_dir()) for station in feed.stations]
    database = job.platform.postgres.databases.get(DATABASE)
    if database is None:
        raise JobError(f"platform.yaml: postgres.databases has no '{DATABASE}'")
    settings = HistorySettings(
        host=job.settings.history_host,
        port=job.settings.history_port,
        database=DATABASE,
        user=database.owner,
        password=job.secrets[f"postgres_{database.owner}"],
    )
    with closing(
        job.wait_for("PostgreSQL", lambda: connect(settings), failing_with=HistoryError)
    ) as connection:
        for migration in migrate(connection, load_migrations()):
            job.say(f"migration {migration.version:04} applied: {migration.name}")
        for reader in database.readers:
            _grant(connection, reader)
    with History(settings) as history:
        changed = history.store_stations(stations)
    if changed:
        job.say(f"{changed} stations written")


def _grant(connection: Connection, reader: str) -> None:
    """Let a role select from all tables, those of later migrations included."""
    with connection, connection.cursor() as cursor:
        for statement in (
            "GRANT USAGE ON SCHEMA public TO {}",
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {}",
        ):
            cursor.execute(sql.SQL(statement).format(sql.Identifier(reader)))
