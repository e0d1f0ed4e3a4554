"""Commands about the platform itself: status."""

from __future__ import annotations

from dataclasses import asdict

import typer

from pipeline.cli.options import AsJson, Name  # noqa: TC001 - typer resolves annotations at run time
from pipeline.cli.output import console, print_json, sentences
from pipeline.environment import Environment

__all__ = ["status"]


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
