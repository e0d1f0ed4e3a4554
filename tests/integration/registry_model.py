"""What a registry should hold: version lists, modes, the ids of texts; and its verdict on a schema."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.schemas.lint import lint
from pipeline.schemas.modes import steps
from pipeline.schemas.parsed import parsed
from pipeline.schemas.verdict import following

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.schemas.modes import Mode

__all__ = ["Model", "Subject", "Version", "alike", "crossed", "fits"]


@dataclass
class Version:
    """One that was not deleted for good; its number is never given again while it is there."""

    number: int
    schema: Any
    id: int
    deleted: bool = False

    @property
    def text(self) -> str:
        """Give what was registered."""
        return json.dumps(self.schema)


@dataclass
class Subject:
    """A subject is there from its first version until it is deleted for good; its mode may come before."""

    name: str
    is_there: bool = False
    mode: Mode | None = None
    versions: list[Version] = field(default_factory=list)

    @property
    def active(self) -> list[Version]:
        """Give those that were not deleted softly, either."""
        return [version for version in self.versions if not version.deleted]

    @property
    def numbers(self) -> list[int]:
        """Give the numbers of all."""
        return [version.number for version in self.versions]

    @property
    def active_numbers(self) -> list[int]:
        """Give those of the active ones."""
        return [version.number for version in self.active]

    def find(self, number: int) -> Version | None:
        """Give the version of that number."""
        return next((version for version in self.versions if version.number == number), None)

    def add(self, schema: Any, schema_id: int) -> None:
        """Add a version with the next number."""
        self.is_there = True
        self.versions.append(Version(max(self.numbers, default=0) + 1, schema, schema_id))


@dataclass
class Model:
    """`default` is the mode that the registry was started with; `ids` are those ever given, by the text.

    `cached` are those that went with a subject: Apicurio may still tell them from memory.
    """

    default: Mode
    subjects: list[Subject]
    global_mode: Mode | None = None
    ids: dict[str, int] = field(default_factory=dict)
    cached: set[int] = field(default_factory=set)

    def mode(self, subject: Subject) -> Mode:
        """Give the mode that decides."""
        return subject.mode or self.global_mode or self.default

    def told_mode(self, subject: Subject) -> Mode | None:
        """Give the mode that the registry tells: of a subject without one its default, not the global one."""
        return subject.mode or (self.default if subject.is_there else None)

    def is_alive(self, schema_id: int) -> bool:
        """Tell whether a version has this id."""
        return any(version.id == schema_id for subject in self.subjects for version in subject.versions)


def fits(mode: Mode, history: Sequence[Version], new: Any) -> bool:
    """Give the verdict of our engine, without the lint."""
    return not following(mode, [version.schema for version in history], new, lints=False)


def crossed(mode: Mode, history: Sequence[Version], new: Any) -> bool:
    """Tell whether a pair that is looked at may have crossed aliases, on which Java's checker throws.

    The lint sees them where the pair fits; where it does not, they may be behind what does not fit.
    """
    schemas = [*(version.schema for version in history), new]
    if not any('"aliases"' in json.dumps(schema) for schema in schemas):
        return False
    seen = [parsed(schema) for schema in schemas]
    return not fits(mode, history, new) or any(
        reason.rule == "field_aliases_cross"
        for reader, writer in steps(mode, len(seen))
        for reason in lint(seen[reader - 1], seen[writer - 1])
    )


def alike(one: Any, other: Any) -> bool:
    """Tell whether two schemas differ in nothing but what Apicurio looks past."""
    return bool(_seen(parsed(one).to_json()) == _seen(parsed(other).to_json()))


def _seen(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_seen(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: _seen(value) for key, value in schema.items() if key not in {"doc", "aliases"}}
    if kept.get("type") == "enum" or kept.get("default", 0) is None:
        kept.pop("default", None)
    return kept
