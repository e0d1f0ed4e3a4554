"""The beat of a Real-Time query's writer: a file renewed once a second, for Spark itself says nothing.

A batch of Real-Time Mode lasts minutes, and Spark tells of it when it is over. So the writer on the executor
(galewatch.spark.Heart) says how it is: when it last stored how far it has come, how many tasks write, what
is wrong, and what it has counted. The file lies beside the checkpoints, in the folder that driver and
executors share.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Beat"]

# Between two batches there are no tasks for a second or two, on a busy machine for some more.
_PATIENCE_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Beat:
    """What the writer told last; times in seconds since 1970, `tasks` are those that are writing.

    `counts` are since its executor began.
    """

    at: int
    stored_at: int
    tasks: int
    trouble: str | None
    counts: Mapping[str, int]

    @classmethod
    def read(cls, path: Path) -> Beat | None:
        """Read the file; None where there is none yet."""
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            return cls(told["at"], told["stored_at"], told["tasks"], told["trouble"], told["counts"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def complaint(self, now: float) -> str | None:
        """Say what is wrong with the writer, or give None."""
        if self.trouble:
            return self.trouble
        if now - self.at > _PATIENCE_SECONDS:
            return f"its writer has said nothing for {now - self.at:.0f} s"
        if now - self.stored_at > _PATIENCE_SECONDS:
            return f"its writer has stored nothing for {now - self.stored_at:.0f} s"
        return None
