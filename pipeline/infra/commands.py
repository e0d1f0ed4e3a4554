"""The commands behind the Makefile: `python -m pipeline.infra <command> --environment dev`."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from pipeline.errors import GalewatchError
from pipeline.infra import logs as container_logs
from pipeline.infra import remove, status
from pipeline.infra import up as bring_up
from pipeline.infra.errors import PreflightError
from pipeline.infra.images import build as build_images
from pipeline.infra.layout import DEFAULT_ENVIRONMENT, Layout
from pipeline.infra.lock import exclusive
from pipeline.infra.prepare import connect, keep_loopback_direct, prepare, prepare_provider
from pipeline.infra.progress import Progress
from pipeline.infra.provision import Roots
from pipeline.infra.requirements import pin
from pipeline.infra.terraform import Terraform

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

Environment = Annotated[str, typer.Option(help="Name of the environment: environments/<name>.tfvars.")]

_INTERRUPTED = 130
_console = Console(stderr=True, highlight=False)


@app.command()
def up(environment: Environment = DEFAULT_ENVIRONMENT) -> None:
    """Bring everything up and show the first alert."""
    _run("up", environment, lambda layout, progress: bring_up.up(layout, progress, _terraform()))


@app.command("prepare")
def prepare_machine(environment: Environment = DEFAULT_ENVIRONMENT) -> None:
    """Make engine, base image, provider and secrets ready; change nothing else."""

    def work(layout: Layout, progress: Progress) -> None:
        done = prepare(layout, progress, _terraform())
        progress.say("")
        progress.say("Ready. By hand, in this folder:")
        for line in bring_up.by_hand(layout, _terraform(), done.provider.hint):
            progress.say(f"  {line}")

    _run("prepare", environment, work)


@app.command()
def plan(environment: Environment = DEFAULT_ENVIRONMENT) -> None:
    """Show what an apply would change."""

    def work(layout: Layout, progress: Progress) -> None:
        done = prepare(layout, progress, _terraform())
        roots = Roots(layout, progress, done.engine, done.provider.environment, _terraform())
        roots.init()
        Console(highlight=False, soft_wrap=True).print(roots.plan_text(), markup=False)

    _run("plan", environment, work)


@app.command()
def images(environment: Environment = DEFAULT_ENVIRONMENT) -> None:
    """Build the images and start nothing."""
    _run("images", environment, lambda layout, progress: build_images(layout, progress, _terraform()))


@app.command()
def down(environment: Environment = DEFAULT_ENVIRONMENT) -> None:
    """Remove containers and networks; data stays."""
    _run("down", environment, lambda layout, progress: remove.down(layout, progress, _terraform()))


@app.command()
def wipe(
    environment: Environment = DEFAULT_ENVIRONMENT,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove everything of the environment, data and secrets too."""
    if not yes and not remove.is_sure(environment):
        _console.print("Nothing was removed.")
        raise typer.Exit(1)
    _run("wipe", environment, lambda layout, progress: remove.wipe(layout, progress, _terraform()))


@app.command("status")
def show_status(environment: Environment = DEFAULT_ENVIRONMENT) -> None:
    """Show services, their health and their memory."""

    def work() -> None:
        found = status.report(environment)
        if not found.services:
            _console.print(f"Nothing of the environment {environment} runs here: `make up` starts it.")
            raise typer.Exit(1)
        Console().print(status.table(found))
        if not found.is_well:
            raise typer.Exit(1)

    _guarded(work)


@app.command("logs")
def show_logs(
    service: Annotated[str, typer.Argument(help="A service, as `make status` names it.")],
    environment: Environment = DEFAULT_ENVIRONMENT,
    *,
    follow: Annotated[bool, typer.Option("--follow", help="Go on as lines come.")] = False,
    tail: Annotated[int, typer.Option(help="Lines to begin with.")] = 200,
) -> None:
    """Show the log of one service."""
    _guarded(lambda: container_logs.show(connect(), Layout(environment), service, follow=follow, tail=tail))


@app.command("terraform")
def check_terraform(environment: Environment = DEFAULT_ENVIRONMENT) -> None:
    """Check Terraform's format and configuration; needs no engine."""

    def work(layout: Layout, progress: Progress) -> None:
        chosen = prepare_provider(layout, progress, _terraform())
        with progress.step("terraform fmt, validate"):
            for root in (layout.platform_root, layout.storage_root):
                terraform = Terraform(root, binary=_terraform(), environment=chosen.environment)
                terraform.check_format()
                terraform.init(backend=False)
                terraform.validate()

    _run("terraform", environment, work)


@app.command("requirements")
def pin_requirements(
    *, upgrade: Annotated[bool, typer.Option("--upgrade", help="Take the newest allowed versions.")] = False
) -> None:
    """Pin the dependencies anew from pyproject.toml."""
    _run(
        "requirements",
        DEFAULT_ENVIRONMENT,
        lambda layout, progress: pin(layout.root, progress, upgrade=upgrade),
    )


def _terraform() -> str:
    return os.environ.get("TERRAFORM") or "terraform"


def _run(command: str, environment: str, work: Callable[[Layout, Progress], Any]) -> None:
    """Run a command that changes things: alone, with progress and a log, errors told in a sentence."""

    def alone() -> None:
        layout = Layout(environment)
        with ExitStack() as stack:
            stack.enter_context(exclusive(layout.work / "lock", command))
            progress = stack.enter_context(Progress(command, layout.logs))
            keep_loopback_direct()
            try:
                work(layout, progress)
            except BaseException as error:
                progress.log(traceback.format_exc())
                if isinstance(error, GalewatchError):
                    error.add_note(f"The log: {progress.log_path}")
                elif isinstance(error, KeyboardInterrupt):
                    error.add_note(f"`make {command}` again completes it. The log: {progress.log_path}")
                elif not isinstance(error, typer.Exit):
                    error.add_note(f"This is a defect of Galewatch. The log: {progress.log_path}")
                raise

    _guarded(alone)


def _guarded(work: Callable[[], None]) -> None:
    """Turn what is expected to go wrong into a sentence and an exit code."""
    # A terminal that closes and a polite kill end as Ctrl-C does: Terraform finishes what it has begun.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        work()
    except PreflightError as error:
        for problem in error.problems:
            _console.print(f"[red]Error:[/] {_plain(problem)}", soft_wrap=True)
        sys.exit(1)
    except GalewatchError as error:
        _console.print(f"[red]Error:[/] {_plain(str(error))}", soft_wrap=True)
        _print_notes(error)
        sys.exit(1)
    except KeyboardInterrupt as interrupt:
        _console.print("Interrupted.")
        _print_notes(interrupt)
        sys.exit(_INTERRUPTED)
    except BrokenPipeError:
        sys.exit(0)


def _print_notes(error: BaseException) -> None:
    for note in getattr(error, "__notes__", ()):
        _console.print(_plain(note), soft_wrap=True)


def _plain(text: str) -> str:
    return text.replace("[", r"\[")
