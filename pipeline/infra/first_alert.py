"""The proof that the path is whole: the newest interval taken through it, to an alert at its end.

Ingest and publish do their own work; here they are only let run, waited for and, where one failed, repeated.
Where the newest readings cross no rule, one reading of the self-test's station takes the same way.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from pipeline.feeds import load_feeds
from pipeline.history import History
from pipeline.infra.errors import InfraError
from pipeline.rules import Nearest, evaluate, load_rules, nearest
from pipeline.serving import Alert, Serving
from pipeline.stations import DEFAULT_SOURCE, SELFTEST_STATION_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from pipeline.environment import Environment
    from pipeline.infra.airflow import Airflow, Run
    from pipeline.infra.progress import Progress, Step

__all__ = ["Outcome", "newest_interval", "prove", "run_of"]

INGEST: Final = "ingest_open_meteo"
PUBLISH: Final = "publish_readings"
SELFTEST: Final = "selftest"

_HOUR: Final = timedelta(hours=1)
# The scheduler makes the newest interval's run by itself, some seconds after the DAG is let run.
_SCHEDULED_WITHIN_S: Final = 15.0
_INGESTED_WITHIN_S: Final = 300.0
_PUBLISHED_WITHIN_S: Final = 120.0
# An asset wakes the publisher within seconds; after this long nobody else will.
_WOKEN_WITHIN_S: Final = 20.0
# Usually milliseconds; a driver that has just been started first takes its slots.
_RAISED_WITHIN_S: Final = 180.0
# The first alert is the proof; those right behind it are waited for so long, for a full table.
_OTHERS_WITHIN_S: Final = 3.0
_POLL_S: Final = 0.5
_ALL: Final = 100_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """The interval's alerts as Cassandra has them, or else the nearest miss and the test's alert."""

    start: datetime
    end: datetime
    readings: int
    alerts: tuple[Alert, ...]
    nearest: Nearest | None = None
    test: Alert | None = None


def newest_interval(now: datetime) -> tuple[datetime, datetime]:
    """Give the last hour that is over, as [start, end)."""
    end = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return end - _HOUR, end


def run_of(runs: Iterable[Run], end: datetime) -> Run | None:
    """Choose the run of the interval up to `end`: a successful one, else one under way, else a failed one."""
    order = ["success", "running", "queued", "failed"]
    fitting = [run for run in runs if run.interval_end == end and run.state in order]
    return min(fitting, key=lambda run: order.index(run.state), default=None)


def prove(environment: Environment, config: Path, airflow: Airflow, progress: Progress) -> Outcome:
    """Take the newest interval through the path, then let all sources run.

    `config` is the configuration directory. Raises InfraError naming the step that failed.
    """
    outcome = _prove(environment, config / "rules.yaml", airflow, progress)
    with progress.step("Further sources") as step:
        others = [feed.facts for feed in load_feeds(config) if feed.stations and feed.facts.dag_id != INGEST]
        for facts in others:
            airflow.unpause(facts.dag_id)
        step.result = ", ".join(f"{facts.id} every {facts.interval}" for facts in others) or "none"
    return outcome


def _prove(environment: Environment, rules_file: Path, airflow: Airflow, progress: Progress) -> Outcome:
    with progress.step("Airflow") as step:
        for dag_id in (PUBLISH, SELFTEST, INGEST):
            airflow.unpause(dag_id)
        step.result = "its DAGs may run"
    start, end = newest_interval(datetime.now(UTC))
    rules = load_rules(rules_file)
    with progress.step(f"Weather of {_clock(start)} to {_clock(end)} UTC into the history") as step:
        _ingest(airflow, end, step)
    with (
        History(environment.history()) as history,
        Serving(environment.cassandra(), environment.platform.cassandra.keyspace) as serving,
    ):
        with progress.step("Readings to Kafka") as step:
            _publish(airflow, history, step)
        rows = history.readings(since=start, until=end, limit=_ALL)
        readings = [
            row.reading
            for row in rows
            if row.published_at and row.reading.source == DEFAULT_SOURCE and row.reading.origin != "selftest"
        ]
        expected = {
            (alert.station_id, alert.observed_at, alert.rule_id)
            for reading in readings
            for alert in evaluate(rules, reading)
        }
        if expected:
            with progress.step("Alerts in Cassandra") as step:
                found = _await(lambda: _present(serving, start, end, expected), len(expected), step)
                step.result = f"{len(found)}, from {len(readings)} readings"
            return Outcome(start, end, len(readings), tuple(found))
        with progress.step("This hour crosses no rule, so one test reading takes the way") as step:
            test = _self_test(airflow, history, serving, step)
        return Outcome(start, end, len(readings), (), nearest(rules, readings), test)


def _ingest(airflow: Airflow, end: datetime, step: Step) -> None:
    began = time.monotonic()
    while (run := run_of(airflow.runs(INGEST, limit=100), end)) is None:
        if time.monotonic() - began > _SCHEDULED_WITHIN_S:
            run = airflow.trigger(INGEST, datetime.now(UTC))
            break
        step.say("waiting for the scheduler to make the run")
        time.sleep(_POLL_S)
    if run.state == "success" and airflow.trouble(run) is None:
        step.result = "was there already"
        return
    if run.state == "failed":
        step.say("the run had failed, and is repeated")
        airflow.repeat_failed(run)
    airflow.wait(run, _INGESTED_WITHIN_S, step.say)
    step.result = "done"


def _publish(airflow: Airflow, history: History, step: Step) -> None:
    began = time.monotonic()
    woken = False
    while waiting := history.waiting():
        step.say(f"{waiting} readings wait")
        under_way = next((run for run in airflow.runs(PUBLISH, limit=5) if not run.has_ended), None)
        if under_way is not None:
            airflow.wait(under_way, _PUBLISHED_WITHIN_S, step.say)
        elif not woken and time.monotonic() - began > _WOKEN_WITHIN_S:
            airflow.trigger(PUBLISH)
            woken = True
        elif time.monotonic() - began > _PUBLISHED_WITHIN_S:
            raise InfraError(
                f"{waiting} readings still wait to be published after {_PUBLISHED_WITHIN_S:.0f} s: "
                f"Airflow's page of the DAG {PUBLISH}, or `make logs S=airflow-scheduler`, says why."
            )
        time.sleep(_POLL_S)
    step.result = "none waits"


def _self_test(airflow: Airflow, history: History, serving: Serving, step: Step) -> Alert:
    """Give the alert of this hour's test reading. The same reading once more would be no news to anybody."""
    since = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)

    def look() -> list[Alert]:
        return serving.alerts_of_station(SELFTEST_STATION_ID, since=since, limit=1)

    if not look():
        airflow.wait(airflow.trigger(SELFTEST), _INGESTED_WITHIN_S, step.say)
        _publish(airflow, history, step)
        step.say("waiting for its alert in Cassandra")
    (alert,) = _await(look, 1, step)
    step.result = f"its alert came at {alert.raised_at:%H:%M:%S} UTC"
    return alert


def _present(
    serving: Serving, start: datetime, end: datetime, expected: set[tuple[str, datetime, str]]
) -> list[Alert]:
    alerts = serving.alerts_of_day(start.date(), since=start, limit=_ALL)
    return [
        alert
        for alert in alerts
        if alert.observed_at < end and (alert.station_id, alert.observed_at, alert.rule_id) in expected
    ]


def _await(look: Callable[[], list[Alert]], complete: int, step: Step) -> list[Alert]:
    """Look until something is there, and then a moment longer for the rest of it."""
    began = time.monotonic()
    first: float | None = None
    while True:
        found = look()
        now = time.monotonic()
        if found and first is None:
            first = now
        if len(found) >= complete or (first is not None and now - first > _OTHERS_WITHIN_S):
            return found
        if first is None and now - began > _RAISED_WITHIN_S:
            raise InfraError(
                f"The readings are in Kafka, but no alert came to Cassandra in {_RAISED_WITHIN_S:.0f} s: "
                "`make status` shows the drivers, `make logs S=driver-alerts-0` what they say."
            )
        step.say(f"{len(found)} of {complete}")
        time.sleep(_POLL_S)


def _clock(instant: datetime) -> str:
    return f"{instant:%H:%M}"
