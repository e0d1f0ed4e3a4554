"""The drain bench: a backlog of readings, worked off by all queries at once, then by the plain consumer.

The drivers are stopped, the backlog is sent, the drivers are started: from then on the clock runs. The
readings lie in the last hours, one a second from each device, so that by the policy none is late and each
counts.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from benchmarks import machine, report
from benchmarks.expected import Expected, differences, expected_of
from benchmarks.fleet import Backlog
from benchmarks.peer import PEER, USER, Stretch, consume
from benchmarks.sender import send
from benchmarks.tables import KEYSPACE, found, own_keyspace
from benchmarks.topics import ends
from benchmarks.work import await_rows
from benchmarks.worker import Worker, pipe

if TYPE_CHECKING:
    from benchmarks.target import Target

__all__ = ["PRODUCT", "bench"]

PRODUCT: Final = "galewatch"

_WELL_S: Final = 240.0
_START_S: Final = 60.0
_BUSY: Final = 0.85


class Drained(NamedTuple):
    """How one consumer did: seconds and CPU seconds by process, from its start and from its first row."""

    seconds: float
    from_first_row_s: float
    cpu: dict[str, float]
    cpu_from_first_row: dict[str, float]
    differences: list[str]


def bench(target: Target, events: int, hot_percent: float, patience_s: float) -> dict[str, Any]:
    """Run the bench, write JSON and plot, and give the document; raises GalewatchError where it cannot."""
    target.require_well()
    begin = ends(target.environment)
    stopped = target.drivers()
    try:
        for driver in stopped:
            target.say(f"stopping {driver.name}")
            driver.stop()
        target.say(f"making {events:,} readings")
        backlog = Backlog.ending(datetime.now(UTC), events, hot_percent)
        readings = backlog.readings()
        expected = expected_of(
            (reading, backlog.fleet.is_hot(number)) for number, reading in enumerate(readings)
        )
        target.say(f"sending {events:,} readings")
        send(target.environment, readings)
        before = machine.cpu_seconds(target.engine, target.environment.name)
        started = time.monotonic()
    finally:
        for driver in stopped:
            driver.start()
    at_first: list[machine.Cpu] = []
    first, last = await_rows(
        target,
        readings,
        expected,
        patience_s,
        lambda: at_first.append(machine.cpu_seconds(target.engine, target.environment.name)),
    )
    after = machine.cpu_seconds(target.engine, target.environment.name)
    cpu, later = machine.spent(before, after), machine.spent(at_first[0], after)
    target.say("comparing every row")
    wrong = differences(expected, found(target.environment, "reader", target.keyspace, expected))
    product = Drained(last - started, last - first, cpu, later, wrong)
    target.until_well(_WELL_S)
    peer = _peer(target, Stretch(begin, ends(target.environment)), expected, patience_s)
    consumers = {PRODUCT: _told(product, events), PEER: _told(peer, events)}
    document = {
        "bench": "drain",
        "machine": machine.described(),
        "events": events,
        "hot_percent": hot_percent,
        "alerts": len(expected.alerts),
        "averages": len(expected.averages),
        "drivers": target.settings(),
        "consumers": consumers,
        "limit": _limit(product),
    }
    path = report.write_json(target.results, "drain", document)
    report.plot_drain(
        path.with_suffix(".png"),
        {name: one["events_per_s"] for name, one in consumers.items()},
        {name: one["cpu_s_per_million"] for name, one in consumers.items()},
    )
    return {**document, "path": str(path)}


def _peer(target: Target, stretch: Stretch, expected: Expected, patience_s: float) -> Drained:
    orders, _order = pipe()
    with own_keyspace(target.environment):
        before = machine.cpu_seconds(target.engine, target.environment.name)
        with Worker(PEER, consume, target.environment, KEYSPACE, stretch, orders) as worker:
            worker.take(_START_S)
            target.say(f"{PEER} works off the same")
            seconds, own = worker.take(patience_s)
        cpu = machine.spent(before, machine.cpu_seconds(target.engine, target.environment.name)) | {PEER: own}
        target.say("comparing every row")
        wrong = differences(expected, found(target.environment, USER, KEYSPACE, expected))
    return Drained(seconds, seconds, cpu, cpu, wrong)


def _told(drained: Drained, events: int) -> dict[str, Any]:
    return {
        "seconds": round(drained.seconds, 1),
        "from_first_row_s": round(drained.from_first_row_s, 1),
        "events_per_s": round(events / max(drained.from_first_row_s, 1e-3)),
        "events_per_s_with_start": round(events / max(drained.seconds, 1e-3)),
        "cpu_s_per_million": _per_million(drained.cpu_from_first_row, events),
        "cpu_s_per_million_with_start": _per_million(drained.cpu, events),
        "differences": drained.differences,
    }


def _per_million(cpu: dict[str, float], events: int) -> dict[str, float]:
    """Give the CPU seconds per million events, the greatest first."""
    return {
        name: round(seconds * 1e6 / events, 2)
        for name, seconds in sorted(cpu.items(), key=lambda item: -item[1])
    }


def _limit(drained: Drained) -> str:
    """Say what limited the drain from its first row on."""
    cores = machine.described()["cores"]
    span, cpu = max(drained.from_first_row_s, 1e-3), drained.cpu_from_first_row
    busy = sum(cpu.values()) / span
    most = sorted(cpu.items(), key=lambda item: -item[1])[:3]
    shares = ", ".join(f"{name} {seconds / span:.2f}" for name, seconds in most)
    word = "the processors" if busy > _BUSY * cores else "waiting, not by the processors"
    return f"{word}: {busy:.2f} of {cores} cores were busy with it on the average ({shares})"
