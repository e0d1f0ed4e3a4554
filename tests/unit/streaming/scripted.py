"""A query that is told how to behave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from threading import Event

__all__ = ["ScriptedQuery"]


class ScriptedQuery:
    """Goes from one state to the next each time that it is asked whether it is active."""

    def __init__(self, *states: dict[str, Any], stop: Event | None = None, error: str | None = None) -> None:
        self._states = list(states)
        self._stop = stop
        self._error = error
        self._now: dict[str, Any] = {}
        self.stopped = False

    @property
    def isActive(self) -> bool:  # noqa: N802 - PySpark's name
        """Take the next state; after the last one the query has ended, or the watch is stopped."""
        if not self._states:
            if self._stop is None:
                return False
            self._stop.set()
            return True
        self._now = self._states.pop(0)
        return True

    @property
    def status(self) -> dict[str, Any]:
        """What PySpark tells of a query."""
        return {
            "message": self._now.get("message", "Waiting"),
            "isTriggerActive": self._now.get("busy", False),
        }

    @property
    def lastProgress(self) -> dict[str, Any] | None:  # noqa: N802 - PySpark's name
        """The last batch that ended."""
        if "batch" not in self._now:
            return None
        dropped = self._now.get("dropped", 0)
        return {
            "batchId": self._now["batch"],
            "stateOperators": [{"numRowsDroppedByWatermark": dropped}],
        }

    def exception(self) -> str | None:
        """Why it ended."""
        return self._error

    def stop(self) -> None:
        """End it."""
        self.stopped = True
