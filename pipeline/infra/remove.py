"""`make down`, which keeps data, and `make wipe`, which keeps nothing."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from pipeline.infra import engine as engines
from pipeline.infra.errors import InfraError
from pipeline.infra.layout import Layout
from pipeline.infra.leftovers import Leftovers
from pipeline.infra.prepare import connect, engine_if_any, prepare_provider
from pipeline.infra.provider import holds_anything
from pipeline.infra.provision import Roots

if TYPE_CHECKING:
    from pipeline.infra.progress import Progress

__all__ = ["down", "is_sure", "wipe"]


def down(layout: Layout, progress: Progress, binary: str) -> None:
    """Destroy the platform's root; the volumes are in another and stay."""
    engine = connect()
    if holds_anything(layout.platform_state):
        chosen = prepare_provider(layout, progress, binary)
        roots = Roots(layout, progress, engine, chosen.environment, binary)
        roots.init(storage=False)
        roots.destroy_platform()
    Leftovers(layout, engine, progress.say).clear_strays()
    layout.apply_mark.unlink(missing_ok=True)
    progress.say(
        f"The environment {layout.environment} is down; its data stays, and `make up` brings it back."
    )


def is_sure(environment: str) -> bool:
    """Ask on the terminal whether to remove everything; without one the answer is no."""
    if not sys.stdin.isatty():
        sys.stderr.write("`make wipe` asks first, and here is no terminal: `make wipe YES=1` does not ask.\n")
        return False
    prefix = Layout(environment).prefix
    sys.stderr.write(
        f"This removes every container, network and volume named {prefix}…, all data and all secrets of "
        f"'{environment}'.\nType the environment's name to go on: "
    )
    sys.stderr.flush()
    return sys.stdin.readline().strip() == environment


def wipe(layout: Layout, progress: Progress, binary: str) -> None:
    """Destroy both roots, sweep up what no state knows, and forget secrets and states.

    What Terraform cannot destroy any more (a damaged state, a provider that is gone) the sweep removes.
    """
    engine = engine_if_any()
    if engine is None:
        raise InfraError(
            "No Docker engine runs here to remove volumes from: start it (`make prepare`), then wipe."
            if engines.look().answer is not engines.Answer.NO_PERMISSION
            else "This user may not use the Docker engine: run `make wipe` as one that may."
        )
    states = [state for state in (layout.platform_state, layout.storage_state) if holds_anything(state)]
    if states:
        try:
            chosen = prepare_provider(layout, progress, binary)
            roots = Roots(layout, progress, engine, chosen.environment, binary)
            roots.init()
            roots.destroy_platform()
            roots.destroy_storage()
        except InfraError as error:
            progress.warn(f"Terraform could not do it, so the engine is swept without it. {error}")
    with progress.step("What is left on the engine") as step:
        swept = Leftovers(layout, engine, progress.log).sweep()
        step.result = f"{len(swept)} removed" if swept else "nothing"
    with progress.step("Secrets and states") as step:
        shutil.rmtree(layout.secrets, ignore_errors=True)
        for state in (layout.platform_state, layout.storage_state):
            for file in state.parent.glob(f"{state.name}*"):
                file.unlink()
        for file in (layout.work / "plans").glob(f"{layout.environment}-*"):
            file.unlink()
        layout.apply_mark.unlink(missing_ok=True)
        if not (layout.platform_states() or layout.storage_states()):
            layout.generated_variables_file.unlink(missing_ok=True)
            (layout.work / "provider").unlink(missing_ok=True)
        step.result = "removed"
    progress.say(
        f"Nothing of the environment {layout.environment} is left. The images stay, for the next `make up`; "
        "`docker image prune --all --filter label=io.galewatch.image` removes them."
    )
