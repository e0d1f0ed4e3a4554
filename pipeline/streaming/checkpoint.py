"""What a killed driver leaves in a query's checkpoint, beside what the query goes on with."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["sweep"]

_LOG = logging.getLogger("driver")

# Spark writes `.0.<uuid>.tmp` (and its checksum) beside `0` and renames it when it is whole.
_HALF_WRITTEN = (".*.tmp", "..*.tmp.crc")


def sweep(checkpoint: Path) -> None:
    """Remove what was half-written to the logs of a query's batches; nobody may be writing to them.

    A query that was killed in the commit of its first batch could never begin again: for Spark it has done no
    batch yet, and where none is done the folders have to be empty
    (STATE_STORE_CHECKPOINT_LOCATION_NOT_EMPTY).
    """
    for log in ("offsets", "commits"):
        for pattern in _HALF_WRITTEN:
            for file in (checkpoint / log).glob(pattern):
                _LOG.info("%s was left half-written by a killed driver and is removed", file)
                file.unlink()
