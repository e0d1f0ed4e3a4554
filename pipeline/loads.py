"""What one run loads, and the row of the table `loads` that it leaves behind."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.readings import utc_text

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg2.extensions import cursor as Cursor  # noqa: N812 - a class in spite of its name

__all__ = ["Load", "LoadReport", "store_load"]

_NAMESPACE = uuid.UUID("a3f8a9c2-5a5d-5d0b-8d55-67616c657761")

# A load that is tried again after it was stored finds everything unchanged: what the first one did stands.
_INSERT = """
INSERT INTO loads (load_id, source, run_id, window_start, window_end, fetched_at, fetched, stored, revised,
                   unchanged, rejected, rejected_again, empty, to_publish, loaded_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (load_id) DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Load:
    """Where some readings come from: one fetch of one source by one run of Airflow.

    The interval that was asked for is [window_start, window_end); `empty` counts its slots without any value.
    """

    source: str
    run_id: str
    window_start: datetime
    window_end: datetime
    fetched_at: datetime
    empty: int = 0

    @property
    def load_id(self) -> str:
        """The same for each try of a load; a run that is repeated fetches anew, which is another load."""
        name = f"{self.source}|{self.run_id}|{utc_text(self.fetched_at)}"
        return str(uuid.uuid5(_NAMESPACE, name))


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What became of the records of one load; the first four add up to the number that was fetched.

    `rejected_again` of the rejected ones had been kept before; `to_publish` of the stored and the revised
    ones went into the outbox.
    """

    stored: int
    revised: int
    unchanged: int
    rejected: int
    rejected_again: int
    to_publish: int

    @property
    def fetched(self) -> int:
        """The number of records that the source gave."""
        return self.stored + self.revised + self.unchanged + self.rejected


def store_load(cursor: Cursor, load: Load, report: LoadReport, now: datetime) -> None:
    """Write what a load did, within its transaction."""
    cursor.execute(
        _INSERT,
        (
            load.load_id,
            load.source,
            load.run_id,
            load.window_start,
            load.window_end,
            load.fetched_at,
            report.fetched,
            report.stored,
            report.revised,
            report.unchanged,
            report.rejected,
            report.rejected_again,
            load.empty,
            report.to_publish,
            now,
        ),
    )
