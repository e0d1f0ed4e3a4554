"""Cassandra as sink, by the connector: rows written with a time of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F  # noqa: N812 - its usual name

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

__all__ = ["SELFTEST", "WRITE_TIME", "CassandraTables"]

SELFTEST = "selftest"
"""The origin of the self-test's readings."""

_FORMAT = "org.apache.spark.sql.cassandra"
_TTL = "ttl_seconds"

WRITE_TIME = "write_micros"
"""The column that holds the write time of a row, in microseconds since 1970."""


class CassandraTables:
    """The tables of a keyspace; rows of the self-test get a life of `selftest_ttl_seconds`.

    What is written has, besides the table's columns, `write_micros`: of two versions of a cell Cassandra
    keeps the one with the greater write time.
    """

    def __init__(self, keyspace: str, selftest_ttl_seconds: int) -> None:
        self._keyspace = keyspace
        self._ttl = selftest_ttl_seconds

    def write(self, rows: DataFrame, table: str) -> None:
        """Write rows; a null is not written: the cell stays as it is, and no tombstone is made.

        A row that is not of the self-test has the TTL of its table.
        """
        # Nulls ignored, the connector leaves a null TTL unset, and Cassandra takes the table's.
        ttl = F.when(F.col("origin") == SELFTEST, F.lit(self._ttl)).otherwise(F.lit(None).cast("int"))
        options = {
            "keyspace": self._keyspace,
            "table": table,
            "ttl": _TTL,
            "writetime": WRITE_TIME,
            "spark.cassandra.output.ignoreNulls": "true",
        }
        rows.withColumn(_TTL, ttl).write.format(_FORMAT).options(**options).mode("append").save()
