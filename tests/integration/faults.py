"""Faults made on purpose, each with what shows that it happened."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.integration.spark_cluster import CHECKPOINTS
from tests.integration.streaming import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.integration.containers import Service
    from tests.integration.spark_cluster import SparkCluster

__all__ = [
    "KILLED",
    "Failpoint",
    "Link",
    "batch_under_way",
    "cut_off",
    "kill",
    "proven",
    "refusal",
    "slow_and_lossy",
]

KILLED = 128 + 9
"""The exit code of a container whose process was ended by SIGKILL."""

NO_NAMESPACES = (
    "the engine's containers are not on this machine, or their network is not ours to touch (root)"
)


def proven(  # noqa: PLR0913 - each a fact of its own
    record: Callable[[str, object], None],
    fault: str,
    *,
    observed: str,
    outcome: str,
    recovery_s: float,
    duplicates: int | None = None,
) -> None:
    """Note what a test has proven, for the table at the end of a run."""
    record(
        "proven_fault",
        {
            "fault": fault,
            "observed": observed,
            "outcome": outcome if duplicates is None else f"{outcome}; {duplicates} duplicates on topics",
            "recovery_s": round(recovery_s, 1),
            **({} if duplicates is None else {"duplicates": duplicates}),
        },
    )


def kill(service: Service) -> int:
    """End a service with SIGKILL, for good until somebody starts it; give its exit code."""
    service.container.kill()
    return int(service.container.wait()["StatusCode"])


def refusal(service: Service) -> str:
    """Give the words with which a service that is down turns its clients away."""
    with pytest.raises(ConnectionRefusedError) as refused:
        socket.create_connection((service.host, service.port), timeout=5)
    return str(refused.value.strerror)


# The newest batch of a query that has begun and is not committed, as soon as there is one.
_UNDER_WAY = """
cd "$0" || exit 1
for look in $(seq 3000); do
  begun="$(ls offsets | sort -n | tail -1)"
  [ -z "$begun" ] || [ -e "commits/$begun" ] || { echo "$begun"; exit 0; }
  sleep 0.02
done
exit 1
"""


def batch_under_way(spark: SparkCluster, checkpoint: str) -> int:
    """Wait until a query in micro-batches is in the middle of one; give its number."""
    command = ["bash", "-c", _UNDER_WAY, f"{CHECKPOINTS}/{checkpoint}"]
    code, said = spark.workers[0].container.exec_run(command)
    assert code == 0, said.decode()
    return int(said)


# Takes a failpoint's file away. Not before a batch whose offsets are in the checkpoint is committed: the
# driver does that very batch again, to the same offsets, and would be ended there for ever.
_ARM = """
for look in $(seq 12000); do
  [ -e "$0/offsets/$1" ] && [ ! -e "$0/commits/$1" ] || exec rm "$2"
  sleep 0.02
done
exit 1
"""


class Failpoint:
    """A failpoint that a driver of the cluster was started with, spent until it is armed."""

    def __init__(self, spark: SparkCluster, name: str, copy: int = 0) -> None:
        query, _, self.point = name.partition(":")
        self.name = f"{name} (copy {copy})" if query == "alerts" else name
        self._checkpoint = f"{CHECKPOINTS}/{query}-{copy}"
        self._file = f"{self._checkpoint}.{self.point}"
        self._worker = spark.workers[0].container
        self.driver = spark.drivers[f"driver-alerts-{copy}" if query == "alerts" else "driver-tables"]
        self.restarts = self.driver.restarts
        self.fired_at = 0.0

    def arm(self, after: int = -1) -> None:
        """Let it fire at the next batch that comes to it and is no repetition of this one."""
        command = ["bash", "-c", _ARM, self._checkpoint, str(after), self._file]
        assert self._worker.exec_run(command).exit_code == 0, f"{self.name}: batch {after} is not committed"

    def fired(self) -> str | None:
        """Give the sentence that it left when it fired: batch and offsets."""
        code, said = self._worker.exec_run(["cat", self._file])
        return str(said.decode().strip()) if code == 0 else None

    def wait(self, sent: Sequence[tuple[int, int]]) -> str:
        """Wait until it has ended a batch with some of what was sent, by place; give its sentence.

        A query's first batch is often empty, and in Real-Time Mode a batch ends by the clock, also without
        readings: then the next one is waited for.
        """
        while True:
            wait_until(self.fired, f"failpoint {self.name} fires")
            self.fired_at = time.monotonic()
            wait_until(lambda: self.driver.restarts > self.restarts, f"{self.driver.name} is started again")
            self.restarts = self.driver.restarts
            said = self.fired() or ""
            assert f"{said}: SIGKILL" in self.driver.log()
            batch, ends = _batch(said)
            if any(offset < ends[str(partition)] for partition, offset in sent):
                return said
            self.arm(after=batch)


def _batch(said: str) -> tuple[int, dict[str, int]]:
    """Read a failpoint's sentence: the batch that it ended, and where that ends in each partition."""
    found = re.fullmatch(r"failpoint \S+ of \S+: batch (\d+), offsets (\{.*\})", said)
    assert found is not None, said
    return int(found[1]), json.loads(found[2])["readings"]


