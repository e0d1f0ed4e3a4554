"""Job: Airflow's connections and pool. It runs in Airflow's image, on its database, after the migration."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pipeline.config import config_dir
from pipeline.errors import JobError
from pipeline.feeds import load_sources

if TYPE_CHECKING:
    from pipeline.feeds import SourceFacts
    from pipeline.jobs.runtime import Job

__all__ = ["LOCAL_WEATHER_URL", "Wanted", "run", "wanted_connections"]

LOCAL_WEATHER_URL = "http://weather-api:8000"

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Wanted:
    """One of Airflow's connections; the password is not part of its text."""

    conn_id: str
    conn_type: str
    description: str
    host: str
    port: int
    schema: str | None = None
    login: str | None = None
    password: str | None = field(default=None, repr=False)
    extra: dict[str, str] = field(default_factory=dict)

    def fields(self) -> dict[str, Any]:
        """Give what is compared and written; Airflow keeps `extra` as JSON text."""
        values = {name: getattr(self, name) for name in _FIELDS}
        return {**values, "extra": json.dumps(self.extra, sort_keys=True) if self.extra else None}


_FIELDS = ("conn_type", "description", "host", "port", "schema", "login", "password")


def wanted_connections(job: Job) -> list[Wanted]:
    """Give every connection of the DAGs, with the passwords out of the secrets."""
    settings, platform = job.settings, job.platform
    owner = platform.postgres.databases["history"].owner
    host, _, port = settings.kafka_bootstrap.split(",")[0].rpartition(":")
    registry = settings.registry_url or f"http://schema-registry:8080{platform.schema_registry.path}"
    sources = load_sources(config_dir() / "sources.yaml")
    return [
        Wanted(
            "galewatch_history",
            "postgres",
            "The history and the outbox",
            settings.history_host,
            settings.history_port,
            schema="history",
            login=owner,
            password=job.secrets[f"postgres_{owner}"],
        ),
        Wanted(
            "galewatch_kafka",
            "kafka",
            "The topic readings, as the publisher",
            host,
            int(port),
            login="publisher",
            password=job.secrets["kafka_publisher"],
            extra={"bootstrap": settings.kafka_bootstrap},
        ),
        _http(
            "galewatch_registry",
            "The Schema Registry, reading only",
            registry,
            login="client",
            password=job.secrets["registry_client"],
        ),
        *(_of_source(facts, live=settings.weather_source == "live") for facts in sources),
        _http(
            "galewatch_selftest",
            "This environment's own weather API, as the self-test asks it",
            f"{LOCAL_WEATHER_URL}/selftest",
        ),
    ]


def run(job: Job) -> None:
    """Write connections that are missing or differ, and the one-slot pool; others are left alone."""
    # Here, not above: only Airflow's image has it, and it reads its configuration when it is imported.
    from airflow.models import Pool  # noqa: PLC0415
    from airflow.utils.session import create_session  # noqa: PLC0415
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    from pipeline.airflow_parts import WEATHER_POOL  # noqa: PLC0415

    wanted = wanted_connections(job)
    try:
        with create_session() as session:
            for connection in wanted:
                _ensure(job, session, connection)
            pool = Pool.get_pool(WEATHER_POOL, session=session)
            if pool is None or pool.slots != 1:
                Pool.create_or_update_pool(
                    WEATHER_POOL,
                    slots=1,
                    description="One request to the weather API at a time",
                    include_deferred=False,
                    session=session,
                )
                job.say(f"pool {WEATHER_POOL}: 1 slot")
    except SQLAlchemyError as error:
        # Its text may hold the statement's parameters, and those the passwords.
        cause = str(getattr(error, "orig", "") or "").strip().splitlines()
        raise JobError(f"Airflow's database refused: {cause[0] if cause else type(error).__name__}") from None


def _ensure(job: Job, session: Any, wanted: Wanted) -> None:
    from airflow.models.connection import Connection  # noqa: PLC0415 - the same; the stored one, not the SDK's
    from sqlalchemy import select  # noqa: PLC0415

    fields = wanted.fields()
    found = session.scalar(select(Connection).where(Connection.conn_id == wanted.conn_id))
    if found is None:
        session.add(Connection(conn_id=wanted.conn_id, **fields))
        job.say(f"connection {wanted.conn_id}: created")
        return
    # Unreadable means encrypted with another Fernet key: written anew, as any other difference.
    changed = [name for name, value in fields.items() if _readable(found, name) != value]
    for name in changed:
        setattr(found, name, fields[name])
    if changed:
        job.say(f"connection {wanted.conn_id}: changed {', '.join(changed)}")


def _readable(found: Any, name: str) -> Any:
    from airflow.sdk.exceptions import AirflowException  # noqa: PLC0415 - the same
    from cryptography.fernet import InvalidToken  # noqa: PLC0415

    try:
        return getattr(found, name)
    except (AirflowException, InvalidToken, ValueError):
        return _UNREADABLE


_UNREADABLE = object()


def _of_source(facts: SourceFacts, *, live: bool) -> Wanted:
    if live and facts.live:
        return _http(facts.connection_id, f"The source {facts.id}: its public service", facts.live)
    return _http(
        facts.connection_id, f"The source {facts.id}: this environment's own weather API", LOCAL_WEATHER_URL
    )


def _http(
    conn_id: str, description: str, url: str, *, login: str | None = None, password: str | None = None
) -> Wanted:
    parts = urlsplit(url)
    return Wanted(
        conn_id,
        "http",
        description,
        parts.hostname or "",
        parts.port or _PORTS[parts.scheme],
        schema=parts.scheme,
        login=login,
        password=password,
        extra={"path": parts.path} if parts.path else {},
    )
