"""An outcome as plain JSON."""

from __future__ import annotations

import dataclasses
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pipeline.oracle.records import Poison, Record

if TYPE_CHECKING:
    from pipeline.oracle.judge import Outcome

__all__ = ["as_json"]


def as_json(outcome: Outcome) -> dict[str, list[dict[str, Any]]]:
    """Give the outcome as lists of objects; times are ISO 8601, and what is no finite number is a text."""
    return {
        "alerts": [_plain(alert) for alert in outcome.alerts],
        "averages": [_plain(average) for average in outcome.averages],
        "readings": [_plain(reading) for reading in outcome.readings],
        "late": [_plain(record) for record in outcome.late],
        "rejected": [
            {**_plain(one.record), "reason": one.reason, "reasons": list(one.reasons)}
            for one in outcome.rejected
        ],
        "dead_lettered": [
            {**_plain(one.message), "reason": one.reason, "reasons": list(one.reasons)}
            for one in outcome.dead_lettered
        ],
        "history": [_plain(record) for record in outcome.history],
    }


def _plain(row: Any) -> dict[str, Any]:
    values = {field.name: getattr(row, field.name) for field in dataclasses.fields(row)}
    if isinstance(row, Record | Poison):
        # Where it lay is told where it is known.
        for name in ("partition", "offset", "line", "garbled"):
            if values.get(name) is None:
                values.pop(name, None)
    return {name: _value(value) for name, value in values.items()}


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        text = value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return text.replace(".000Z", "Z")
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
