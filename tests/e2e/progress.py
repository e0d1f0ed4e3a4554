"""How far Spark's queries have come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.serving import Serving
from tests.e2e.stack import until

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.e2e.stack import Stack

__all__ = ["await_read"]

# Two copies of the alerts', the readings', the averages'.
_COPIES = 4


def await_read(stack: Stack, ends: Mapping[int, int], within_s: float) -> None:
    """Wait until every copy of every query has written all before the given offset of each partition."""
    with Serving(stack.environment().cassandra()) as serving:

        def is_read() -> bool:
            progress = [one for one in serving.progress() if one.partition in ends]
            return len(progress) == _COPIES * len(ends) and all(
                one.next_offset >= ends[one.partition] for one in progress
            )

        until(f"all before {dict(ends)} is read", is_read, within_s=within_s)
