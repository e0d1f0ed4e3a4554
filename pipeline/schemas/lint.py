"""What schema resolution lets through although a value comes out wrong, or not at all.

docs/schemas.md tells what goes wrong by each rule.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from pipeline.schemas.carried import defaults_not_carried_over
from pipeline.schemas.defaults import every_field, first, is_value
from pipeline.schemas.full_names import LOGICAL_TYPE
from pipeline.schemas.judge import reads
from pipeline.schemas.parsed import NAMED, basename, shown, told
from pipeline.schemas.reasons import Reason
from pipeline.schemas.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["RULES", "lint"]

RULES: Final = (
    "decimal_changed",
    "logical_type_changed",
    "promotion_loses",
    "text_and_bytes",
    "union_branch_order",
    "namespace_changed",
    "namespaced_alias",
    "field_aliases_cross",
    "enum_without_default",
    "default_invalid",
    "empty_default_of_union",
    "default_not_carried_over",
)
"""The names of the rules."""

# The logical types of the specification, and the types that each may stand over.
_LOGICAL: Final = {
    "decimal": {"bytes", "fixed"},
    "big-decimal": {"bytes"},
    "uuid": {"string", "fixed"},
    "date": {"int"},
    "time-millis": {"int"},
    "time-micros": {"long"},
    "timestamp-millis": {"long"},
    "timestamp-micros": {"long"},
    "timestamp-nanos": {"long"},
    "local-timestamp-millis": {"long"},
    "local-timestamp-micros": {"long"},
    "local-timestamp-nanos": {"long"},
    "duration": {"fixed"},
}
_LOSES: Final = {("int", "float"), ("long", "float"), ("long", "double")}
_TEXT: Final = {("string", "bytes"), ("bytes", "string")}


def lint(reader: Any, writer: Any) -> Iterator[Reason]:
    """Give what comes out wrong when `reader` reads what `writer` wrote; both parsed, and compatible."""
    yield from _defaults(reader)
    yield from defaults_not_carried_over(reader, writer)
    yield from _Values().pair(reader, writer, "")


class _Values(Walk):
    """What comes out wrong of a pair that fits."""

    def __init__(self) -> None:
        super().__init__()
        self._tried = _Tried()

    def branches(self, reader: Any, writer: Any, path: str) -> Iterator[Reason]:
        """The branch of the same type reads it, or else the first that can."""
        like = {
            index: branch
            for index, branch in enumerate(reader.schemas)
            if branch.type == writer.type and (branch.type not in NAMED or branch.fullname == writer.fullname)
        }
        able = _able(like, writer)
        if not able:
            able = _able(dict(enumerate(reader.schemas)), writer)
            if len(able) > 1:
                names = " and ".join(map(_told, able.values()))
                message = f"{names} could each read {_told(writer)}, and none is it: their order decides"
                yield Reason(path, "union_branch_order", message)
        chosen = next(iter(able), len(reader.schemas))
        for index, branch in enumerate(reader.schemas[:chosen]):
            yield from self._tried.pair(branch, writer, f"{path}/{index}")
        for index, branch in list(able.items())[:1]:
            yield from self.pair(branch, writer, f"{path}/{index}")

    def types(self, reader: Any, writer: Any, path: str) -> Iterator[Reason]:
        yield from _meaning(reader, writer, path)
        if reader.type == writer.type:
            if reader.type in NAMED:
                yield from _names(reader, writer, path)
            yield from self.within(reader, writer, path)

    def record(self, reader: Any, writer: Any, path: str) -> Iterator[Reason]:
        taken: dict[str, str] = {}
        for index, field in enumerate(reader.fields):
            place = f"{path}/fields/{index}"
            found = _found(field, writer)
            yield from _crossed(field, found, place)
            if not found:
                yield from _not_filled(field, place)
                continue
            if (other := taken.setdefault(found[0], field.name)) != field.name:
                message = f"{field.name!r} and {other!r} are both the writer's {found[0]!r}"
                yield Reason(place, "field_aliases_cross", message)
            yield from self.pair(field.type, writer.fields_dict[found[0]].type, f"{place}/type")

    def enum(self, reader: Any, writer: Any, path: str) -> Iterator[Reason]:
        added = [symbol for symbol in reader.symbols if symbol not in writer.symbols]
        if added and writer.props.get("default") not in writer.symbols:
            message = (
                f"{shown(reader.fullname)} has {', '.join(added)} more, which who reads as the writer's "
                "version cannot take: that has no default of the enum's own"
            )
            yield Reason(f"{path}/symbols", "enum_without_default", message)


class _Tried(Walk):
    """What Java's checker throws at when it tries branches of a union that do not fit what was written."""

    def branches(self, reader: Any, writer: Any, path: str) -> Iterator[Reason]:
        for index, branch in enumerate(reader.schemas):
            yield from self.pair(branch, writer, f"{path}/{index}")
            if reads(branch, writer):
                break

    def types(self, reader: Any, writer: Any, path: str) -> Iterator[Reason]:
        if reader.type == writer.type:
            yield from self.within(reader, writer, path)

    def record(self, reader: Any, writer: Any, path: str) -> Iterator[Reason]:
        for index, field in enumerate(reader.fields):
            place, found = f"{path}/fields/{index}", _found(field, writer)
            yield from _crossed(field, found, place)
            if found:
                yield from self.pair(field.type, writer.fields_dict[found[0]].type, f"{place}/type")

    def enum(self, reader: Any, writer: Any, path: str) -> Iterator[Reason]:  # noqa: ARG002
        return iter(())


