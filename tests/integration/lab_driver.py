"""Runs in the image of Spark: the product's three queries on any topic, again and again in one session.

Everything is the product's: reading, decoding, rules, windows, writers, checkpoints. Replaced are only the
name of the topic, the pace of the triggers (none waits, and the readings come in micro-batches, with the rows
and the writer that Real-Time Mode has) and the cluster (one process).

POST / takes {"topic", "queries", "crash"} as JSON: starts the queries from their checkpoints, waits until
they have read all there is, and stops them. With "crash" each then is as SIGKILL leaves it after the sink and
before the commit: its last batch is not committed, and the commit is half-written.
"""

from __future__ import annotations

import json
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Event
from typing import TYPE_CHECKING, Any

from py4j.protocol import Py4JJavaError
from pyspark.errors import StreamingQueryException

from pipeline.platform import load_platform
from pipeline.schemas import schema_text
from pipeline.settings import CassandraSettings, KafkaSettings, RegistrySettings
from pipeline.streaming import alerts_query, averages_query, jvm, readings_query
from pipeline.streaming.context import READINGS_SUBJECT, Context
from pipeline.streaming.decode import decode
from pipeline.streaming.failures import is_away, is_replay_defect
from pipeline.streaming.jvm import register_decoder
from pipeline.streaming.kafka import read_topic
from pipeline.streaming.registered import wait_for_id
from pipeline.streaming.session import Job, open_session
from pipeline.streaming.settings import DriverSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyspark.sql import DataFrame
    from pyspark.sql.streaming.query import StreamingQuery

    from pipeline.streaming.kafka import Intake

PORT = 8900
_AT_ONCE = "0 seconds"
_ATTEMPTS = 5


@dataclass(frozen=True)
class LabContext(Context):
    """The product's, on another topic and with checkpoints of that topic's."""

    topic: str = ""

    def decoded(self, intake: Intake) -> DataFrame:
        """Give the messages of that topic."""
        return decode(read_topic(self.session, self.kafka, self.topic, self.group_prefix, intake))

    def checkpoint(self, query: str) -> Path:
        """Give a folder of that topic's."""
        return self.driver.checkpoints / self.topic / query


_QUERIES: dict[str, Callable[[LabContext], StreamingQuery]] = {
    "alerts": lambda context: alerts_query.start_alerts(context, None),
    "averages": averages_query.start_averages,
    "readings": lambda context: readings_query.start_readings(context, 0),
}


def opened() -> LabContext:
    """Open the one session."""
    settings, platform = DriverSettings.from_env(), load_platform()
    registry = RegistrySettings.from_env()
    subjects = platform.schema_registry
    subject = alerts_query.ALERTS_SUBJECT
    schema_id = wait_for_id(registry, subject, subjects.newest(subject), Event())
    assert schema_id is not None
    session = open_session(Job("lab", 4), settings)
    register_decoder(session, registry, READINGS_SUBJECT, schema_text(subjects.newest(READINGS_SUBJECT)))
    alerts_query._EVERY = averages_query._EVERY = _AT_ONCE
    jvm.real_time = lambda session, seconds: jvm.micro_batches(session, f"{seconds} seconds")
    return LabContext(
        session=session,
        platform=platform,
        kafka=KafkaSettings.from_env(),
        cassandra=CassandraSettings.from_env(),
        driver=settings,
        group_prefix="galewatch-lab",
        alert_schema_id=schema_id,
    )


def run(context: LabContext, query: str, *, crash: bool) -> None:
    """Let one query read all there is; like the driver's watch, begin again what may begin again."""
    for attempt in range(_ATTEMPTS):
        try:
            _read_all(_QUERIES[query](context))
            break
        except (StreamingQueryException, Py4JJavaError) as error:
            if attempt + 1 == _ATTEMPTS or not (is_replay_defect(str(error)) or is_away(str(error))):
                raise
    if crash:
        _uncommit(context.checkpoint(query))


def _read_all(running: StreamingQuery) -> None:
    try:
        running.processAllAvailable()
    finally:
        running.stop()


def _uncommit(checkpoint: Path) -> None:
    commits = checkpoint / "commits"
    last = max((int(file.name) for file in commits.iterdir() if file.name.isdigit()), default=None)
    if last is None:
        return
    committed = commits / str(last)
    (commits / f".{last}.00000000-0000-4000-8000-000000000000.tmp").write_bytes(committed.read_bytes()[:1])
    for file in (committed, commits / f".{last}.crc"):
        file.unlink(missing_ok=True)


class _Handler(BaseHTTPRequestHandler):
    context: LabContext

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        context = replace(self.context, topic=asked["topic"])
        try:
            with ThreadPoolExecutor() as pool:
                for done in [
                    pool.submit(run, context, query, crash=asked["crash"]) for query in asked["queries"]
                ]:
                    done.result()
            self._answer(200, "done")
        except Exception:  # noqa: BLE001 - whatever it is, the test tells it
            self._answer(500, traceback.format_exc())

    def _answer(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing of each request."""


if __name__ == "__main__":
    _Handler.context = opened()
    print("ready", file=sys.stderr)  # noqa: T201 - what the test waits for
    HTTPServer(("0.0.0.0", PORT), _Handler).serve_forever()  # noqa: S104 - the container's own network
