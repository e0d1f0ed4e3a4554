"""What the contracts have in common: a body of JSON, a number in some unit, a reading or why it is none."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from pipeline.config import shown
from pipeline.errors import ContractError, ReadingError, SourceUnavailableError
from pipeline.readings import FIELDS, ORIGINS, Origin, RejectedReading
from pipeline.units import to_canonical

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pipeline.units import Metric

__all__ = ["by_field", "canonical", "checked_origin", "json_content", "raw_json", "refused", "storable"]

_SHOWN_END_LENGTH: Final = 80

# NUL, which no text and no JSON of PostgreSQL takes, and lone surrogates, which UTF-8 does not have.
_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")


def storable(text: str) -> str:
    """Give U+FFFD for each character that cannot be stored, as for bytes that are no UTF-8."""
    return _UNSTORABLE.sub("\ufffd", text)


def json_content(name: str, body: bytes) -> Any:
    """Read a body of JSON; raises SourceUnavailableError where it breaks off.

    The services stream: what fails after the first byte breaks a body whose status said 200. NaN and
    infinities, which are no JSON, come as text; texts come `storable`.
    """
    try:
        return _storable_texts(json.loads(body, parse_constant=str))
    except ValueError as error:
        end = body[-_SHOWN_END_LENGTH:].decode("utf-8", "replace")
        raise SourceUnavailableError(f"{name} answered a body that breaks off: …{end!r}") from error


def _storable_texts(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(key): _storable_texts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_storable_texts(item) for item in value]
    return value


def checked_origin(name: str, origin: Any, here: str) -> Origin:
    """Check what a weather API of this project says of its values; raises ContractError."""
    if origin not in ORIGINS:
        raise ContractError(f"{name} answered the unknown origin {shown(origin)} {here}")
    checked: Origin = origin
    return checked


def canonical(metric: Metric, value: Any, unit: str) -> float | None:
    """Bring one value into the canonical unit; None stays. Raises ReadingError when it is no number."""
    if value is None:
        return None
    # A number in quotes is no number: the contract has changed, or somebody repaired it by hand.
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ReadingError(f"{FIELDS[metric]} is {shown(value)}, no number")
    try:
        return to_canonical(value, unit, metric)
    except OverflowError:
        raise ReadingError(f"{FIELDS[metric]} is {shown(value)}, too large for a number") from None


def by_field(values: Mapping[Metric, float | None]) -> dict[str, float | None]:
    """Name canonical values as the fields of a reading."""
    return {FIELDS[metric]: value for metric, value in values.items()}


def refused(
    source: str, station_id: str, observed_at: datetime | None, reason: str, raw: str
) -> RejectedReading:
    """Keep a record that cannot be a reading, as it came."""
    return RejectedReading(
        station_id=station_id, observed_at=observed_at, source=source, reason=reason, raw=raw
    )


def raw_json(record: Any) -> str:
    """Write a record as compact JSON, to be kept."""
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False)
