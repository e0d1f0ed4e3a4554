"""`make up`: from nothing to the first alert, one step after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.environment import Environment
from pipeline.infra.airflow import Airflow
from pipeline.infra.first_alert import prove
from pipeline.infra.layout import DEFAULT_ENVIRONMENT
from pipeline.infra.prepare import prepare
from pipeline.infra.progress import duration
from pipeline.infra.provision import Roots
from pipeline.infra.show import console, ending

if TYPE_CHECKING:
    from pipeline.infra.layout import Layout
    from pipeline.infra.progress import Progress

__all__ = ["by_hand", "up"]


def up(layout: Layout, progress: Progress, binary: str) -> None:
    """Bring the environment up, take the newest interval through it, and show its alerts."""
    done = prepare(layout, progress, binary)
    roots = Roots(layout, progress, done.engine, done.provider.environment, binary)
    roots.init()
    roots.apply_storage()
    changed = roots.apply_platform()
    addresses = roots.platform.output()["addresses"]
    environment = Environment.from_env(layout.environment)
    with Airflow(addresses["airflow"], "admin", environment.secret("airflow_admin")) as airflow:
        outcome = prove(environment, layout.root / "config", airflow, progress)
    unchanged = "" if changed else " (nothing to change)"
    progress.say(f"\nUp after {duration(progress.elapsed_s)}{unchanged}; the weather is {done.weather}.")
    ending(console(), layout, outcome, addresses)


def by_hand(layout: Layout, binary: str, hint: str) -> list[str]:
    """Give the commands that do the same by hand, from the project's root."""
    root = layout.platform_root.relative_to(layout.root)
    lines = [hint] if hint else []
    lines.append(f"{binary} -chdir={root} init")
    state = "" if layout.environment == DEFAULT_ENVIRONMENT else f" -state={layout.platform_state}"
    lines.append(f"{binary} -chdir={root} apply{state} -var-file=environments/{layout.environment}.tfvars")
    return lines
