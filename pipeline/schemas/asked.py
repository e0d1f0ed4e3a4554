"""Questions of programs: a JSON object a line, and the answer to it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pipeline.errors import SchemaError
from pipeline.schemas.modes import mode_named
from pipeline.schemas.parsed import json_of
from pipeline.schemas.verdict import following, verdict

if TYPE_CHECKING:
    from pipeline.schemas.modes import Mode
    from pipeline.schemas.reasons import Reason

__all__ = ["answer"]


def answer(line: bytes, mode: Mode, *, lints: bool) -> dict[str, Any]:
    """Answer `{"name", "reader", "writer"}`, or `{"name", "new", "history"}` (oldest first) in a mode.

    A question's own "mode" goes before the one given here. The answer is `{"name", "compatible", "reasons":
    [{"path", "rule", "message"}]}`, or `{"name", "error"}` for a line that is no such question: nothing that
    stands on a line makes this raise.
    """
    name = None
    try:
        question = _question(line)
        name = _name(question.get("name"))
        found = _found(question, mode, lints=lints)
    except RecursionError:
        return {"name": name, "error": "it is nested too deeply"}
    except (SchemaError, ValueError) as error:
        return {"name": name, "error": str(error)}
    return {"name": name, "compatible": not found, "reasons": [reason._asdict() for reason in found]}


def _question(line: bytes) -> dict[str, Any]:
    question = json_of(line.decode("utf-8-sig").strip())
    if not isinstance(question, dict):
        raise SchemaError(f"a question is a JSON object, and not {_short(question)}")
    return question


def _name(value: Any) -> str | float | None:
    """Give a name as it was given: what an answer can repeat."""
    if value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise SchemaError(f"a name is text, and not {_short(value)}")


def _short(value: Any) -> str:
    return repr(value)[:80]


def _found(question: dict[str, Any], mode: Mode, *, lints: bool) -> list[Reason]:
    if question.keys() >= {"reader", "writer"}:
        return verdict(question["reader"], question["writer"], lints=lints)
    if not question.keys() >= {"new", "history"}:
        raise SchemaError("a question has reader and writer, or new and history")
    if not isinstance(history := question["history"], list):
        raise SchemaError(f"history is a list of schemas, oldest first, and not {_short(history)}")
    own = question.get("mode", mode)
    if not isinstance(own, str):
        raise SchemaError(f"mode is text, and not {_short(own)}")
    return following(mode_named(own), history, question["new"], lints=lints)