def _found(field: Any, writer: Any) -> list[str]:
    """Give the names of the writer's fields that a reader's could be."""
    return [name for name in _called(field) if name in writer.fields_dict]


def _crossed(field: Any, found: list[str], place: str) -> Iterator[Reason]:
    if len(found) > 1:
        message = f"{field.name!r} could be the writer's {' or '.join(map(repr, found))}"
        yield Reason(place, "field_aliases_cross", message)


def _not_filled(field: Any, place: str) -> Iterator[Reason]:
    """Java makes of an empty list an array of the field's own type, which a union is not (Avro 1.12.1)."""
    if field.has_default and field.default == [] and field.type.type == "union":
        message = f"where {field.name!r} is missing, Java makes no [] of a union and reads nothing of it"
        yield Reason(f"{place}/default", "empty_default_of_union", message)


def _able(branches: dict[int, Any], writer: Any) -> dict[int, Any]:
    """Give the branches, by their place, that read all that `writer` may write."""
    return {index: branch for index, branch in branches.items() if reads(branch, writer)}


def _meaning(reader: Any, writer: Any, path: str) -> Iterator[Reason]:
    """Logical types and promotions."""
    now, then = _logical(reader), _logical(writer)
    if now == then == "decimal":
        if _digits(reader) != _digits(writer):
            (precision, scale), (was, had) = _digits(reader), _digits(writer)
            message = f"decimal({precision}, {scale}) reads decimal({was}, {had})"
            yield Reason(path, "decimal_changed", message)
    elif now != then:
        message = f"{now or f'plain {reader.type}'} reads {then or f'plain {writer.type}'}"
        yield Reason(path, "logical_type_changed", message)
    promotion = (writer.type, reader.type)
    if promotion in _LOSES:
        yield Reason(path, "promotion_loses", f"{reader.type} does not hold every {writer.type}")
    if promotion in _TEXT:
        yield Reason(path, "text_and_bytes", f"{reader.type} reads {writer.type}")


def _names(reader: Any, writer: Any, path: str) -> Iterator[Reason]:
    if reader.fullname == writer.fullname:
        return
    now, then = shown(reader.fullname), shown(writer.fullname)
    if basename(reader.fullname) == basename(writer.fullname):
        message = f"{now} reads {then}: the same name in another namespace"
        yield Reason(f"{path}/name", "namespace_changed", message)
    elif then != basename(then):
        message = f"{now} reads {then} by an alias in a namespace"
        yield Reason(f"{path}/aliases", "namespaced_alias", message)


def _called(field: Any) -> list[str]:
    """Give the names under which a reader's field is sought, without doubles."""
    aliases = field.props.get("aliases")
    return list(dict.fromkeys([field.name, *(aliases if isinstance(aliases, list) else [])]))


def _logical(schema: Any) -> str | None:
    """Give the logical type, None where there is none that counts: others are ignored, as specified."""
    name = schema.props.get(LOGICAL_TYPE)
    if not isinstance(name, str) or schema.type not in _LOGICAL.get(name, ()):
        return None
    return name if name != "decimal" or _is_decimal(schema) else None


def _is_decimal(schema: Any) -> bool:
    precision, scale = _digits(schema)
    if not isinstance(precision, int) or not isinstance(scale, int) or not 0 <= scale <= precision > 0:
        return False
    # What a fixed has no room for is no decimal.
    return bool(schema.type != "fixed" or precision <= math.log10(2) * (8 * schema.size - 1))


def _digits(schema: Any) -> tuple[Any, Any]:
    return schema.props.get("precision"), schema.props.get("scale", 0)


def _defaults(schema: Any) -> Iterator[Reason]:
    """Look at every default of a schema."""
    for field, place, _ in every_field(schema):
        if field.has_default and not is_value(field.type, field.default):
            message = f"{field.default!r} is no {_told(first(field.type))}, the default of {field.name!r}"
            yield Reason(f"{place}/default", "default_invalid", message)


def _told(schema: Any) -> str:
    """Name a type for people, with what its values are of one without a name."""
    logical = None if schema.type in NAMED else _logical(schema)
    return f"{told(schema)} ({logical})" if logical else told(schema)
