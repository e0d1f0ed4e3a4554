"""The mutants: what is changed in which file, and the tests of which one has to go red."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["CATALOGUE", "JAVA", "Mutant", "MutantError", "applied", "load"]

CATALOGUE: Final = Path(__file__).with_name("mutants.yaml")

JAVA: Final = "java:"
"""Begins the name of a class of JUnit tests among the tests of a mutant."""


class MutantError(Exception):
    """A mutant that cannot be made, or whose tests cannot judge it."""


class Mutant(BaseModel):
    """One change of the product.

    `before` stands in `file` exactly once. `tests` is the smallest set that sees it: files, names of tests
    as pytest has them, or `java:<class>`. `engine` says that they start containers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...] = Field(min_length=1)
    engine: bool = False

    @property
    def java(self) -> tuple[str, ...]:
        """The classes of JUnit tests."""
        return tuple(test.removeprefix(JAVA) for test in self.tests if test.startswith(JAVA))

    @property
    def python(self) -> tuple[str, ...]:
        """What pytest is given."""
        return tuple(test for test in self.tests if not test.startswith(JAVA))


class _Catalogue(BaseModel):
    model_config = ConfigDict(extra="forbid")

    mutants: tuple[Mutant, ...]


def load(path: Path = CATALOGUE, *, named: Sequence[str] = (), engine: bool = True) -> tuple[Mutant, ...]:
    """Give all mutants; those whose names hold one of some texts; those that need no engine."""
    mutants = _Catalogue.model_validate(yaml.safe_load(path.read_text(encoding="utf-8"))).mutants
    names = [mutant.name for mutant in mutants]
    if len(set(names)) < len(names):
        raise MutantError(f"{path.name} has a name twice")
    return tuple(
        mutant
        for mutant in mutants
        if (engine or not (mutant.engine or mutant.java))
        and (not named or any(text in mutant.name for text in named))
    )


def applied(mutant: Mutant, root: Path) -> str:
    """Give the mutant's file as it becomes; raises MutantError where `before` is not there exactly once."""
    path = root / mutant.file
    if not path.is_file():
        raise MutantError(f"{mutant.name}: there is no {mutant.file}")
    text = path.read_text(encoding="utf-8")
    if (found := text.count(mutant.before)) != 1:
        raise MutantError(f"{mutant.name}: {mutant.file} has its text {found} times: {mutant.before!r}")
    return text.replace(mutant.before, mutant.after)
