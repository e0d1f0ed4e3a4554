"""One command at a time may change an environment: a lock that dies with the process that holds it."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipeline.infra.errors import BusyError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["exclusive"]


@contextmanager
def exclusive(path: Path, command: str) -> Iterator[None]:
    """Hold the lock file `path` while the block runs; raises BusyError at once if another process holds it.

    The file stays behind, for removing it would let two holders each lock a file of their own.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "another command"
            raise BusyError(
                f"{holder} is running in this checkout: wait until it ends, or stop it, then try again."
            ) from None
        file.truncate(0)
        file.write(f"`make {command}` (process {os.getpid()})")
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)
