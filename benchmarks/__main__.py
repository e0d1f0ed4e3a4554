"""The benches' commands: `python -m benchmarks latency` and `python -m benchmarks drain`."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from benchmarks import drain as draining
from benchmarks import latency as latencies
from benchmarks.fleet import Load
from benchmarks.shown import show_drain, show_latency
from benchmarks.target import Target
from pipeline.environment import Environment
from pipeline.errors import GalewatchError
from pipeline.infra.prepare import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

Env = Annotated[str, typer.Option("--environment", help="The running environment.")]
Hot = Annotated[float, typer.Option("--hot", min=0, max=100, help="Per cent of the readings that alert.")]
Results = Annotated[Path, typer.Option("--results", help="Where JSON and plot go.")]

_RESULTS = Path(__file__).parent / "results"
_INTERRUPTED = 130


@app.command()
def latency(  # noqa: PLR0913 - each is an option
    *,
    environment: Env = "dev",
    rate: Annotated[float, typer.Option(min=1, help="Readings a second.")] = 300,
    warm_up: Annotated[float, typer.Option(min=1, help="Length of the load before what counts.")] = 300,
    seconds: Annotated[float, typer.Option(min=1, help="Length of each of the two phases that count.")] = 600,
    beside: Annotated[float, typer.Option(min=1, help="Length of the phase with the plain consumer.")] = 120,
    hot: Hot = 1,
    devices: Annotated[int, typer.Option(min=1, help="Devices that speak.")] = 300,
    results: Results = _RESULTS,
) -> None:
    """Measure produce → visible on a running environment, undisturbed and with a driver killed."""
    with _measuring(environment, results) as target:
        loads = latencies.Loads(*(Load(rate, span, hot, devices) for span in (warm_up, seconds, beside)))
        document = latencies.bench(target, loads)
    show_latency(document)


@app.command()
def drain(
    *,
    environment: Env = "dev",
    events: Annotated[int, typer.Option(min=1000, help="Readings of the backlog.")] = 1_000_000,
    hot: Hot = 1,
    patience: Annotated[float, typer.Option(min=1, help="Seconds for each consumer, at most.")] = 900,
    results: Results = _RESULTS,
) -> None:
    """Measure how fast, and at what cost, a backlog is worked off; exit code 1 where a row is wrong."""
    with _measuring(environment, results) as target:
        document = draining.bench(target, events, hot, patience)
    show_drain(document)
    if any(one["differences"] for one in document["consumers"].values()):
        raise typer.Exit(1)


@contextmanager
def _measuring(environment: str, results: Path) -> Iterator[Target]:
    """Give what is measured, with a line that tells what is being done; errors are one sentence."""
    try:
        with Console(stderr=True, highlight=False).status("…") as status:
            yield Target(Environment.from_env(environment), connect(), results, status.update)
    except GalewatchError as error:
        print(f"bench: {error}", file=sys.stderr)  # noqa: T201 - this is what the command says
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)  # noqa: T201 - the same
        raise typer.Exit(_INTERRUPTED) from None


if __name__ == "__main__":
    app()
