"""A driver: starts its queries and stays with them. It fails when one does; Docker starts it again."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from threading import Event
from typing import TYPE_CHECKING

from py4j.protocol import Py4JError

from pipeline.errors import ConfigError, GalewatchError
from pipeline.platform import load_platform
from pipeline.schemas import schema_text
from pipeline.settings import CassandraSettings, KafkaSettings, RegistrySettings
from pipeline.streaming.alerts_query import ALERTS, ALERTS_SUBJECT
from pipeline.streaming.context import READINGS, READINGS_SUBJECT, Context
from pipeline.streaming.jvm import register_decoder
from pipeline.streaming.placement import choose_worker
from pipeline.streaming.queries import DRIVERS, watched
from pipeline.streaming.registered import wait_for_id
from pipeline.streaming.session import Job, open_session, slots, wait_for_slots
from pipeline.streaming.settings import DriverSettings
from pipeline.streaming.supervision import Reports, supervise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.platform import Platform
    from pipeline.streaming.watched import Watched

__all__ = ["main", "run"]

_LOG = logging.getLogger("driver")

# Less than the engine's grace period: what is logged until then is still seen.
_LEAVE_SECONDS = 25


def main(driver: str) -> int:
    """Run a driver until SIGTERM (exit code 0) or until it cannot go on (1, and one sentence why)."""
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.Formatter.converter = time.gmtime
    logging.Formatter.default_time_format = "%Y-%m-%dT%H:%M:%S"
    logging.Formatter.default_msec_format = "%s.%03dZ"
    # py4j prints the trace of each failed batch, whose reason the driver tells; httpx each request.
    logging.getLogger("py4j").setLevel(logging.CRITICAL)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        run(driver, stop)
    except GalewatchError as error:
        _LOG.error("%s", error)
        return 1
    except (Py4JError, OSError) as error:
        _LOG.error("driver %s: Spark does not answer: %s", driver, " ".join(str(error).split())[:400])
        return 1
    return 0


def run(driver: str, stop: Event) -> None:
    """Run a driver until `stop` is set; raises GalewatchError when it cannot go on."""
    settings, platform = DriverSettings.from_env(), load_platform()
    _warn_of_failpoints(driver, settings)
    reports = Reports(driver, settings.index, settings.heartbeat)
    kafka, registry, cassandra = (
        KafkaSettings.from_env(),
        RegistrySettings.from_env(),
        CassandraSettings.from_env(),
    )
    user = platform.kafka.users[kafka.user]
    subjects = platform.schema_registry
    schema_id = wait_for_id(registry, ALERTS_SUBJECT, subjects.newest(ALERTS_SUBJECT), stop)
    if schema_id is None:
        return

    worker = None
    # Only the alerts have copies.
    if driver == ALERTS and settings.master.startswith("spark:"):
        worker = choose_worker(settings.master, settings.index, settings.copies, stop)
        if worker is None:
            return
    job = _job(driver, platform, worker)
    _LOG.info(
        "driver %s: %s, %d partitions each: %d slots on %s",
        driver,
        ", ".join(f"query {query}" for query in DRIVERS[driver]),
        platform.kafka.topics[READINGS].partitions,
        job.slots,
        worker or "any worker",
    )
    session = open_session(job, settings)
    try:
        wait_for_slots(session, job, stop)
        reader = subjects.newest(READINGS_SUBJECT)
        register_decoder(session, registry, READINGS_SUBJECT, schema_text(reader))
        context = Context(
            session=session,
            platform=platform,
            kafka=kafka,
            cassandra=cassandra,
            driver=settings,
            group_prefix=user.group_prefix or driver,
            alert_schema_id=schema_id,
        )
        queries = watched(driver, context)
        try:
            supervise(queries, lambda: slots(session) >= job.slots, reports, stop)
        except GalewatchError as error:
            reports.tell(queries, healthy=False, error=str(error))
            raise
        finally:
            settings.heartbeat.unlink(missing_ok=True)
            _stop(queries)
    finally:
        _leave_soon()
        session.stop()
    _LOG.info("driver %s: stopped", driver)


def _warn_of_failpoints(driver: str, settings: DriverSettings) -> None:
    """Say which failpoints are on; raises ConfigError when one is of a query that the driver does not run."""
    for failpoint in settings.failpoints:
        if failpoint.partition(":")[0] not in DRIVERS[driver]:
            raise ConfigError(
                f"GALEWATCH_DRIVER_FAILPOINTS: {failpoint} is of a query that driver {driver} does not run"
            )
        _LOG.warning("driver %s: failpoint %s is on: it ends this driver once", driver, failpoint)


def _job(driver: str, platform: Platform, worker: str | None) -> Job:
    return Job(driver, len(DRIVERS[driver]) * platform.kafka.topics[READINGS].partitions, worker)


def _leave_soon() -> None:
    """End the process in a while, whatever Spark does: one that hangs is never started again."""
    exit_hard = threading.Timer(_LEAVE_SECONDS, os._exit, (1,))
    exit_hard.daemon = True
    exit_hard.start()


def _stop(queries: Sequence[Watched]) -> None:
    for query in queries:
        try:
            query.stop()
        except Exception as error:  # noqa: BLE001 - the others are to be stopped, too
            reason = " ".join(str(error).split())[:200]
            _LOG.warning("query %s did not stop: %s", query.name, reason)
