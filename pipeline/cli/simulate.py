"""The command `simulate`: a fleet of devices that produce readings to Kafka."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import contextmanager
from enum import StrEnum
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from pipeline.cli.options import Name  # noqa: TC001 - typer resolves annotations at run time
from pipeline.cli.output import sentences
from pipeline.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.simulate.fleet import Fleet
    from pipeline.simulate.producer import Outcome
    from pipeline.topics.producer import Counts

__all__ = ["Versions", "simulate"]

_INTERRUPTED = 130


class Versions(StrEnum):
    """Which versions of the readings' schema the devices write."""

    V1 = "v1"
    V2 = "v2"
    BOTH = "both"


def simulate(  # noqa: PLR0913 - each is an option
    rate: Annotated[float, typer.Option("--rate", help="Readings a second, of all devices together.")] = 100,
    seconds: Annotated[float, typer.Option("--seconds", min=0.001, help="For how long.")] = 60,
    devices: Annotated[int, typer.Option("--devices", help="Devices sim-0001, sim-0002, ….")] = 100,
    versions: Annotated[
        Versions, typer.Option("--schema", help="The version of the schema; both take turns.")
    ] = Versions.V2,
    hot: Annotated[float, typer.Option("--hot", help="Per cent of the readings that raise an alert.")] = 1,
    *,
    env: Name = None,
) -> None:
    """Produce readings to Kafka as a fleet of devices; Ctrl-C ends it early.

    The exit code is 1 if any reading was not acknowledged.
    """
    from pipeline.simulate.encoder import SUBJECT, Encoder  # noqa: PLC0415
    from pipeline.simulate.fleet import Fleet  # noqa: PLC0415
    from pipeline.simulate.producer import Simulation  # noqa: PLC0415
    from pipeline.topics.producer import USER, DirectProducer  # noqa: PLC0415 - only when needed, as the others

    with sentences():
        fleet = Fleet(devices, rate, hot)
        environment = Environment.from_env(env)
        first, *_, last = environment.platform.schema_registry.subjects[SUBJECT]
        schemas = {Versions.V1: [first], Versions.V2: [last], Versions.BOTH: [first, last]}[versions]
        encoders = [Encoder(environment.registry(), schema) for schema in schemas]
        with _stop_on_interrupt() as stop, DirectProducer(environment.kafka(USER)) as producer:
            total = max(1, round(rate * seconds))
            began = time.monotonic()
            with _progress() as bar:
                task = bar.add_task("", total=total, said="")
                outcome = Simulation(fleet, encoders, producer).run(
                    total,
                    stop,
                    on_progress=lambda now: bar.update(task, completed=now.sent, said=_in_words(now)),
                )
            _sum_up(fleet, outcome, time.monotonic() - began)
            if outcome.counts.failed:
                raise typer.Exit(1)
            if stop.is_set():
                raise typer.Exit(_INTERRUPTED)


@contextmanager
def _stop_on_interrupt() -> Iterator[Event]:
    """Give an event that the first Ctrl-C sets; the second one ends the program as any other."""
    stop = Event()

    def on_interrupt(*_: object) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def _progress() -> Progress:
    return Progress(
        BarColumn(), TextColumn("{task.fields[said]}"), TimeRemainingColumn(), console=Console(stderr=True)
    )


def _in_words(counts: Counts) -> str:
    failed = f", {counts.failed:,} failed" if counts.failed else ""
    return f"{counts.sent:,} sent, {counts.acknowledged:,} acknowledged{failed}"


def _sum_up(fleet: Fleet, outcome: Outcome, seconds: float) -> None:
    counts = outcome.counts
    hot = sum(fleet.is_hot(number) for number in range(counts.sent))
    # What the command was asked for, so on standard output.
    print(  # noqa: T201
        f"{counts.sent:,} readings of {min(fleet.devices, counts.sent):,} devices in {seconds:.1f} s, "
        f"{hot:,} of them hot: {counts.acknowledged:,} acknowledged, {counts.failed:,} failed; "
        f"at most {outcome.behind_s * 1000:.0f} ms behind the schedule"
    )
    if counts.failed:
        print(f"galewatch: the last failure: {counts.reason}", file=sys.stderr)  # noqa: T201
