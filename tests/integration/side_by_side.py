"""What need not wait for each other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["side_by_side"]


def side_by_side(*calls: Callable[[], object]) -> None:
    """Make the calls at once and wait for all of them; raises what the first that failed has raised."""
    with ThreadPoolExecutor(len(calls)) as pool:
        for begun in [pool.submit(call) for call in calls]:
            begun.result()
