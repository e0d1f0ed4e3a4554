"""The commands doctor and reconcile, asked about an environment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.doctor.diagnosis import PATH, diagnose
from pipeline.doctor.probes import look
from tests.e2e.tables import await_equal

if TYPE_CHECKING:
    from pipeline.doctor.diagnosis import Diagnosis
    from pipeline.doctor.hop import Hop
    from tests.e2e.stack import Stack

__all__ = ["await_sound", "diagnosis", "examined", "hop_of", "missed"]


def examined() -> tuple[str | None, str]:
    """Run the command doctor; give the first broken hop, if there is one, and its sentence."""
    result = CliRunner().invoke(app, ["doctor", "--json"])
    assert result.stdout, repr(result.exception) + result.output
    told = json.loads(result.stdout)
    assert result.exit_code == (0 if told["first_broken"] is None else 1)
    return told["first_broken"], told["sentence"]


def missed(settle_s: float = 0) -> set[str]:
    """Run the command reconcile; give the hops whose equation does not hold."""
    result = CliRunner().invoke(app, ["reconcile", "--json", "--settle", str(settle_s)])
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert found, repr(result.exception) + result.output
    broken = {one["hop"] for one in found if not one["holds"]}
    assert result.exit_code == (1 if broken else 0)
    return broken


def diagnosis(stack: Stack) -> Diagnosis:
    """Look at an environment without the command."""
    return diagnose(look(stack.environment()))


def hop_of(stack: Stack, name: str) -> Hop:
    """Give one hop of an environment as it is judged now."""
    return next(hop for hop in diagnosis(stack).hops if hop.name == name)


def await_sound(stack: Stack, last: str = PATH[-1]) -> None:
    """Wait until no hop up to the last one is broken."""

    def broken() -> set[str]:
        hops = diagnosis(stack).hops[: PATH.index(last) + 1]
        return {f"{hop.name}: {hop.cause}" for hop in hops if hop.state in {"broken", "affected"}}

    await_equal("broken hops", set(), broken)
