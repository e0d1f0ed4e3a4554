"""The latency bench: how long after it was sent a reading's alert, and its average, can be read in Cassandra.

Four phases on the running environment: a warm-up, in which Java compiles what the load makes hot;
undisturbed; with a driver of the alerts killed in the middle; and beside the plain consumer, which gets the
same readings at the same time.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from benchmarks import machine, report
from benchmarks.ingestion import through_airflow
from benchmarks.peer import PEER, USER, Stretch, consume
from benchmarks.phase import Measured, run
from benchmarks.tables import KEYSPACE, own_keyspace
from benchmarks.target import Target, kill
from benchmarks.topics import ends
from benchmarks.worker import Worker, pipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.fleet import Load

__all__ = ["BESIDE", "KILLED", "PRODUCT", "UNDISTURBED", "WARM_UP", "Loads", "bench"]

PRODUCT: Final = "galewatch"

WARM_UP: Final = "warm-up"
UNDISTURBED: Final = "undisturbed"
KILLED: Final = "a driver killed in the middle"
BESIDE: Final = "beside the plain consumer"

_START_S: Final = 60.0
_BACK_S: Final = 180.0


class Loads(NamedTuple):
    """What is sent in the warm-up, in each of the two phases that count, and beside the plain consumer."""

    warm_up: Load
    alone: Load
    beside: Load


def bench(target: Target, loads: Loads) -> dict[str, Any]:
    """Run all phases, write JSON and plot, and give the document; raises GalewatchError where it cannot."""
    target.require_well()
    product = {PRODUCT: ("reader", target.keyspace)}
    began = time.time()
    measured = {}
    phases = {}
    for name, load in ((WARM_UP, loads.warm_up), (UNDISTURBED, loads.alone), (KILLED, loads.alone)):
        measured[name], phases[name] = _phase(target, name, load, product)
        target.until_well(_BACK_S)
    airflow = through_airflow(target.environment, began, time.time())
    with own_keyspace(target.environment), _peer(target) as finish:
        both = {**product, PEER: (USER, KEYSPACE)}
        measured[BESIDE], phases[BESIDE] = _phase(target, BESIDE, loads.beside, both)
        phases[BESIDE]["cpu_seconds"][PEER] = round(finish(), 2)
    document: dict[str, Any] = {
        "bench": "latency",
        "machine": machine.described(),
        "load": asdict(loads.alone),
        "drivers": target.settings(),
        "phases": phases,
        "through_airflow": airflow,
    }
    path = report.write_json(target.results, "latency", document)
    report.plot_latency(
        path.with_suffix(".png"),
        {name: {kind: one.points(kind) for kind in one.found} for name, one in measured.items()},
    )
    return {**document, "path": str(path)}


def _phase(
    target: Target, name: str, load: Load, consumers: dict[str, tuple[str, str]]
) -> tuple[Measured, dict[str, Any]]:
    """Run one phase, and give what it measured and what is told of it."""
    to_kill = target.drivers("driver-alerts")[:1] if name == KILLED else []

    def tick(seconds: float) -> None:
        if to_kill and seconds >= load.seconds / 2:
            kill(to_kill.pop())
        target.say(f"{name}: {min(seconds, load.seconds):.0f} of {load.seconds:.0f} s")

    before = machine.cpu_seconds(target.engine, target.environment.name)
    measured = run(target.environment, load, consumers, tick)
    cpu = machine.spent(before, machine.cpu_seconds(target.engine, target.environment.name))
    sent = measured.sent
    return measured, {
        "seconds": load.seconds,
        **asdict(sent.counts),
        "behind_schedule_ms": round(sent.behind_s * 1000, 2),
        "latency_ms": {kind: measured.latency(kind).as_json() for kind in measured.found},
        "resolution_ms": {kind: measured.resolution(kind).as_json() for kind in measured.found},
        "questions": {kind: found.questions for kind, found in measured.found.items()},
        "cpu_seconds": {service: round(seconds, 2) for service, seconds in sorted(cpu.items())},
        "points": {kind: measured.points(kind) for kind in measured.found},
    }


@contextmanager
def _peer(target: Target) -> Iterator[Callable[[], float]]:
    """Run the plain consumer from now on; what is given ends it and tells its CPU seconds."""
    orders, order = pipe()
    stretch = Stretch(ends(target.environment), None)
    with Worker(PEER, consume, target.environment, KEYSPACE, stretch, orders) as worker:
        worker.take(_START_S)

        def finish() -> float:
            order.send("stop")
            _, cpu = worker.take(_START_S)
            return float(cpu)

        yield finish
