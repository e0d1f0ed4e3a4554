"""The command `reconcile`: is everything that was fetched where it belongs?"""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from pipeline.cli.options import AsJson, Name, Since  # noqa: TC001 - typer resolves annotations at run time
from pipeline.cli.output import console, print_json, sentences
from pipeline.environment import Environment
from pipeline.readings import utc_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.reconcile.equations import Equation

__all__ = ["reconcile"]

_DAY = timedelta(days=1)
_READINGS = "readings"
# What was on its way a moment ago has arrived the next time.
_PAUSE_SECONDS = 2.0


def reconcile(
    since: Since = None,
    settle: Annotated[
        float, typer.Option("--settle", min=0, help="Seconds that what is on its way is given to arrive.")
    ] = 30,
    *,
    as_json: AsJson = False,
    env: Name = None,
) -> None:
    """Compare every store with its neighbours, one equation a hop; exit code 1 if one does not hold.

    The history is compared as a whole, from the topic on what was appended in the last 24 hours, or since
    --since, but not longer than the topic keeps it. Left out are the self-test, whose rows live an hour, and
    events that had been revised before the period.
    """
    from pipeline.config import config_dir  # noqa: PLC0415 - only when it is asked for
    from pipeline.reconcile.collect import collect  # noqa: PLC0415
    from pipeline.reconcile.equations import Policy, equations  # noqa: PLC0415
    from pipeline.rules import load_rules  # noqa: PLC0415

    with sentences():
        environment = Environment.from_env(env)
        rules = load_rules(config_dir() / "rules.yaml")
        streaming = environment.platform.streaming
        lateness = timedelta(seconds=streaming.allowed_lateness_seconds)
        policy = Policy(streaming.window_seconds, lateness)
        kept = int(environment.platform.kafka.topics[_READINGS].config["retention.ms"])
        now = datetime.now(UTC)
        begin = max(since or now - _DAY, now - timedelta(milliseconds=kept))
        end = time.monotonic() + settle
        while True:
            books = collect(environment, rules, begin)
            found = equations(books, policy)
            if all(equation.holds for equation in found) or time.monotonic() > end:
                break
            time.sleep(_PAUSE_SECONDS)
    broken = [equation for equation in found if not equation.holds]
    if as_json:
        for equation in found:
            print_json({**asdict(equation), "holds": equation.holds})
    else:
        out = console()
        out.print(f"The history as a whole; the topic from {utc_text(begin)} to {utc_text(books.until)}.")
        out.print(_table(found))
        words = f"{len(broken)} of {len(found)} equations do not hold." if broken else "Every equation holds."
        out.print(Text(f"\n{words}", style="bold red" if broken else "bold"))
    if broken:
        raise typer.Exit(1)


def _table(found: Sequence[Equation]) -> Table:
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("hop", "", "is", ""):
        drawn.add_column(heading)
    for equation in found:
        sign = Text("=") if equation.holds else Text("≠", style="bold red")
        drawn.add_row(
            equation.hop,
            f"{equation.left}: {equation.left_count:,}",
            sign,
            f"{equation.right}: {equation.right_count:,}",
        )
        for example in equation.examples:
            drawn.add_row("", Text(example, style="red"))
    return drawn
