"""May this schema read what that one wrote? And may it follow those versions, in this mode?

The verdict is that of avro's ReaderWriterCompatibilityChecker, which agrees with Java's; the reasons, with
the place of each, are found by asking it again about the parts. What it lets through although values come
out wrong is the business of pipeline.schemas.lint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from avro.compatibility import lookup_writer_field, schema_name_equals

from pipeline.schemas.judge import reads
from pipeline.schemas.lint import lint
from pipeline.schemas.modes import steps
from pipeline.schemas.parsed import parsed, shown
from pipeline.schemas.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.schemas.modes import Mode

__all__ = ["following", "verdict"]

_NAMED: Final = frozenset({"record", "enum", "fixed"})


def verdict(reader: Any, writer: Any, *, lints: bool = True) -> list[Reason]:
    """Give why `reader` cannot read what `writer` wrote, or reads it wrong: nothing where it can.

    Schemas are JSON values, or text of them. Paths are JSON pointers into the reader. Raises SchemaError.
    """
    read, written = parsed(reader), parsed(writer)
    found = list(_explain(read, written, "", set()))
    return found or (list(lint(read, written)) if lints else [])


def following(mode: Mode, history: Sequence[Any], new: Any, *, lints: bool = True) -> list[Reason]:
    """Give why `new` may not follow those versions, oldest first; each message names the version.

    Raises SchemaError for a schema that is none.
    """
    versions = [*history, new]
    found = []
    for reader, writer in steps(mode, len(versions)):
        older = writer if reader == len(versions) else reader
        says = f"reading version {older}" if reader == len(versions) else f"read by version {older}"
        found += [
            reason._replace(message=f"{says}: {reason.message}")
            for reason in verdict(versions[reader - 1], versions[writer - 1], lints=lints)
        ]
    return found


def _explain(reader: Any, writer: Any, path: str, seen: set[tuple[int, int]]) -> Iterator[Reason]:
    """Give the reasons of a pair; none for one that fits, or was explained before."""
    if (id(reader), id(writer)) in seen or reads(reader, writer):
        return
    seen.add((id(reader), id(writer)))
    if writer.type == "union":
        for branch in writer.schemas:
            yield from _explain(reader, branch, path, seen)
    elif reader.type == "union":
        yield from _explain_branches(reader, writer, path, seen)
    elif reader.type != writer.type:
        yield Reason(path, "type_mismatch", f"{_told(reader)} does not read {_told(writer)}")
    else:
        yield from _EXPLAIN[reader.type](reader, writer, path, seen)


def _explain_branches(reader: Any, writer: Any, path: str, seen: set[tuple[int, int]]) -> Iterator[Reason]:
    like = [
        (index, branch)
        for index, branch in enumerate(reader.schemas)
        if branch.type == writer.type and (writer.type not in _NAMED or schema_name_equals(branch, writer))
    ]
    if not like:
        message = f"no branch of the union reads {_told(writer)}"
        yield Reason(path, "missing_union_branch", message)
    for index, branch in like:
        yield from _explain(branch, writer, f"{path}/{index}", seen)


def _explain_items(reader: Any, writer: Any, path: str, seen: set[tuple[int, int]]) -> Iterator[Reason]:
    yield from _explain(reader.items, writer.items, f"{path}/items", seen)


def _explain_values(reader: Any, writer: Any, path: str, seen: set[tuple[int, int]]) -> Iterator[Reason]:
    yield from _explain(reader.values, writer.values, f"{path}/values", seen)


def _explain_fixed(reader: Any, writer: Any, path: str, _: object) -> Iterator[Reason]:
    yield from _explain_name(reader, writer, path)
    if reader.size != writer.size:
        message = f"{shown(reader.fullname)} has {reader.size} bytes, the writer's has {writer.size}"
        yield Reason(f"{path}/size", "fixed_size_mismatch", message)


def _explain_enum(reader: Any, writer: Any, path: str, _: object) -> Iterator[Reason]:
    yield from _explain_name(reader, writer, path)
    missing = [symbol for symbol in writer.symbols if symbol not in reader.symbols]
    if missing and reader.props.get("default") not in reader.symbols:
        message = f"{shown(reader.fullname)} lacks {', '.join(missing)}, and has no default of its own"
        yield Reason(f"{path}/symbols", "missing_enum_symbols", message)


def _explain_record(reader: Any, writer: Any, path: str, seen: set[tuple[int, int]]) -> Iterator[Reason]:
    yield from _explain_name(reader, writer, path)
    for index, field in enumerate(reader.fields):
        place = f"{path}/fields/{index}"
        written = lookup_writer_field(writer_schema=writer, reader_field=field)
        if written is not None:
            yield from _explain(field.type, written.type, f"{place}/type", seen)
        elif not field.has_default:
            message = f"the writer has no field {field.name!r}, and it has no default"
            yield Reason(place, "reader_field_missing_default_value", message)


def _explain_name(reader: Any, writer: Any, path: str) -> Iterator[Reason]:
    if not schema_name_equals(reader, writer):
        message = f"{shown(reader.fullname)} is not {shown(writer.fullname)}, nor an alias of it"
        yield Reason(f"{path}/name", "name_mismatch", message)


_EXPLAIN: Final = {
    "array": _explain_items,
    "map": _explain_values,
    "fixed": _explain_fixed,
    "enum": _explain_enum,
    "record": _explain_record,
}


def _told(schema: Any) -> str:
    """Name a type for people."""
    if schema.type in _NAMED:
        return f"{schema.type} {shown(cast('str', schema.fullname))}"
    return str(schema.type)
