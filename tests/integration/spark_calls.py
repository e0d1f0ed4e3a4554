"""Makes our calls of Spark's two connectors, inside of Spark's image; not a test by itself.

`python spark_calls.py STATION AT_MOST FOLDER`: writes rows under stations that begin so, and reads the topic
of the readings by batches of so many messages, with its checkpoint in the folder. The last line it prints is
JSON: what it saw. Before the last step it prints `delete` and waits for a file `deleted` in the folder.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from py4j.protocol import Py4JJavaError
from pydantic import SecretStr
from pyspark.errors import PySparkException, StreamingQueryException

from pipeline.platform import load_platform
from pipeline.settings import CassandraSettings, KafkaSettings
from pipeline.streaming import jvm
from pipeline.streaming.averages_query import batch_micros
from pipeline.streaming.cassandra import CassandraTable
from pipeline.streaming.context import READINGS, Context
from pipeline.streaming.kafka import Intake, read_topic
from pipeline.streaming.session import Job, open_session
from pipeline.streaming.settings import DriverSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import DataFrame

TABLE = "averages_by_station"
SCHEMA = (
    "station_id string, day date, window_start timestamp, window_end timestamp, temperature_c_mean double, "
    "temperature_c_min double, temperature_c_max double, readings bigint, origin string"
)
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
STATIONS, WINDOWS = 50, 40
OLDER, WRITTEN, NEWER = 1_000_000, 2_000_000, 3_000_000
PATIENCE_SECONDS = 120
BEGINNINGS = 3
# The batch whose sink fails after it has done its work.
FAILING = 2


def row(station: str, window: int = 0, **values: Any) -> tuple[Any, ...]:
    """Give a row of the table."""
    start = NOON + timedelta(minutes=5 * window)
    made = {
        "station_id": station,
        "day": date(2026, 7, 1),
        "window_start": start,
        "window_end": start + timedelta(minutes=5),
        "temperature_c_mean": 20.5,
        "temperature_c_min": 19.0,
        "temperature_c_max": 21.0,
        "readings": 30,
        "origin": "replay",
    }
    return tuple((made | values).values())


def write_all(context: Context, station: str) -> None:
    """Write many rows twice, an older and a newer version of some, and one of the self-test."""

    def frame(*rows: tuple[Any, ...]) -> DataFrame:
        return context.session.createDataFrame(list(rows), SCHEMA)

    many = frame(*(row(f"{station}-{name}", window) for name in range(STATIONS) for window in range(WINDOWS)))
    table = CassandraTable(context, TABLE, many)
    table.write(many, WRITTEN)
    table.write(many, WRITTEN)
    table.write(frame(row(f"{station}-0", temperature_c_mean=99.0)), OLDER)
    table.write(frame(row(f"{station}-1", temperature_c_mean=None, temperature_c_min=1.5)), NEWER)
    table.write(frame(row(f"{station}-selftest", origin="selftest")), WRITTEN)
    table.write(frame(), NEWER)


def refusals(context: Context, station: str) -> dict[str, str]:
    """Give what the connector says to what cannot be."""
    wrong = context.cassandra.model_copy(update={"password": SecretStr("not-to-be-shown")})
    frame = context.session.createDataFrame([row(f"{station}-refused")], SCHEMA)
    ttl = ("ttl_seconds",)

    def table(name: str, columns: tuple[str, ...], settings: CassandraSettings = context.cassandra) -> object:
        keyspace = context.platform.cassandra.keyspace
        return jvm.connector_table(context.session, settings, jvm.Table(keyspace, name, columns + ttl, *ttl))

    columns = tuple(frame.columns)
    return {
        "no such table": refusal(lambda: table("no_such_table", columns)),
        "no such column": refusal(lambda: table(TABLE, (*columns, "no_such_column"))),
        "no key": refusal(lambda: table(TABLE, columns[1:])),
        "wrong password": refusal(lambda: table(TABLE, columns, wrong)),
    }


def refusal(attempt: Callable[[], object]) -> str:
    """Give the reason why something was refused, empty if it was not."""
    try:
        attempt()
    except Py4JJavaError as error:
        return str(error.java_exception)
    except PySparkException as error:
        # Some of Java's exceptions PySpark knows by itself.
        return str(error)
    return ""


class Batches:
    """What a sink got: the places of the messages, and the time, of each batch, as often as it came."""

    def __init__(self, checkpoint: Path) -> None:
        self._checkpoint = checkpoint
        self.seen: list[tuple[int, int, list[tuple[int, int]]]] = []
        self.fails = True

    def __call__(self, batch: DataFrame, number: int) -> None:
        """Note it, and fail once, as a driver that dies between the sink and the commit."""
        places = sorted((one.partition, one.offset) for one in batch.select("partition", "offset").collect())
        self.seen.append((number, batch_micros(self._checkpoint, number), places))
        if self.fails and number == FAILING:
            raise InterruptedError("after the sink, before the commit")


def read_all(context: Context, sink: Batches, checkpoint: Path, intake: Intake) -> str:
    """Read the topic to its end, or until it fails; give the last offsets, or the reason."""
    rows = read_topic(context.session, context.kafka, READINGS, context.group_prefix, intake)
    query = rows.writeStream.foreachBatch(sink).option("checkpointLocation", str(checkpoint)).start()
    try:
        query.processAllAvailable()
        return jvm.end_offsets(query)
    except StreamingQueryException as error:
        return str(error)
    finally:
        query.stop()


def main(station: str, at_most: int, folder: Path) -> None:
    """Do it all, and tell."""
    job, settings = Job("calls", 2), DriverSettings(master="local[2]", host="localhost", checkpoints=folder)
    facts, kafka = load_platform(), KafkaSettings.from_env()
    prefix = facts.kafka.users[kafka.user].group_prefix or ""
    context = Context(
        open_session(job, settings), facts, kafka, CassandraSettings.from_env(), settings, prefix, 0
    )
    write_all(context, station)
    told: dict[str, Any] = {"version": context.session.version, "refusals": refusals(context, station)}

    checkpoint, intake = context.opened("calls"), Intake(at_most=at_most, gather_millis=50)
    sink = Batches(checkpoint)
    told["failure"] = read_all(context, sink, checkpoint, intake)
    sink.fails = False
    told["again"] = []
    for _ in range(BEGINNINGS):
        end = read_all(context, sink, checkpoint, intake)
        if end.startswith("{"):
            told["end"] = json.loads(end)
            break
        told["again"].append(end)
    told["batches"] = sink.seen

    print("delete", flush=True)  # noqa: T201 - who started it reads this
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (folder / "deleted").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    told["lost"] = read_all(context, sink, checkpoint, intake)
    print(json.dumps(told), flush=True)  # noqa: T201 - the same


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
