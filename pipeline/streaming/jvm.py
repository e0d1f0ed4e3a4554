"""The Java side (spark/jvm): every object of it that Python makes or asks, in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from py4j.protocol import Py4JJavaError
from pyspark.sql.streaming.query import StreamingQuery

from pipeline.errors import AwayError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

    from pipeline.settings import CassandraSettings, RegistrySettings

__all__ = [
    "DECODER",
    "Sink",
    "Table",
    "after_sink",
    "alert_writer",
    "cassandra_access",
    "connector_table",
    "end_offsets",
    "micro_batches",
    "progress_table",
    "reading_writer",
    "real_time",
    "register_decoder",
    "start",
    "topic_id",
]

DECODER = "galewatch_decode"
"""The SQL function that decodes a message's value: struct(schema_id, reading, reason)."""


class Sink(NamedTuple):
    """Where a copy of a query writes; `producer` is the configuration of Kafka's client."""

    query: str
    copy: int
    selftest_ttl_seconds: int
    producer: Mapping[str, str]
    topic: str
    beat: Path


class Table(NamedTuple):
    """A table of Cassandra's as rows are written to it: `columns` are theirs, in their order, all of them."""

    keyspace: str
    name: str
    columns: Sequence[str]
    ttl_column: str


def register_decoder(session: SparkSession, registry: RegistrySettings, subject: str, reader: str) -> None:
    """Make DECODER known to a session: it reads every version of the subject as the schema `reader`."""
    java = _jvm(session)
    asked = java.RegistrySettings(registry.url, registry.user, registry.password.get_secret_value(), subject)
    java.Decoder(asked, reader).register(_session(session), DECODER)


def cassandra_access(session: SparkSession, settings: CassandraSettings, keyspace: str) -> Any:
    """Give the Java side's address of Cassandra."""
    return _jvm(session).CassandraAccess(
        settings.host,
        settings.port,
        settings.datacenter,
        keyspace,
        settings.user,
        settings.password.get_secret_value(),
    )


def alert_writer(  # noqa: PLR0913 - each a fact of its own
    session: SparkSession, access: Any, sink: Sink, schema_id: int, schema: str, *, slots: int
) -> Any:
    """Make the writer of the alerts, with its connections open on the executors.

    Raises Py4JJavaError where Cassandra or Kafka is not to be had.
    """
    writer = _jvm(session).AlertWriter(_settings(session, access, sink), schema_id, schema)
    writer.warmUp(_session(session), slots)
    return writer


def reading_writer(
    session: SparkSession, access: Any, sink: Sink, columns: Sequence[str], *, slots: int
) -> Any:
    """Make the writer of the readings, whose tables have these columns; as `alert_writer`."""
    writer = _jvm(session).ReadingWriter(_settings(session, access, sink), _list(session, columns))
    writer.warmUp(_session(session), slots)
    return writer


def connector_table(session: SparkSession, settings: CassandraSettings, table: Table) -> Any:
    """Make the connector's writer of a table: `write(frame, write time)`; raises Py4JJavaError without it."""
    connector = {
        "spark.cassandra.connection.host": settings.host,
        "spark.cassandra.connection.port": str(settings.port),
        "spark.cassandra.connection.localDC": settings.datacenter,
        "spark.cassandra.auth.username": settings.user,
        "spark.cassandra.auth.password": settings.password.get_secret_value(),
        # Equal to one replica where there is one, and right where there are three.
        "spark.cassandra.output.consistency.level": "LOCAL_QUORUM",
        "spark.cassandra.output.concurrent.writes": "32",
        "spark.cassandra.output.ignoreNulls": "true",
    }
    return _jvm(session).ConnectorTable(
        _map(session, connector),
        table.keyspace,
        table.name,
        _list(session, table.columns),
        table.ttl_column,
    )


def start(rows: DataFrame, name: str, checkpoint: Path, writer: Any, trigger: Any) -> StreamingQuery:
    """Start a query that gives its rows to a writer: PySpark has neither this trigger nor this sink."""
    started = (
        rows._jdf.writeStream()  # noqa: SLF001 - as above
        .queryName(name)
        .outputMode("update")
        .option("checkpointLocation", str(checkpoint))
        .foreach(writer)
        .trigger(trigger)
        .start()
    )
    return StreamingQuery(started)


def progress_table(session: SparkSession, access: Any, query: str, copy: int) -> Any:
    """Give the table query_progress for one query: `write('{"0": 17}')` takes the next offsets."""
    return _jvm(session).QueryProgress(access, query, copy)


def real_time(session: SparkSession, seconds: int) -> Any:
    """Give the trigger of Real-Time Mode with batches of that length; PySpark has none of its own."""
    trigger = _java(session).org.apache.spark.sql.streaming.Trigger
    return trigger.RealTime(f"{seconds} seconds")


def micro_batches(session: SparkSession, every: str) -> Any:
    """Give the trigger of micro-batches, as the writer of the JVM takes it."""
    trigger = _java(session).org.apache.spark.sql.streaming.Trigger
    return trigger.ProcessingTime(every)


def end_offsets(query: StreamingQuery) -> str:
    """Give how far the last batch came, as JSON: {"readings": {"0": 17}}; PySpark gives it as no JSON."""
    return str(query._jsq.lastProgress().sources()[0].endOffset())  # noqa: SLF001 - as above


def after_sink(session: SparkSession, checkpoint: Path, batch: int) -> None:
    """Tell the failpoints that a sink has written a batch; may be the last that this process does."""
    configuration = session.sparkContext._jsc.hadoopConfiguration()  # noqa: SLF001 - as above
    _jvm(session).Failpoints.of(configuration).afterSink(str(checkpoint), batch)


def topic_id(session: SparkSession, client: Mapping[str, str], topic: str) -> str:
    """Give the id that a topic got when it was made; raises AwayError when Kafka does not tell."""
    try:
        return str(_jvm(session).TopicIdentity.of(_map(session, client), topic))
    except Py4JJavaError as error:
        reason = " ".join(str(error.java_exception.getMessage()).split())
        raise AwayError(f"Kafka does not tell which topic {topic} is: {reason}") from None


def _java(session: SparkSession) -> Any:
    return session.sparkContext._jvm  # noqa: SLF001 - PySpark has no other way to Java's classes


def _jvm(session: SparkSession) -> Any:
    return _java(session).galewatch.spark


def _session(session: SparkSession) -> Any:
    return session._jsparkSession  # noqa: SLF001 - the session's own Java object


def _settings(session: SparkSession, access: Any, sink: Sink) -> Any:
    return _jvm(session).WriterSettings(
        sink.query,
        sink.copy,
        access,
        sink.selftest_ttl_seconds,
        _map(session, sink.producer),
        sink.topic,
        str(sink.beat),
    )


def _list(session: SparkSession, values: Sequence[str]) -> Any:
    made = _java(session).java.util.ArrayList()
    for value in values:
        made.add(value)
    return made


def _map(session: SparkSession, values: Mapping[str, str]) -> Any:
    made = _java(session).java.util.HashMap()
    for key, value in values.items():
        made.put(key, value)
    return made
