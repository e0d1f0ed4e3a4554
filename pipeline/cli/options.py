"""What the commands' arguments mean."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

__all__ = ["AsJson", "Limit", "Name", "Since", "Station", "instant"]

_DURATION = re.compile(r"(\d{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def instant(text: str) -> datetime:
    """Read `24h`, `7d`, `90m` (that long ago) or an ISO 8601 time; a time without a zone is UTC."""
    if match := _DURATION.fullmatch(text.strip()):
        return datetime.now(UTC) - timedelta(seconds=int(match[1]) * _SECONDS[match[2]])
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"must be a time like 2026-11-21T14:00Z or a span like 24h, got {text!r}"
        ) from None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


Name = Annotated[str | None, typer.Option("--env", help="The environment; default $GALEWATCH_ENV, else dev.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line instead of a table.")]
Station = Annotated[str | None, typer.Option("--station", help="Only this station's id.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="At most so many, the newest.")]
Since = Annotated[
    datetime | None,
    typer.Option("--since", parser=instant, help="A time (ISO 8601) or a span back from now (24h, 7d)."),
]
