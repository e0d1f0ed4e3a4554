"""Durations as Go writes them: `300ms`, `1m0s`, `1h30m`."""

import re

__all__ = ["nanoseconds", "seconds"]

_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")


def nanoseconds(text: str) -> int:
    """Read a duration, in nanoseconds.

    Raises:
        ValueError: it is no duration that Go would read, or it is negative.
    """
    if text in {"", "0"}:
        return 0
    total, position = 0.0, 0
    while position < len(text):
        part = _PART.match(text, position)
        if part is None:
            raise ValueError(f"{text!r} is no duration such as 500ms, 10s or 1m30s")
        total += float(part[1]) * _UNITS[part[2]]
        position = part.end()
    return round(total)


def seconds(text: str) -> float:
    """Read a duration, in seconds. Raises ValueError as `nanoseconds` does."""
    return nanoseconds(text) / 1e9
