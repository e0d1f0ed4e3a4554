"""The command `backfill`: past intervals of a source, through Airflow's own backfills."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from pipeline.cli.options import Name, instant
from pipeline.cli.output import console, sentences
from pipeline.config import config_dir
from pipeline.environment import Environment
from pipeline.errors import ConfigError
from pipeline.feeds import SourceFacts, interval_around, load_sources

__all__ = ["backfill"]

Source = Annotated[str, typer.Option("--source", help="The source's id, as in config/sources.yaml.")]
From = Annotated[
    datetime, typer.Option("--from", parser=instant, help="The first interval: a time, or a span back (7d).")
]
To = Annotated[
    datetime | None, typer.Option("--to", parser=instant, help="Where it ends, default now; the same forms.")
]
Again = Annotated[bool, typer.Option("--again", help="Also the intervals that have run already.")]


def backfill(
    source: Source, since: From, until: To = None, *, again: Again = False, env: Name = None
) -> None:
    """Fetch what past intervals of a source lack, as runs of Airflow; a second time changes nothing."""
    from pipeline.infra.airflow import Airflow  # noqa: PLC0415 - only when it is asked for
    from pipeline.infra.backfill import Backfill, run  # noqa: PLC0415 - the same

    with sentences():
        facts = _facts(source)
        start = interval_around(since, facts.interval_time)[0]
        # The interval that is not over yet is the schedule's.
        newest = interval_around(datetime.now(UTC), facts.interval_time)[0]
        wanted = Backfill(facts.dag_id, start, min(until or newest, newest), again)
        if wanted.end <= wanted.start:
            raise ConfigError(
                f"--from: no interval of '{source}' is over between {start:%Y-%m-%dT%H:%MZ} and --to"
            )
        environment = Environment.from_env(env)
        url, password = environment.address("airflow"), environment.secret("airflow_admin")
        shown = console()
        with Airflow(url, "admin", password) as airflow, shown.status("…") as status:
            outcome = run(airflow, wanted, status.update)
        nothing = "nothing to do: every interval has run"
        told = f"{facts.dag_id}: {outcome.intervals} intervals run, {outcome.failed} failed"
        shown.print(told if outcome.intervals else nothing, highlight=False)
    if outcome.failed:
        raise typer.Exit(1)


def _facts(source: str) -> SourceFacts:
    path = config_dir() / "sources.yaml"
    sources = {facts.id: facts for facts in load_sources(path)}
    if source not in sources:
        raise ConfigError(f"--source: {path} has no source '{source}'; it has {', '.join(sources)}")
    return sources[source]
