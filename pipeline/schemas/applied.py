"""A registry brought to what is declared: the mode of each subject, and its versions in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from pipeline.errors import IncompatibleSchemaError, SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.registry import Registry
    from pipeline.schemas.gate import Gate
    from pipeline.schemas.modes import Mode

__all__ = ["Change", "applied"]


class Change(NamedTuple):
    """What was done to a subject: its mode was set, or a file registered.

    `same` is no change: for the registry the file is the schema that has this id already.
    """

    subject: str
    change: Literal["mode", "registered", "same"]
    mode: Mode | None = None
    file: str | None = None
    id: int | None = None

    @property
    def sentence(self) -> str:
        """Tell it to people."""
        if self.change == "mode":
            return f"subject {self.subject}: compatibility set to {self.mode}"
        if self.change == "registered":
            return f"subject {self.subject}: {self.file} registered with id {self.id}"
        return (
            f"subject {self.subject}: {self.file} is no version of its own, the registry takes it for the "
            f"schema with id {self.id}"
        )


def applied(gate: Gate, registry: Registry) -> Iterator[Change]:
    """Bring the registry to what the gate's platform declares, and give each change when it is made.

    Where it is so already, nothing is given. Raises SchemaError, before anything is asked, where the gate
    objects; IncompatibleSchemaError, which names the file, where the registry refuses one; RegistryError.
    """
    gate.ensure()
    if new := gate.new_files():
        raise SchemaError(f"not published yet: {', '.join(new)} (galewatch schemas publish)")
    for subject, names in gate.facts.subjects.items():
        # The mode comes first: it decides about the versions after the first.
        yield from _mode(registry, subject, gate.facts.mode(subject))
        of_id: dict[int, str] = {}
        for name in names:
            text = gate.text(name)
            known = registry.schema_id(subject, text)
            schema_id = _registered(registry, subject, name, text) if known is None else known
            if known is None:
                yield Change(subject, "registered", file=name, id=schema_id)
            if of_id.setdefault(schema_id, name) != name:
                yield Change(subject, "same", file=name, id=schema_id)


def _mode(registry: Registry, subject: str, mode: Mode) -> Iterator[Change]:
    before = registry.compatibility(subject)
    # Set in any case: Apicurio tells its default as the mode of a subject that has none of its own.
    registry.set_compatibility(subject, mode)
    if before != mode:
        yield Change(subject, "mode", mode=mode)


def _registered(registry: Registry, subject: str, name: str, text: str) -> int:
    try:
        return registry.register(subject, text)
    except IncompatibleSchemaError as error:
        raise IncompatibleSchemaError(f"{name}: {error}") from None
