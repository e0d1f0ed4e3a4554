"""A driver: starts its queries and stays with them. It fails when one does; Docker starts it again."""

from __future__ import annotations

import logging
import os
import re
import signal
import sys
import threading
import time
from threading import Event
from typing import TYPE_CHECKING

from py4j.protocol import Py4JError

from pipeline.errors import GalewatchError, StreamingError
from pipeline.platform import load_platform
from pipeline.settings import CassandraSettings, KafkaSettings, RegistrySettings
from pipeline.streaming.decode import UNKNOWN_SCHEMA
from pipeline.streaming.queries import DRIVERS, READINGS, READINGS_SUBJECT, Context, start
from pipeline.streaming.session import Job, open_session, slots, use_cassandra, wait_for_slots
from pipeline.streaming.settings import DriverSettings
from pipeline.streaming.supervision import supervise
from pipeline.streaming.writer_schemas import RejectedIds, writer_schemas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.streaming.supervision import Watched

__all__ = ["main", "run"]

_LOG = logging.getLogger("driver")

# Less than the engine's grace period: what is logged until then is still seen.
_LEAVE_SECONDS = 25
_UNKNOWN = re.compile(rf"{UNKNOWN_SCHEMA} (\d+)")


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
    kafka, registry, cassandra = (
        KafkaSettings.from_env(),
        RegistrySettings.from_env(),
        CassandraSettings.from_env(),
    )
    user = platform.kafka.users[kafka.user]
    rejected = RejectedIds(settings.checkpoints / f"rejected-schema-ids-{driver}-{settings.index}.json")
    reader = platform.schema_registry.newest(READINGS_SUBJECT)
    schemas = writer_schemas(registry, READINGS_SUBJECT, reader, rejected.read())
    _LOG.info("driver %s: schemas of %s are %s", driver, READINGS_SUBJECT, sorted(schemas.by_id))

    job = Job(driver, len(DRIVERS[driver]) * platform.kafka.topics[READINGS].partitions)
    session = open_session(job, settings)
    try:
        use_cassandra(session, cassandra)
        wait_for_slots(session, job, stop)
        context = Context(
            session=session,
            platform=platform,
            kafka=kafka,
            registry=registry,
            schemas=schemas,
            group_prefix=user.group_prefix or driver,
            checkpoints=settings.checkpoints,
            index=settings.index,
        )
        queries = start(driver, context)
        try:
            supervise(queries, lambda: slots(session) >= job.slots, settings.heartbeat, stop)
        except StreamingError:
            _learn(queries, rejected)
            raise
        finally:
            settings.heartbeat.unlink(missing_ok=True)
            _stop(queries)
    finally:
        _leave_soon()
        session.stop()
    _LOG.info("driver %s: stopped", driver)


def _leave_soon() -> None:
    """End the process in a while, whatever Spark does: one that hangs is never started again."""
    exit_hard = threading.Timer(_LEAVE_SECONDS, os._exit, (1,))
    exit_hard.daemon = True
    exit_hard.start()


def _learn(queries: Sequence[Watched], rejected: RejectedIds) -> None:
    """Remember an id that stopped a query: if the next start does not find it either, it is poison."""
    for watched in queries:
        if not watched.query.isActive:
            unknown = _UNKNOWN.search(str(watched.query.exception()))
            if unknown:
                rejected.add(int(unknown[1]))


def _stop(queries: Sequence[Watched]) -> None:
    for watched in queries:
        try:
            watched.query.stop()
        except Exception as error:  # noqa: BLE001 - the others are to be stopped, too
            reason = " ".join(str(error).split())[:200]
            _LOG.warning("query %s did not stop: %s", watched.name, reason)
