"""May this schema read what that one wrote? And may it follow those versions, in this mode?

The verdict is that of avro's ReaderWriterCompatibilityChecker, which agrees with Java's; the reasons, with
the place of each, are found by asking it again about the parts. What it lets through although values come
out wrong is the business of pipeline.schemas.lint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from avro.compatibility import lookup_writer_field, schema_name_equals

from pipeline.schemas.judge import reads
from pipeline.schemas.lint import lint
from pipeline.schemas.modes import steps
from pipeline.schemas.parsed import NAMED, parsed, shown, told
from pipeline.schemas.reasons import Reason
from pipeline.schemas.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.schemas.modes import Mode

__all__ = ["following", "verdict"]


def verdict(reader: Any, writer: Any, *, lints: bool = True) -> list[Reason]:
    """Give why `reader` cannot read what `writer` wrote, or reads it wrong: nothing where it can.

    Schemas are JSON values, or text of them. Paths are JSON pointers into the reader. Raises SchemaError.
    """
    return _judged(parsed(reader), parsed(writer), lints=lints)


def following(mode: Mode, history: Sequence[Any], new: Any, *, lints: bool = True) -> list[Reason]:
    """Give why `new` may not follow those versions, oldest first; each message names the version.

    Raises SchemaError for a schema that is none, whether the mode asks for it or not.
    """
    versions = [parsed(schema) for schema in (*history, new)]
    found = []
    for reader, writer in steps(mode, len(versions)):
        older = writer if reader == len(versions) else reader
        says = f"reading version {older}" if reader == len(versions) else f"read by version {older}"
        found += [
            reason._replace(message=f"{says}: {reason.message}")
            for reason in _judged(versions[reader - 1], versions[writer - 1], lints=lints)
        ]
    return found


def _judged(reader: Any, writer: Any, *, lints: bool) -> list[Reason]:
    if not reads(reader, writer):
        # Never without a reason, whatever the walk may miss.
        return list(_Explanation().pair(reader, writer, "")) or [Reason("", "incompatible", "cannot be read")]
    return list(lint(reader, writer)) if lints else []


class _Explanation(Walk):
    """Why a pair does not fit: the checker is asked again about the parts."""

    def looks(self, reader: Any, writer: Any) -> bool:
        return not reads(reader, writer)

    def branches(self, reader: Any, writer: Any, path: str) -> Iterator[Reason]:
        like = [
            (index, branch)
            for index, branch in enumerate(reader.schemas)
            if branch.type == writer.type and (writer.type not in NAMED or schema_name_equals(branch, writer))
        ]
        if not like:
            yield Reason(path, "missing_union_branch", f"no branch of the union reads {told(writer)}")
        for index, branch in like:
            yield from self.pair(branch, writer, f"{path}/{index}")

    def types(self, reader: Any, writer: Any, path: str) -> Iterator[Reason]:
        if reader.type != writer.type:
            yield Reason(path, "type_mismatch", f"{told(reader)} does not read {told(writer)}")
            return
        if reader.type in NAMED and not schema_name_equals(reader, writer):
            message = f"{shown(reader.fullname)} is not {shown(writer.fullname)}, nor an alias of it"
            yield Reason(f"{path}/name", "name_mismatch", message)
        if reader.type == "fixed" and reader.size != writer.size:
            message = f"{shown(reader.fullname)} has {reader.size} bytes, the writer's has {writer.size}"
            yield Reason(f"{path}/size", "fixed_size_mismatch", message)
        yield from self.within(reader, writer, path)

    def record(self, reader: Any, writer: Any, path: str) -> Iterator[Reason]:
        for index, field in enumerate(reader.fields):
            place = f"{path}/fields/{index}"
            written = lookup_writer_field(writer_schema=writer, reader_field=field)
            if written is not None:
                yield from self.pair(field.type, written.type, f"{place}/type")
            elif not field.has_default:
                message = f"the writer has no field {field.name!r}, and it has no default"
                yield Reason(place, "reader_field_missing_default_value", message)

    def enum(self, reader: Any, writer: Any, path: str) -> Iterator[Reason]:
        missing = [symbol for symbol in writer.symbols if symbol not in reader.symbols]
        if missing and reader.props.get("default") not in reader.symbols:
            message = f"{shown(reader.fullname)} lacks {', '.join(missing)}, and has no default of its own"
            yield Reason(f"{path}/symbols", "missing_enum_symbols", message)
