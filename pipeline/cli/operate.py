"""Commands about the platform itself: status and doctor."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import typer
from rich.table import Table
from rich.text import Text

from pipeline.cli.options import AsJson, Name  # noqa: TC001 - typer resolves annotations at run time
from pipeline.cli.output import console, print_json, sentences
from pipeline.environment import Environment

if TYPE_CHECKING:
    from pipeline.doctor.diagnosis import Diagnosis

__all__ = ["doctor", "status"]

_STYLES: Final = {"ok": "green", "warning": "yellow", "broken": "bold red", "affected": "red"}


def status(*, as_json: AsJson = False, env: Name = None) -> None:
    """Show every container of the environment, its health and its memory; exit code 1 if one is not well."""
    from pipeline.infra.status import report, table  # noqa: PLC0415 - it asks the engine

    with sentences():
        found = report(Environment.from_env(env).name)
    if as_json:
        for service in found.services:
            print_json({**asdict(service), "is_well": service.is_well})
    else:
        console().print(table(found))
    if not found.is_well:
        raise typer.Exit(1)


def doctor(*, as_json: AsJson = False, env: Name = None) -> None:
    """Walk the path hop by hop, with counts and ages, and name the first broken hop and its likely cause.

    The exit code is 1 if a hop is broken.
    """
    from pipeline.doctor.diagnosis import diagnose  # noqa: PLC0415 - only when it is asked for
    from pipeline.doctor.probes import look  # noqa: PLC0415

    with sentences():
        found = diagnose(look(Environment.from_env(env)))
    first = found.first_broken
    if as_json:
        broken = None if first is None else first.name
        hops = [asdict(hop) for hop in found.hops]
        print_json({"first_broken": broken, "sentence": found.sentence, "hops": hops})
    else:
        out = console()
        out.print(_hops(found))
        out.print(Text(f"\n{found.sentence}", style="bold" if first is None else "bold red"))
    if first is not None:
        raise typer.Exit(1)


def _hops(found: Diagnosis) -> Table:
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("hop", "state"):
        drawn.add_column(heading, no_wrap=True)
    drawn.add_column("what is there")
    for hop in found.hops:
        told = Text(hop.facts)
        # The first broken hop's cause stands below the table.
        if hop.cause and hop is not found.first_broken:
            told.append(f"\n{hop.cause}", style=_STYLES[hop.state])
        drawn.add_row(hop.name, Text(hop.state, style=_STYLES[hop.state]), told)
    return drawn
