"""Defaults of a writer's that name a field by a name which the reader has replaced.

Before Java reads, it gives the writer's fields the names that the reader's aliases give them. It carries each
default over as it was, and refuses the whole schema where one is no value of its type any more, although no
default of a writer's is ever needed (Avro 1.12.1, Schema.applyAliases).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pipeline.schemas.defaults import first, is_value
from pipeline.schemas.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["defaults_of_old_names"]


def defaults_of_old_names(reader: Any, writer: Any) -> Iterator[Reason]:
    """Tell of each such default where in the reader the alias stands; both parsed."""
    renamed = _Renamed(reader)
    told: set[str] = set()
    for field in _fields(writer, set()):
        if not field.has_default or not is_value(field.type, field.default):
            continue
        wrong = renamed.misfit(field.type, field.default)
        if wrong and wrong.path not in told:
            told.add(wrong.path)
            message = (
                f"{wrong.new!r} was {wrong.old!r}, by which the default of the writer's {field.name!r} "
                "names it: Java reads nothing of that writer's"
            )
            yield Reason(f"{wrong.path}/aliases", "default_of_old_name", message)


class _Name(NamedTuple):
    """What a field is called now, what it was, and where the reader says so."""

    new: str
    old: str
    path: str


class _Renamed:
    """The names that a reader's aliases give to the types and fields of who wrote."""

    def __init__(self, reader: Any) -> None:
        self._types: dict[str, str] = {}
        self._fields: dict[str, dict[str, _Name]] = {}
        self._collect(reader, "")

    def _collect(self, schema: Any, path: str) -> None:
        if schema.type == "union":
            for index, branch in enumerate(schema.schemas):
                self._collect(branch, f"{path}/{index}")
        elif schema.type == "array":
            self._collect(schema.items, f"{path}/items")
        elif schema.type == "map":
            self._collect(schema.values, f"{path}/values")
        elif schema.type == "record" and schema.fullname not in self._fields:
            fields = self._fields[schema.fullname] = {}
            for alias in schema.props.get("aliases") or ():
                self._types[alias] = schema.fullname
            for index, field in enumerate(schema.fields):
                place = f"{path}/fields/{index}"
                for alias in field.props.get("aliases") or ():
                    fields[alias] = _Name(field.name, alias, place)
                self._collect(field.type, f"{place}/type")

    def misfit(self, schema: Any, value: Any) -> _Name | None:
        """Give the field by whose name a default, a value of the type so far, is none of it any more."""
        schema = first(schema)
        if schema.type == "array":
            return next(filter(None, (self.misfit(schema.items, one) for one in value)), None)
        if schema.type == "map":
            return next(filter(None, (self.misfit(schema.values, one) for one in value.values())), None)
        if schema.type != "record":
            return None
        return next(filter(None, (self._misfit_of(schema, field, value) for field in schema.fields)), None)

    def _misfit_of(self, schema: Any, field: Any, value: dict[str, Any]) -> _Name | None:
        fields = self._fields.get(self._types.get(schema.fullname, schema.fullname), {})
        name = fields.get(field.name)
        called = name.new if name else field.name
        if called not in value:
            return None if field.has_default else name
        return name if not is_value(field.type, value[called]) else self.misfit(field.type, value[called])


def _fields(schema: Any, seen: set[int]) -> Iterator[Any]:
    """Give every field of every record, each once."""
    if id(schema) in seen:
        return
    seen.add(id(schema))
    if schema.type == "union":
        for branch in schema.schemas:
            yield from _fields(branch, seen)
    elif schema.type == "array":
        yield from _fields(schema.items, seen)
    elif schema.type == "map":
        yield from _fields(schema.values, seen)
    elif schema.type == "record":
        for field in schema.fields:
            yield field
            yield from _fields(field.type, seen)
