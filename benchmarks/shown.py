"""What the benches print."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from rich.console import Console

from benchmarks.report import table

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["show_drain", "show_latency"]

# Output that goes into a file has no width of its own.
_WIDTH = 140
# A sender that is late by more than this did not keep to its schedule: the machine was too busy.
_LATE_MS = 100


def show_latency(document: Mapping[str, Any]) -> None:
    """Print the tables of the latency bench."""
    console = _console()
    rows = [
        (f"{phase}: {kind}", *_numbers(told), body["resolution_ms"][kind]["p99"])
        for phase, body in document["phases"].items()
        for kind, told in body["latency_ms"].items()
    ]
    columns = ("produce → visible, ms", "rows", "missing", "p50", "p95", "p99", "max", "off by (p99)")
    console.print(table("Latency", columns, rows))
    steps = document["through_airflow"]["latency_ms"]
    words = ("through API and Airflow, ms", "rows", "missing", "p50", "p95", "p99", "max")
    console.print(table("", words, [(name, *_numbers(told)) for name, told in steps.items()]))
    cores = [
        (
            phase,
            *(f"{name} {seconds / body['seconds']:.2f}" for name, seconds in _greatest(body["cpu_seconds"])),
        )
        for phase, body in document["phases"].items()
    ]
    console.print(table("", ("cores used", "most", "second", "third"), cores))
    for phase, body in document["phases"].items():
        if body["failed"] or body["behind_schedule_ms"] > _LATE_MS:
            console.print(
                f"! {phase}: {body['failed']} readings not acknowledged, "
                f"at most {body['behind_schedule_ms']} ms behind the schedule"
            )
    console.print(document["path"], soft_wrap=True)


def show_drain(document: Mapping[str, Any]) -> None:
    """Print the tables of the drain bench."""
    console = _console()
    told = document["consumers"]
    rows = [
        (
            name,
            one["events_per_s"],
            one["events_per_s_with_start"],
            one["seconds"],
            sum(one["cpu_s_per_million"].values()),
            "; ".join(one["differences"]) or "every row right",
        )
        for name, one in told.items()
    ]
    columns = ("consumer", "events/s", "with its start", "seconds", "CPU-s/M", "rows")
    console.print(table(f"Drain of {document['events']:,} readings", columns, rows))
    names = dict.fromkeys(name for one in told.values() for name in one["cpu_s_per_million"])
    cpu = [(name, *(one["cpu_s_per_million"].get(name, 0.0) for one in told.values())) for name in names]
    console.print(table("", ("CPU seconds per million readings", *told), cpu))
    console.print(f"Limited by {document['limit']}.", soft_wrap=True)
    console.print(document["path"], soft_wrap=True)


def _numbers(told: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(told[name] for name in ("count", "missing", "p50", "p95", "p99", "max"))


def _greatest(cpu: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(cpu.items(), key=lambda item: -item[1])[:3]


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False)
