"""The time at which a batch of averages is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F  # noqa: N812 - its usual name

from pipeline.streaming.averages_query import batch_micros

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession


def test_the_time_of_a_batch_is_the_one_that_a_replay_has_too(spark: SparkSession, tmp_path: Path) -> None:
    checkpoint, arrived = tmp_path / "checkpoint", tmp_path / "arrived"
    arrived.mkdir()
    told: list[tuple[int, int]] = []

    def sink(batch: DataFrame, number: int) -> None:
        # In a stream, the current time is that of the batch, and a replay of the batch has the same.
        (row,) = batch.select(F.unix_micros("now").alias("now")).collect()
        told.append((row["now"], batch_micros(checkpoint, number)))

    rows = spark.readStream.schema("value string").text(str(arrived)).withColumn("now", F.current_timestamp())
    for number in range(2):
        (arrived / f"{number}.txt").write_text("one\n", encoding="ascii")
        query = rows.writeStream.foreachBatch(sink).option("checkpointLocation", str(checkpoint))
        query.trigger(availableNow=True).start().awaitTermination(60)

    assert 2 == len(told)
    assert told[0][0] < told[1][0]
    assert all(spark_says == found for spark_says, found in told)
