"""Cassandra as sink of micro-batches, by the connector: rows written with a time of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F  # noqa: N812 - its usual name

from pipeline.streaming import jvm

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from pipeline.streaming.context import Context

__all__ = ["CassandraTable"]

_SELFTEST = "selftest"
_TTL = "ttl_seconds"


class CassandraTable:
    """A table for the rows of one frame; rows of the self-test get a life of their own, others their table's.

    A null is not written: the cell stays as it is, and no tombstone is made.

    Raises Py4JJavaError where Cassandra is not to be had.
    """

    def __init__(self, context: Context, table: str, frame: DataFrame) -> None:
        facts = context.platform.cassandra
        # Nulls ignored, the connector leaves a null TTL unset, and Cassandra takes the table's.
        self._ttl = F.when(F.col("origin") == _SELFTEST, F.lit(facts.selftest_ttl_seconds))
        self._writer = jvm.connector_table(
            context.session, context.cassandra, jvm.Table(facts.keyspace, table, (*frame.columns, _TTL), _TTL)
        )

    def write(self, rows: DataFrame, write_micros: int) -> None:
        """Write rows; returns when Cassandra has all of them.

        Of two versions of a cell Cassandra keeps the one with the greater write time, in microseconds since
        1970.
        """
        self._writer.write(rows.withColumn(_TTL, self._ttl)._jdf, write_micros)  # noqa: SLF001 - its Java object
