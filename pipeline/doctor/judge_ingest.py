"""Judging the first half of the path: weather API, Airflow, PostgreSQL, outbox. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pipeline.doctor.hop import Hop, age, judged, plural, stopped, unanswered, unwell
from pipeline.doctor.seen import AirflowSeen, Failed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.doctor.seen import DagSeen, HistorySeen, OutboxSeen, Seen, WeatherSeen

__all__ = ["AIRFLOW", "HISTORY", "OUTBOX", "WEATHER", "airflow", "history", "outbox", "weather"]

WEATHER: Final = "weather API"
AIRFLOW: Final = "Airflow"
HISTORY: Final = "PostgreSQL"
OUTBOX: Final = "outbox"

_WEATHER_API: Final = "weather-api"
_AIRFLOW_PARTS: Final = "airflow-"
_POSTGRES: Final = "postgres"
_INGEST: Final = "ingest_"
_PUBLISH: Final = "publish_readings"
# The scheduler makes a run seconds after it is due; a busy machine takes a minute.
_OVERDUE: Final = timedelta(minutes=5)
# An asset wakes the publisher within seconds, and its first retry comes half a minute later.
_WAITING: Final = timedelta(minutes=5)
_UNDER_WAY: Final = {"running", "queued"}


def weather(seen: Seen) -> Hop:
    """Judge the weather API."""
    found: WeatherSeen | Failed = seen.weather
    if isinstance(found, Failed):
        return unanswered(WEATHER, found, seen, _WEATHER_API)
    faults = ", ".join(f"{contract} ({kind})" for contract, kind in sorted(found.faults.items()))
    wrong = [f"a fault is switched on for {faults}: `DELETE /faults/…` ends it"] if faults else []
    warnings = [*unwell(seen, _WEATHER_API), *wrong]
    return judged(WEATHER, f"{found.origin} weather", stopped(seen, _WEATHER_API), warnings)


def airflow(seen: Seen) -> Hop:
    """Judge the components and the DAGs that fetch; the one that publishes belongs to the outbox."""
    found = seen.airflow
    if isinstance(found, Failed):
        return unanswered(AIRFLOW, found, seen, _AIRFLOW_PARTS)
    dags = [dag for dag in found.dags if dag.dag_id.startswith(_INGEST)]
    facts = "; ".join(_dag_facts(dag, seen) for dag in dags) or "no DAG that fetches"
    broken = [*stopped(seen, _AIRFLOW_PARTS), *_airflow_troubles(found, dags, seen)]
    return judged(AIRFLOW, facts, broken, unwell(seen, _AIRFLOW_PARTS))


def _airflow_troubles(found: AirflowSeen, dags: list[DagSeen], seen: Seen) -> Iterator[str]:
    yield from (f"its {name} is not healthy" for name in found.unhealthy)
    yield from found.import_errors
    if not dags:
        yield "it knows no DAG that fetches: `make logs S=airflow-dag-processor` says why"
    for dag in dags:
        if dag.trouble:
            yield dag.trouble
    for dag in dags:
        if dag.is_paused:
            yield f"the DAG {dag.dag_id} is paused, so nothing fetches: `make up` lets it run"
        elif dag.state not in _UNDER_WAY and dag.next_at is not None and seen.now - dag.next_at > _OVERDUE:
            yield (
                f"the scheduler should have begun a run of {dag.dag_id} {age(dag.next_at, seen.now)}: "
                "`make logs S=airflow-scheduler` may say why"
            )


def _dag_facts(dag: DagSeen, seen: Seen) -> str:
    paused = ", paused" if dag.is_paused else ""
    run = "never ran" if dag.state is None else f"{dag.state} {age(dag.ran_at, seen.now)}"
    return f"{dag.dag_id}: {run}{paused}"


def history(seen: Seen) -> Hop:
    """Judge the history's rows."""
    found: HistorySeen | Failed = seen.history
    if isinstance(found, Failed):
        return unanswered(HISTORY, found, seen, _POSTGRES)
    loads = [f"{source} loaded {age(at, seen.now)}" for source, at in sorted(found.loaded_at.items())]
    count = f"{'more than ' if found.more else ''}{plural(found.readings, 'reading')}"
    empty = [] if found.readings else ["the history is empty: no load has stored anything yet"]
    facts = "; ".join([count, *loads])
    return judged(HISTORY, facts, [*stopped(seen, _POSTGRES), *empty], unwell(seen, _POSTGRES))


def outbox(seen: Seen) -> Hop:
    """Judge what waits to be published, and the DAG that is to publish it."""
    found: OutboxSeen | Failed = seen.outbox
    if isinstance(found, Failed):
        return unanswered(OUTBOX, found, seen)
    if not found.waiting:
        return Hop(OUTBOX, "ok", "nothing waits")
    waiting = plural(found.waiting, "reading waits", "readings wait")
    facts = f"{waiting}, the oldest came {age(found.since, seen.now)}"
    dags = () if isinstance(seen.airflow, Failed) else seen.airflow.dags
    publish = next((dag for dag in dags if dag.dag_id == _PUBLISH), None)
    return judged(OUTBOX, facts, _outbox_troubles(found, publish, seen))


def _outbox_troubles(found: OutboxSeen, publish: DagSeen | None, seen: Seen) -> Iterator[str]:
    if publish is not None and publish.is_paused:
        yield f"the DAG {_PUBLISH} is paused, so nothing publishes: Airflow's page lets it run"
    if publish is not None and publish.trouble:
        yield publish.trouble
    if found.since is not None and seen.now - found.since > _WAITING:
        yield f"nothing has published them: Airflow's page of the DAG {_PUBLISH} shows its runs"
