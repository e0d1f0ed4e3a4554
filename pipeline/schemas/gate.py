"""The gate that every schema passes before it is published: nothing here asks a registry.

A subject's versions are files of this folder, named in config/platform.yaml. `published.yaml` holds the
SHA-256 of each that was published, which is never edited again, and what is accepted although a rule objects.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.errors import SchemaError
from pipeline.schemas.modes import steps
from pipeline.schemas.parsed import json_of, parsed
from pipeline.schemas.verdict import verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.platform import SchemaRegistry
    from pipeline.schemas.reasons import Reason

__all__ = ["FOLDER", "Gate", "Problem"]

FOLDER: Final = Path(__file__).parent
_RECORD: Final = "published.yaml"
_HEADER: Final = (
    "# What was published (the SHA-256 of each file; `galewatch schemas publish` adds to it), and what is\n"
    "# accepted although a rule objects: the file that reads, the one that wrote, where, and why.\n"
)


class Problem(NamedTuple):
    """What is wrong with one file of a subject: where in the schema, by which rule, and in words."""

    subject: str
    file: str
    path: str
    rule: str
    message: str


class _Accepted(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    reader: str
    writer: str
    rule: str
    path: str
    because: str


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    published: dict[str, str] = {}
    accepted: tuple[_Accepted, ...] = ()


class Gate:
    """The subjects of a platform (`facts`) and their files in a folder.

    Raises SchemaError for a `published.yaml` that is none.
    """

    def __init__(self, facts: SchemaRegistry, folder: Path = FOLDER) -> None:
        self.facts = facts
        self._folder = folder
        self._record = _read(folder / _RECORD)

    def new_files(self) -> list[str]:
        """Give the declared files that were never published."""
        return [name for name in self._declared() if name not in self._record.published]

    def problems(self) -> list[Problem]:
        """Give all that is wrong, subject by subject; nothing where all may be published."""
        used: set[_Accepted] = set()
        found = [
            problem
            for subject, names in self.facts.subjects.items()
            for problem in self._of_subject(subject, names, used)
        ]
        found += self._strays()
        for one in self._record.accepted:
            if one not in used:
                message = f"accepted for {one.writer}, and nothing objects to it: take it out of {_RECORD}"
                found.append(Problem("", one.reader, one.path, one.rule, message))
        return found

    def ensure(self) -> None:
        """Raise SchemaError, with the first problem and their number, where something is wrong."""
        if wrong := self.problems():
            first = wrong[0]
            raise SchemaError(
                f"{len(wrong)} problems, the first: {first.file} {first.path or '/'}: {first.rule}: "
                f"{first.message}"
            )

    def text(self, name: str) -> str:
        """Give the text of a declared file."""
        try:
            return (self._folder / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise SchemaError("there is no such file") from None

    def publish(self) -> list[str]:
        """Record the new files; raises SchemaError, and records none, where something is wrong."""
        self.ensure()
        new = self.new_files()
        published = {**self._record.published, **{name: _digest(self._folder / name) for name in new}}
        self._record = _Record(published=published, accepted=self._record.accepted)
        text = yaml.safe_dump(self._record.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
        (self._folder / _RECORD).write_text(_HEADER + text, encoding="utf-8")
        return new

    def _strays(self) -> Iterator[Problem]:
        """Give the files that no subject names, and those that one named when they were published."""
        declared = self._declared()
        for path in sorted(self._folder.glob("*.avsc")):
            if path.name not in declared:
                yield Problem("", path.name, "", "undeclared", "no subject of platform.yaml names it")
        for name in self._record.published:
            if name not in declared:
                message = "it was published, and no subject names it any more"
                yield Problem("", name, "", "published_and_gone", message)

    def _declared(self) -> list[str]:
        return [name for names in self.facts.subjects.values() for name in names]

    def _of_subject(self, subject: str, names: Sequence[str], used: set[_Accepted]) -> Iterator[Problem]:
        schemas: dict[str, Any] = {}
        for name in names:
            try:
                schemas[name] = json_of(self.text(name))
                parsed(schemas[name])
            except SchemaError as error:
                schemas.pop(name, None)
                yield Problem(subject, name, "", "not_a_schema", str(error))
            else:
                yield from self._edited(subject, name)
        for version in range(1, len(names) + 1):
            for reader, writer in steps(self.facts.mode(subject), version):
                pair = names[reader - 1], names[writer - 1]
                if pair[0] in schemas and pair[1] in schemas:
                    for reason in verdict(schemas[pair[0]], schemas[pair[1]]):
                        if accepted := self._accepted(pair, reason):
                            used.add(accepted)
                        else:
                            message = f"reading {pair[1]}: {reason.message}"
                            yield Problem(subject, pair[0], reason.path, reason.rule, message)

    def _edited(self, subject: str, name: str) -> Iterator[Problem]:
        known = self._record.published.get(name)
        if known is not None and known != _digest(self._folder / name):
            message = "it was published and then edited: a change is a new version, in a file of its own"
            yield Problem(subject, name, "", "published_and_edited", message)

    def _accepted(self, pair: tuple[str, str], reason: Reason) -> _Accepted | None:
        for one in self._record.accepted:
            if (one.reader, one.writer, one.rule, one.path) == (*pair, reason.rule, reason.path):
                return one
        return None


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read(path: Path) -> _Record:
    if not path.exists():
        return _Record()
    try:
        return _Record.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except (yaml.YAMLError, ValidationError) as error:
        raise SchemaError(f"{path.name}: {' '.join(str(error).split())}") from None
