"""Failpoints: places in a batch at which a driver ends with SIGKILL, for tests that ask what is lost then.

Spark notes in two folders of a checkpoint how far a batch goes (`offsets`) and that it is done (`commits`).
In micro-batches the first stands before the batch is written, in Real-Time Mode both follow it. The Java side
(galewatch.spark.Failpoints) sees each note before it is there, and is told when a sink of Python's has
written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["FAILPOINTS", "Failpoint", "failpoint_conf"]

Failpoint = Literal[
    "alerts:after-sink",
    "alerts:before-commit",
    "averages:after-sink",
    "averages:before-commit",
    "readings:after-sink",
    "readings:before-commit",
]

FAILPOINTS: dict[Failpoint, str] = {
    "alerts:after-sink": "offsets",
    "alerts:before-commit": "commits",
    "averages:after-sink": "sink",
    "averages:before-commit": "commits",
    "readings:after-sink": "offsets",
    "readings:before-commit": "commits",
}
"""Each with the folder of its query's checkpoint by which the Java side knows it."""


def failpoint_conf(failpoints: Sequence[Failpoint], index: int) -> dict[str, str]:
    """Give what Spark has to be told of the failpoints of a driver's copy: nothing where there are none."""
    told = []
    for failpoint in failpoints:
        query, _, point = failpoint.partition(":")
        told.append(f"{query}-{index}/{FAILPOINTS[failpoint]}={point}")
    return {"spark.hadoop.galewatch.failpoints": ",".join(told)} if told else {}
