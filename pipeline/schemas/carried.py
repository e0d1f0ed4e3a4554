"""Defaults of a writer's that Java cannot carry over when it applies the reader's aliases.

Before Java reads, it makes the writer's schema anew, with the names that the reader's aliases give to types
and fields, unless the two are alike or the reader has no alias. It carries each default over as it was, and
refuses the whole schema where one names a field by its old name, or is a record of the very type that it
stands in, although no default of a writer's is ever needed (Avro 1.12.1, Schema.applyAliases).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pipeline.schemas.defaults import every_field, first, is_value, within
from pipeline.schemas.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["defaults_not_carried_over"]


def defaults_not_carried_over(reader: Any, writer: Any) -> Iterator[Reason]:
    """Tell of each such default where in the reader the alias stands; both parsed."""
    aliases = _Aliases(reader)
    if not aliases.path or _bare(reader.to_json()) == _bare(writer.to_json()):
        return
    told: set[str] = set()
    for field, _, unfinished in every_field(writer):
        if not field.has_default or not is_value(field.type, field.default):
            continue
        wrong = aliases.misfit(field.type, field.default, unfinished)
        if wrong and wrong.path not in told:
            told.add(wrong.path)
            message = f"for the default of the writer's {field.name!r} Java reads nothing of it: {wrong.why}"
            yield Reason(wrong.path, "default_not_carried_over", message)


class _Wrong(NamedTuple):
    """Where the reader's alias stands, and what is wrong with a default because of it."""

    path: str
    why: str


class _Aliases:
    """The names that a reader's aliases give to the types and fields of who wrote.

    `path` is where the first alias stands, empty where there is none.
    """

    def __init__(self, reader: Any) -> None:
        self.path = ""
        self._types: dict[str, str] = {}
        # By record, and by the old name: the new one, and where the alias stands.
        self._fields: dict[str, dict[str, tuple[str, str]]] = {}
        self._collect(reader, "", set())

    def _collect(self, schema: Any, path: str, seen: set[int]) -> None:
        if id(schema) in seen:
            return
        seen.add(id(schema))
        for alias in schema.props.get("aliases") or ():
            self.path = self.path or f"{path}/aliases"
            self._types[alias] = schema.fullname
        for inner, place in within(schema, path):
            self._collect(inner, place, seen)
        if schema.type != "record":
            return
        fields = self._fields.setdefault(schema.fullname, {})
        for index, field in enumerate(schema.fields):
            place = f"{path}/fields/{index}"
            for alias in field.props.get("aliases") or ():
                self.path = self.path or f"{place}/aliases"
                fields[alias] = field.name, f"{place}/aliases"
            self._collect(field.type, f"{place}/type", seen)

    def misfit(self, schema: Any, value: Any, unfinished: tuple[str, ...]) -> _Wrong | None:
        """Tell why a default, a value of the type so far, is none of it any more; None where it still is."""
        schema = first(schema)
        if schema.type in {"array", "map"}:
            inner = schema.items if schema.type == "array" else schema.values
            items = value if schema.type == "array" else value.values()
            return next(filter(None, (self.misfit(inner, one, unfinished) for one in items)), None)
        if schema.type != "record":
            return None
        if schema.fullname in unfinished:
            return _Wrong(self.path, "it is a record of the type that it stands in")
        fields = (self._misfit_of(schema, field, value, unfinished) for field in schema.fields)
        return next(filter(None, fields), None)

    def _misfit_of(
        self, schema: Any, field: Any, value: dict[str, Any], unfinished: tuple[str, ...]
    ) -> _Wrong | None:
        names = self._fields.get(self._types.get(schema.fullname, schema.fullname), {})
        new, path = names.get(field.name, (field.name, ""))
        if new in value and is_value(field.type, value[new]):
            return self.misfit(field.type, value[new], unfinished)
        if not path or (new not in value and field.has_default):
            return None
        return _Wrong(path, f"it names {field.name!r}, which is {new!r} now")


def _bare(schema: Any) -> Any:
    """Give a schema's JSON without what makes no difference to Java."""
    if isinstance(schema, list):
        return [_bare(one) for one in schema]
    if isinstance(schema, dict):
        return {key: _bare(value) for key, value in schema.items() if key not in {"aliases", "doc"}}
    return schema