@contextmanager
def cut_off(service: Service, others: Sequence[Service]) -> Iterator[Callable[[], int]]:
    """Drop every packet between a service and others; tells how many were.

    Nobody is told: connections stay open and nothing comes, as when a switch fails. Everybody else, such as
    the test itself, still reaches the service.
    """
    addresses = [_address(other) for other in others]
    rules = [rule for one in addresses for rule in (("INPUT", "-s", one), ("OUTPUT", "-d", one))]
    made = []
    try:
        for chain, *match in rules:
            _within(service, "iptables", "-I", chain, *match, "-j", "DROP")
            made.append((chain, *match))
        yield lambda: _dropped(service)
    finally:
        for chain, *match in made:
            _within(service, "iptables", "-D", chain, *match, "-j", "DROP")


class Link(NamedTuple):
    """What has become of a link's packets."""

    lost: int
    delayed: int

    def __str__(self) -> str:
        return f"{self.lost} packets lost, {self.delayed} delayed"


@contextmanager
def slow_and_lossy(service: Service, *, kbit: int, loss: float) -> Iterator[Callable[[], Link]]:
    """Let a service send so many kbit/s and lose a share of what it gets; tells what has become of packets.

    By two parts of the kernel, a token bucket and a rule of chance: netem, which is both, is often not there.
    """
    bucket = ("rate", f"{kbit}kbit", "burst", "16kb", "latency", "2s")
    chance = ("-i", "eth0", "-m", "statistic", "--mode", "random", "--probability", f"{loss}", "-j", "DROP")

    def told() -> Link:
        shaped = re.search(r"overlimits (\d+)", _within(service, "tc", "-s", "qdisc", "show", "dev", "eth0"))
        assert shaped is not None
        return Link(_dropped(service), int(shaped[1]))

    _within(service, "tc", "qdisc", "add", "dev", "eth0", "root", "tbf", *bucket)
    try:
        _within(service, "iptables", "-I", "INPUT", *chance)
        try:
            yield told
        finally:
            _within(service, "iptables", "-D", "INPUT", *chance)
    finally:
        _within(service, "tc", "qdisc", "del", "dev", "eth0", "root")


def _dropped(service: Service) -> int:
    """Count the packets that the rules of a container's network have dropped."""
    lines = _within(service, "iptables", "-nvxL").splitlines()
    return sum(int(found[1]) for line in lines if (found := re.match(r"\s*(\d+)\s+\d+\s+DROP\b", line)))


def _address(service: Service) -> str:
    service.container.reload()
    (network,) = service.container.attrs["NetworkSettings"]["Networks"].values()
    return str(network["IPAddress"])


def _within(service: Service, *command: str) -> str:
    """Run a program of this machine in the network of a container."""
    service.container.reload()
    process = service.container.attrs["State"]["Pid"]
    if os.geteuid() != 0 or not shutil.which("nsenter") or not Path(f"/proc/{process}/ns/net").exists():
        pytest.skip(NO_NAMESPACES)
    done = subprocess.run(
        ["nsenter", "--target", str(process), "--net", *command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
