"""Makes one mutant after another in a copy of the checkout, and tells which test saw it."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tests import java_stage
from tests.mutants.catalogue import Mutant, MutantError, applied
from tests.mutants.scratch import copy, prepare, run_java, run_python

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Seen", "judge", "table", "write"]


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of a mutant: the test that saw it, or why none did."""

    name: str
    test: str | None
    seconds: float
    trouble: str | None = None


def judge(root: Path, mutants: Sequence[Mutant], say: Callable[[str], None]) -> list[Seen]:
    """Make each mutant in a copy of the checkout at `root`, which goes away at the end.

    Raises MutantError where a text to be changed is not in its file exactly once, or where a test is red
    without any mutant: then nothing is judged at all.
    """
    for mutant in mutants:
        applied(mutant, root)
    with TemporaryDirectory(prefix="galewatch-mutants-") as folder:
        bench = _Bench(root, Path(folder) / root.name, mutants)
        began = time.monotonic()
        bench.must_be_green()
        say(f"without a mutant all is green ({time.monotonic() - began:.0f} s)")
        seen = []
        for mutant in mutants:
            seen.append(bench.judge(mutant))
            say(_line(seen[-1]))
    return seen


class _Bench:
    """The copy, and the tests of all mutants."""

    def __init__(self, root: Path, scratch: Path, mutants: Sequence[Mutant]) -> None:
        self._shared = root.parent / "shared"
        self._scratch = scratch
        self._mutants = mutants
        copy(root, scratch)
        if any(mutant.java or mutant.engine for mutant in mutants):
            prepare(scratch)
        self._on = java_stage.images(scratch) if any(mutant.java for mutant in mutants) else {}

    def must_be_green(self) -> None:
        """Run the tests of all mutants without one."""
        python = list(dict.fromkeys(test for mutant in self._mutants for test in mutant.python))
        java = list(dict.fromkeys(test for mutant in self._mutants for test in mutant.java))
        if red := self._red(python, java):
            raise MutantError(f"{red} is red without a mutant")

    def judge(self, mutant: Mutant) -> Seen:
        """Make the mutant, run its tests, and take it back."""
        path = self._scratch / mutant.file
        whole = path.read_text(encoding="utf-8")
        path.write_text(applied(mutant, self._scratch), encoding="utf-8")
        began, red, trouble = time.monotonic(), None, None
        try:
            red = self._red(mutant.python, mutant.java)
        except MutantError as error:
            trouble = str(error)
        finally:
            path.write_text(whole, encoding="utf-8")
        return Seen(mutant.name, red, time.monotonic() - began, trouble)

    def _red(self, python: Sequence[str], java: Sequence[str]) -> str | None:
        red = run_python(self._scratch, python, shared=self._shared) if python else None
        return red or (run_java(self._scratch, java, self._on) if java else None)


def table(seen: Sequence[Seen]) -> str:
    """Write which test saw which mutant."""
    survivors = sum(one.test is None for one in seen)
    last = f"{len(seen) - survivors} of {len(seen)} mutants were seen"
    return "\n".join([*(_line(one) for one in seen), last])


def write(seen: Sequence[Seen], path: Path) -> None:
    """Keep it as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(one) for one in seen], indent=1) + "\n", encoding="utf-8")


def _line(one: Seen) -> str:
    if one.trouble:
        return f"BROKEN    {one.name}: {one.trouble}"
    if one.test is None:
        return f"SURVIVED  {one.name}"
    return f"seen      {one.name:<60} {one.seconds:5.1f} s  {one.test}"
