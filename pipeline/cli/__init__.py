"""`galewatch`: look at alerts, averages and history, and at the platform itself, in one environment."""

from __future__ import annotations

import typer

from pipeline.cli import backfill, dead_letters, demo, look, operate, oracle, reconcile, schemas, simulate

__all__ = ["app"]

app = typer.Typer(
    name="galewatch",
    help="Look at the alerts, averages and history of a running environment.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

for _command in (
    look.alerts,
    look.averages,
    look.history,
    look.latest,
    simulate.simulate,
    operate.status,
    operate.doctor,
    reconcile.reconcile,
    backfill.backfill,
    demo.demo,
    oracle.oracle,
):
    app.command()(_command)
app.add_typer(dead_letters.app)
app.add_typer(schemas.app)
