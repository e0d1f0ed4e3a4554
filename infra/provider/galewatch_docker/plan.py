"""What a change of configuration means: which values are known, and what has to be made anew.

Values are as the wire has them: sets and lists are lists, blocks are lists of objects (an object or null for
a single block), what is not known yet is `tf.types.Unknown`, or refined as `wire` tells.
"""

from dataclasses import dataclass
from typing import Any

from tf.types import Unknown

from galewatch_docker.schema import Change, Field, Nested, Table
from galewatch_docker.wire import is_unknown

__all__ = ["PlannedChange", "canonical", "has_stopped", "plan_change", "plan_creation", "without_unknowns"]

State = dict[str, Any]


@dataclass(frozen=True)
class PlannedChange:
    """The state aimed at, and the attributes and blocks that ask for replacement or for an update."""

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
    entries: tuple[Field | Nested, ...] = (*table.fields, *table.blocks)
    for entry in entries:
        name = entry.name
        wanted = canonical(entry, proposed.get(name))
        if canonical(entry, prior.get(name)) == wanted:
            continue
        unsetting = entry.change is Change.LIMIT and wanted == canonical(entry, None)
        if unsetting or entry.change is Change.REPLACE:
            replacing.append(name)
        elif entry.change is not Change.RECORD:
            updating.append(name)
    planned = dict(proposed)
    for name in replacing:
        if name in table.block:
            planned[name] = _blocks_with_unknowns(table.block[name], planned[name])
    return PlannedChange(planned, tuple(replacing), tuple(updating))


def has_stopped(prior: State, proposed: State) -> bool:
    """Tell whether a container has stopped though it should run; a read sets `exit_code` only then."""
    should_run = proposed.get("must_run") is not False and proposed.get("start") is not False
    return should_run and prior.get("exit_code") is not None


def canonical(entry: Field | Nested, value: Any) -> Any:
    """Give a form in which equal values are equal: defaults filled in, sets sorted, unknowns like nothing."""
    if is_unknown(value):
        return object()
    return _canonical_block(entry, value) if isinstance(entry, Nested) else _canonical_value(entry, value)


def without_unknowns(value: Any) -> Any:
    """Give the value with null for everything that is unknown."""
    if is_unknown(value):
        return None
    if isinstance(value, dict):
        return {key: without_unknowns(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_unknowns(item) for item in value]
    return value


def _canonical_value(field: Field, value: Any) -> Any:
    if value is None:
        return field.unset
    contents = value.values() if field.kind == "map" else value if field.kind in {"list", "set"} else ()
    if any(is_unknown(item) for item in contents):
        return object()
    return sorted(value) if field.kind == "set" else value


def _canonical_block(block: Nested, value: Any) -> Any:
    if block.nesting == "single":
        return None if value is None else _canonical_object(block, value)
    items = [_canonical_object(block, item) for item in value or []]
    return sorted(items, key=repr) if block.nesting == "set" else items


def _canonical_object(block: Nested, value: Any) -> Any:
    if is_unknown(value):
        return object()
    entries: tuple[Field | Nested, ...] = (*block.fields, *block.blocks)
    return {entry.name: canonical(entry, value.get(entry.name)) for entry in entries}


def _with_unknowns(fields: tuple[Field, ...], blocks: tuple[Nested, ...], value: State) -> State:
    filled = dict(value)
    for field in fields:
        if field.computed and filled.get(field.name) is None:
            filled[field.name] = Unknown
    for block in blocks:
        filled[block.name] = _blocks_with_unknowns(block, filled.get(block.name))
    return filled


def _blocks_with_unknowns(block: Nested, value: Any) -> Any:
    if value is None or is_unknown(value):
        return value
    if block.nesting == "single":
        return _with_unknowns(block.fields, block.blocks, value)
    return [item if is_unknown(item) else _with_unknowns(block.fields, block.blocks, item) for item in value]
