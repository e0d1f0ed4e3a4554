"""Records as lines of JSON; the format is told in docs/data-contract.md."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pipeline.oracle.errors import OracleError
from pipeline.oracle.records import MEASURES, Poison, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["read_lines"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_APPENDED = ("appended_at", "append_time", "appended", "timestamp")
_TEXTS = ("station_id", "source", "origin", "quality", "event_id")
_TIMES = ("observed_at", "fetched_at")
_PLACE = ("partition", "offset")
# Of no use here; but whoever writes down a whole message has them.
_IGNORED = ("topic", "key", "schema_id")
_KNOWN = (*_TEXTS, *_TIMES, *_APPENDED, "revision", *MEASURES, "via", "poison", *_PLACE)
_NUMBERS = {"nan": math.nan, "infinity": math.inf, "-infinity": -math.inf, "inf": math.inf, "-inf": -math.inf}
_INT32 = 2**31
_INT64 = 2**63


class _FieldError(Exception):
    """A field that is not as it should be: its name, what it should be, and what it is."""

    def __init__(self, field: str, what: str, value: object = None, *, missing: bool = False) -> None:
        super().__init__(f"{field}: {what}" if missing else f"{field}: {what}, got {value!r}")


def read_lines(lines: Iterable[str], name: str = "records") -> Iterator[Record | Poison]:
    """Read one record a line, empty lines apart; raises OracleError that names line, field and value."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield _record(_object(line), number)
            except _FieldError as error:
                raise OracleError(f"{name}: line {number}: {error}") from None


def _object(line: str) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, value in pairs:
            if key in made:
                raise _FieldError(key, "is given twice", value)
            made[key] = value
        return made

    try:
        found = json.loads(line, object_pairs_hook=once)
    except ValueError as error:
        raise _FieldError("the line", f"is no JSON ({error})", line.strip()[:80]) from None
    if not isinstance(found, dict):
        raise _FieldError("the line", "must be an object", found)
    return found


def _record(given: dict[str, Any], line: int) -> Record | Poison:
    for field in set(given) - {*_KNOWN, *_IGNORED}:
        raise _FieldError(field, f"unknown; known are {', '.join(_KNOWN)}", given[field])
    # A field that is null is one that is not there.
    told = {field: value for field, value in given.items() if value is not None}
    made: dict[str, Any] = {"line": line}
    made |= {field: _whole(field, told[field], 0, _INT64) for field in _PLACE if field in told}
    if appended := _appended(told):
        made["appended_at"] = appended
    if "poison" in told:
        return Poison(_text("poison", told["poison"]), **made)

    made |= {field: _text(field, told[field]) for field in _TEXTS if field in told}
    made |= {field: _instant(field, told[field]) for field in _TIMES if field in told}
    if "revision" in told:
        made["revision"] = _whole("revision", told["revision"], -_INT32, _INT32)
    made["via"] = told.get("via", "topic")
    if made["via"] not in {"topic", "source"}:
        raise _FieldError("via", "must be topic or source", made["via"])
    from_source = made["via"] == "source"
    if from_source and "fetched_at" in made:
        # What a source told is published as soon as it is fetched.
        made.setdefault("appended_at", made["fetched_at"])
    for field in ("station_id", "source", "observed_at", "appended_at"):
        if field not in made:
            raise _FieldError(field, "is missing", missing=True)
    return Record(**made, **_measures(told, may_be_garbled=from_source))


def _appended(told: dict[str, Any]) -> datetime | None:
    fields = [field for field in _APPENDED if field in told]
    if len(fields) > 1:
        raise _FieldError(fields[1], f"is the same as {fields[0]}: give one of them", told[fields[1]])
    return _instant(fields[0], told[fields[0]]) if fields else None


def _measures(told: dict[str, Any], *, may_be_garbled: bool) -> dict[str, Any]:
    """Read the measures; what is no number is an error on the topic, where the schema has doubles."""
    made: dict[str, Any] = {}
    for field in MEASURES:
        try:
            made[field] = _number(field, told.get(field))
        except _FieldError as error:
            if not may_be_garbled:
                raise
            made["garbled"] = str(error)
    return made


def _text(field: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _FieldError(field, "must be a text", value)
    return value


def _whole(field: str, value: Any, low: int, above: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value < above:
        raise _FieldError(field, f"must be a whole number from {low} to {above - 1}", value)
    return value


def _number(field: str, value: Any) -> float | None:
    if isinstance(value, str) and value.lower() in _NUMBERS:
        return _NUMBERS[value.lower()]
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _FieldError(field, "must be a number or null", value)
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _instant(field: str, value: Any) -> datetime:
    """Read ISO 8601 with a zone, or whole milliseconds since 1970."""
    if isinstance(value, str) and re.fullmatch(r"-?\d{9,20}", value):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return _EPOCH + timedelta(milliseconds=value)
        except OverflowError:
            # Outside of the years 1 to 9999 it is too early, or too late, by far.
            return datetime.max.replace(tzinfo=UTC) if value > 0 else datetime.min.replace(tzinfo=UTC)
    try:
        instant = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise _FieldError(field, "must be an ISO 8601 time or milliseconds since 1970", value) from None
    if instant.tzinfo is None:
        raise _FieldError(field, "has no zone", value)
    return instant
