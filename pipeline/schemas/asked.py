"""Questions of programs: a JSON object a line, and the answer to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pipeline.errors import SchemaError
from pipeline.schemas.modes import mode_named
from pipeline.schemas.verdict import following, verdict

if TYPE_CHECKING:
    from pipeline.schemas.modes import Mode
    from pipeline.schemas.reasons import Reason

__all__ = ["answer"]


def answer(line: str, mode: Mode, *, lints: bool) -> dict[str, Any]:
    """Answer `{"name", "reader", "writer"}`, or `{"name", "new", "history"}` (oldest first) in a mode.

    A question's own "mode" goes before the one given here. The answer is `{"name", "compatible", "reasons":
    [{"path", "rule", "message"}]}`, or `{"name", "error"}` for a line that is no such question.
    """
    name = None
    try:
        question = json.loads(line)
        name = question.get("name") if isinstance(question, dict) else None
        found = _found(question, mode, lints=lints)
    except (SchemaError, ValueError) as error:
        return {"name": name, "error": str(error)}
    return {"name": name, "compatible": not found, "reasons": [reason._asdict() for reason in found]}


def _found(question: Any, mode: Mode, *, lints: bool) -> list[Reason]:
    if not isinstance(question, dict):
        raise SchemaError(f"a question is a JSON object, and not {str(question)[:80]!r}")
    if question.keys() >= {"reader", "writer"}:
        return verdict(question["reader"], question["writer"], lints=lints)
    if not question.keys() >= {"new", "history"}:
        raise SchemaError("a question has reader and writer, or new and history")
    if not isinstance(history := question["history"], list):
        raise SchemaError(f"history is a list of schemas, oldest first, and not {history!r}")
    own = question.get("mode", mode)
    if not isinstance(own, str):
        raise SchemaError(f"mode is text, and not {own!r}")
    return following(mode_named(own), history, question["new"], lints=lints)
