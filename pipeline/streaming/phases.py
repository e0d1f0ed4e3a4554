"""When a copy of the alerts query changes from one batch to the next, so that never two do at once.

In Real-Time Mode nothing is written for some tenths of a second between two batches, which last minutes.
With copies, each of which changes at a time of its own (its phase), one is always in the middle of a batch.
The phase is one of the clock's, so copies that know nothing of each other, and restarts, keep apart.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Phase"]

# Spark refuses batches of less than five seconds.
_SHORTEST_SECONDS = 6
# Farther from its phase than this share of a batch (but some seconds always), a copy is brought back: each
# change costs some tenths of a second, and so copies drift.
_TOLERANCE = 0.1
_TOLERANCE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Phase:
    """The times at which copy `copy` of `copies` changes: each `batch_seconds`, shifted by its share."""

    batch_seconds: int
    copy: int
    copies: int

    @property
    def _offset(self) -> float:
        return self.batch_seconds * (self.copy % self.copies) / self.copies

    def first_batch(self, now: float) -> int:
        """Give the length of a batch that begins now and ends on the phase, in seconds.

        So a copy works at once and does not wait for its phase, which can be minutes away.
        """
        left = round((self._offset - now) % self.batch_seconds)
        return left if left >= _SHORTEST_SECONDS else left + self.batch_seconds

    def drifted(self, now: float) -> bool:
        """Tell whether a change at this time is too far from the phase."""
        away = (now - self._offset) % self.batch_seconds
        return min(away, self.batch_seconds - away) > max(_TOLERANCE_SECONDS, self.batch_seconds * _TOLERANCE)
