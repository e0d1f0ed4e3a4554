"""A query whose driver was killed in the middle of a commit."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest
from pyspark.errors import StreamingQueryException

from pipeline.streaming.checkpoint import sweep

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession


def test_a_query_killed_in_its_first_commit_begins_again(spark: SparkSession, tmp_path: Path) -> None:
    checkpoint, arrived = tmp_path / "checkpoint", tmp_path / "arrived"
    arrived.mkdir()
    (arrived / "0.txt").write_text("one\n", encoding="ascii")
    written: list[str] = []
    rows = spark.readStream.schema("value string").text(str(arrived))
    stream = rows.writeStream.foreachBatch(lambda batch, _: written.extend(row[0] for row in batch.collect()))
    stream = stream.option("checkpointLocation", str(checkpoint)).trigger(availableNow=True)
    stream.start().awaitTermination(60)
    # The commit as it is before it has its name. In Real-Time Mode, Spark then removes the offsets itself.
    commits = checkpoint / "commits"
    torn = f".0.{uuid.uuid4()}.tmp"
    (commits / "0").rename(commits / torn)
    (commits / ".0.crc").rename(commits / f".{torn}.crc")
    for name in ("0", ".0.crc"):
        (checkpoint / "offsets" / name).unlink()
    # What the source itself remembers is not Kafka's: that one keeps nothing.
    for file in (checkpoint / "sources" / "0").iterdir():
        file.unlink()

    with pytest.raises(StreamingQueryException, match="STATE_STORE_CHECKPOINT_LOCATION_NOT_EMPTY"):
        stream.start().awaitTermination(60)
    sweep(checkpoint)
    stream.start().awaitTermination(60)

    assert ["one", "one"] == written
    assert not [file.name for file in commits.iterdir() if "tmp" in file.name]


def test_sweeping_keeps_the_logs_themselves_and_minds_no_folder_that_is_not_there(tmp_path: Path) -> None:
    sweep(tmp_path)
    log = tmp_path / "offsets"
    log.mkdir()
    for name in ("3", ".3.crc", ".4.x.tmp", "..4.x.tmp.crc"):
        (log / name).touch()

    sweep(tmp_path)

    assert {"3", ".3.crc"} == {file.name for file in log.iterdir()}
