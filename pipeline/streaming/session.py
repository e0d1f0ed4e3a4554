"""The Spark session of a driver: small, strict about its slots, and with no secret where it could be read."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, NamedTuple

from pyspark.sql import SparkSession

from pipeline.errors import StreamingError
from pipeline.streaming.failpoints import failpoint_conf
from pipeline.streaming.placement import resource_of

if TYPE_CHECKING:
    from threading import Event

    from pipeline.streaming.settings import DriverSettings

__all__ = ["Job", "open_session", "slots", "wait_for_slots"]

_SLOTS_DEADLINE_SECONDS = 90
_PAUSE_SECONDS = 0.5

# Less is refused by Spark: 1.5 times the 300 MiB that it reserves, and Java counts one survivor space less
# than -Xmx.
_HEAP = "512m"
# One thread collects what is never more than half a gigabyte. Of thousands of small stages each leaves code
# behind.
_JAVA = "-XX:+UseSerialGC -XX:MinHeapFreeRatio=15 -XX:MaxHeapFreeRatio=30 -XX:ReservedCodeCacheSize=96m"
# A driver plans more than it computes: the small compiler is enough and starts faster. Plans are deep
# trees, and a regular expression of Spark's overflows the usual stack when it goes over the text of one.
_DRIVER_JAVA = f"{_JAVA} -XX:TieredStopAtLevel=1 -Xss4m"
# RocksDB takes and gives back, and the C library keeps most of what it was given back: 90 MiB after five
# minutes of ten times the usual load. Once a minute Java lets that go.
_EXECUTOR_JAVA = f"{_JAVA} -XX:TrimNativeHeapInterval=60000"


class Job(NamedTuple):
    """A driver's name, how many tasks its queries run at once, and the worker that it wants, if any."""

    name: str
    slots: int
    worker: str | None = None


_CONF = {
    # The state is small: with the default of 200 partitions a batch takes seconds. Frozen into the
    # checkpoint.
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.sql.warehouse.dir": "/tmp/galewatch/warehouse",  # noqa: S108 - never written to
    # Batches are small and alike: planning again between their stages costs more than it finds.
    "spark.sql.adaptive.enabled": "false",
    # State outside of the heap, and each batch writes what changed, not all of it.
    "spark.sql.streaming.stateStore.providerClass": (
        "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"
    ),
    "spark.sql.streaming.stateStore.rocksdb.changelogCheckpointing.enabled": "true",
    "spark.sql.streaming.stateStore.rocksdb.boundedMemoryUsage": "true",
    "spark.sql.streaming.stateStore.rocksdb.maxMemoryUsageMB": "64",
    "spark.sql.streaming.minBatchesToRetain": "20",
    # Without new readings there is nothing to say: a window is written when it changes, not when it closes.
    "spark.sql.streaming.noDataMicroBatches.enabled": "false",
    # Checkpoints are files of this machine's; Hadoop's own way to write them runs a process for each.
    "spark.hadoop.fs.AbstractFileSystem.file.impl": "galewatch.spark.LocalFiles",
    # stop() waits this long for a batch under way; the engine kills after 30 s.
    "spark.sql.streaming.stopTimeout": "15s",
    # The text of a plan is made, searched for secrets and kept, for every batch.
    "spark.sql.maxPlanStringLength": "8192",
    # What the driver's pages remember is memory of the driver.
    "spark.sql.streaming.numRecentProgressUpdates": "10",
    "spark.sql.streaming.ui.retainedProgressUpdates": "20",
    "spark.sql.streaming.ui.retainedQueries": "5",
    "spark.sql.ui.retainedExecutions": "10",
    "spark.ui.dagGraph.retainedRootRDDs": "20",
    "spark.ui.retainedDeadExecutors": "5",
    "spark.ui.retainedJobs": "50",
    "spark.ui.retainedStages": "50",
    "spark.ui.retainedTasks": "200",
    "spark.ui.killEnabled": "false",
    "spark.ui.showConsoleProgress": "false",
    # jaas: Kafka's passwords are inside sasl.jaas.config, which the default does not know.
    "spark.redaction.regex": "(?i)secret|password|token|access[.]?key|jaas",
}


def open_session(job: Job, settings: DriverSettings) -> SparkSession:
    """Open the session; its one executor is on the job's worker, or where most slots are free."""
    builder = SparkSession.builder.appName(f"{job.name}-{settings.index}").master(settings.master)
    for key, value in {**_CONF, **failpoint_conf(settings.failpoints, settings.index)}.items():
        builder = builder.config(key, value)
    if not settings.master.startswith("local"):
        for key, value in _cluster_conf(job, settings).items():
            builder = builder.config(key, value)
    session: SparkSession = builder.getOrCreate()
    session.sparkContext.setLogLevel("WARN")
    return session


def _cluster_conf(job: Job, settings: DriverSettings) -> dict[str, str]:
    return {
        "spark.driver.host": settings.host,
        "spark.driver.bindAddress": "0.0.0.0",  # noqa: S104 - the container's own network; RPC asks for the secret
        "spark.driver.memory": _HEAP,
        "spark.driver.extraJavaOptions": _DRIVER_JAVA,
        "spark.executor.memory": _HEAP,
        "spark.executor.extraJavaOptions": _EXECUTOR_JAVA,
        # All slots in one executor: two processes of 450 MiB do no more than one does.
        "spark.cores.max": str(job.slots),
        "spark.executor.cores": str(job.slots),
        **_place(job),
        # The executors' output is rolled, not kept for ever.
        "spark.executor.logs.rolling.strategy": "size",
        "spark.executor.logs.rolling.maxSize": "2097152",
        "spark.executor.logs.rolling.maxRetainedFiles": "2",
    }


def _place(job: Job) -> dict[str, str]:
    if job.worker is None:
        return {}
    resource = resource_of(job.worker)
    return {
        f"spark.executor.resource.{resource}.amount": "1",
        # Spark asks what a task takes of it: an equal share, rounded down, so that it never limits them.
        f"spark.task.resource.{resource}.amount": f"{math.floor(10_000 / job.slots) / 10_000:g}",
    }


def slots(session: SparkSession) -> int:
    """Count the tasks that the application can run at once just now."""
    context = session.sparkContext._jsc.sc()  # noqa: SLF001 - PySpark has no other way to ask
    profile = context.resourceProfileManager().defaultResourceProfile()
    return int(context.maxNumConcurrentTasks(profile))


def wait_for_slots(
    session: SparkSession, job: Job, stop: Event, deadline_seconds: float = _SLOTS_DEADLINE_SECONDS
) -> None:
    """Wait until the cluster has given all slots; raises StreamingError when it does not.

    With fewer, a query would wait for its turn, and nothing would say so. Returns as well when `stop` is set.
    """
    deadline = time.monotonic() + deadline_seconds
    while (given := slots(session)) < job.slots:
        if time.monotonic() > deadline:
            raise StreamingError(
                f"driver {job.name} needs {job.slots} slots and got {given} in {deadline_seconds:g} s: are "
                "the workers up, and do they have as many free cores and 512 MiB"
                f"{f', {job.worker} above all' if job.worker else ''} (see the master's page)?"
            )
        if stop.wait(_PAUSE_SECONDS):
            return
