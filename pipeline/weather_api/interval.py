"""Times as text, RFC 3339 with a zone; and `start` and `end` of the gateway and the US weather service."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from pipeline.weather_api.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["instant", "parse_interval"]

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")


def instant(text: str) -> datetime:
    """Read a time, into UTC; raises ValueError. Stricter than ISO 8601, of which Python reads all."""
    if not _TIME.fullmatch(text):
        raise ValueError(text)
    return datetime.fromisoformat(text).astimezone(UTC)


def parse_interval(
    parameters: Mapping[str, str], longest: timedelta, default: tuple[datetime, datetime] | None = None
) -> tuple[datetime, datetime]:
    """Read [start, end) in UTC, each `default`'s where it is not given; raises ProblemError (400)."""
    start, end = (
        _time(parameters, name, None if default is None else default[index])
        for index, name in enumerate(("start", "end"))
    )
    if end <= start:
        raise ProblemError(400, f"end must be after start, got {parameters.get('end')!r}")
    if end - start > longest:
        raise ProblemError(
            400, f"at most {longest.total_seconds() / 3600:g} hours may be asked at once, got {end - start}"
        )
    return start, end


def _time(parameters: Mapping[str, str], name: str, default: datetime | None) -> datetime:
    text = parameters.get(name)
    if text is None:
        if default is None:
            raise ProblemError(400, f"{name} is missing: a time such as 2026-01-31T12:00:00Z")
        return default
    try:
        return instant(text)
    except (ValueError, OverflowError):
        raise ProblemError(
            400, f"{name} must be a time such as 2026-01-31T12:00:00Z, got {text[:40]!r}"
        ) from None
