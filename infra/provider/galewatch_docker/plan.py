"""What a change of configuration means: which values are known, and what has to be made anew.

Values are as the wire has them: sets and lists are lists, blocks are lists of objects (an object or null for a
single block), what is not known yet is `tf.types.Unknown`.
"""

from dataclasses import dataclass
from typing import Any

from tf.types import Unknown

from galewatch_docker.schema import Change, Field, Nested, Table

__all__ = ["PlannedChange", "canonical", "plan_change", "plan_creation", "without_unknowns"]

State = dict[str, Any]


@dataclass(frozen=True)
class PlannedChange:
    """The state aimed at, and the attributes and blocks whose change asks for replacement or for an update."""

    state: State
    replacing: tuple[str, ...]
    updating: tuple[str, ...]


def plan_creation(table: Table, proposed: State) -> State:
    """Plan something new: what the provider will fill is unknown until it exists."""
    return _with_unknowns(table.fields, table.blocks, proposed)


def plan_change(table: Table, prior: State, proposed: State) -> PlannedChange:
    """Plan a change of something that exists.

    An unset attribute equals its default, as it does to the official provider; a value that is not known
    yet counts as changed.
    """
    replacing, updating = [], []
    for entry in (*table.fields, *table.blocks):
        name = entry.name
        if canonical(entry, prior.get(name)) == canonical(entry, proposed.get(name)):
            continue
        if entry.change is Change.REPLACE:
            replacing.append(name)
        elif entry.change is Change.UPDATE:
            updating.append(name)
    planned = dict(proposed)
    for name in replacing:
        if name in table.block:
            planned[name] = _blocks_with_unknowns(table.block[name], planned[name])
    return PlannedChange(planned, tuple(replacing), tuple(updating))


def canonical(entry: Field | Nested, value: Any) -> Any:
    """Give a form in which equal values are equal: defaults filled in, sets sorted, unknowns unlike anything."""
    if value is Unknown:
        return object()
    if isinstance(entry, Nested):
        if entry.nesting == "single":
            return None if value is None else _canonical_object(entry, value)
        items = [_canonical_object(entry, item) for item in value or []]
        return sorted(items, key=repr) if entry.nesting == "set" else items
    if value is None:
        return entry.unset
    if entry.kind == "set":
        return object() if Unknown in value else sorted(value)
    if entry.kind in {"list", "map"}:
        contents = value.values() if entry.kind == "map" else value
        return object() if Unknown in contents else value
    return value


def without_unknowns(value: Any) -> Any:
    """Give the value with null for everything that is unknown."""
    if value is Unknown:
        return None
    if isinstance(value, dict):
        return {key: without_unknowns(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_unknowns(item) for item in value]
    return value


def _canonical_object(block: Nested, value: Any) -> Any:
    if value is Unknown:
        return object()
    return {entry.name: canonical(entry, value.get(entry.name)) for entry in (*block.fields, *block.blocks)}


def _with_unknowns(fields: tuple[Field, ...], blocks: tuple[Nested, ...], value: State) -> State:
    filled = dict(value)
    for field in fields:
        if field.computed and filled.get(field.name) is None:
            filled[field.name] = Unknown
    for block in blocks:
        filled[block.name] = _blocks_with_unknowns(block, filled.get(block.name))
    return filled


def _blocks_with_unknowns(block: Nested, value: Any) -> Any:
    if value is None or value is Unknown:
        return value
    if block.nesting == "single":
        return _with_unknowns(block.fields, block.blocks, value)
    return [item if item is Unknown else _with_unknowns(block.fields, block.blocks, item) for item in value]
