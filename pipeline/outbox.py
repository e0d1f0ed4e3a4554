"""From the outbox to Kafka: everything that waits, whichever run left it there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import DeliveryError

if TYPE_CHECKING:
    from pipeline.history import History
    from pipeline.publisher import Publisher

__all__ = ["BATCH", "drain"]

# Large enough that the broker's round trips do not count, small enough that a crash republishes little.
BATCH = 500


def drain(history: History, publisher: Publisher, *, batch: int = BATCH) -> int:
    """Publish all readings that wait and return their number.

    Readings that another publisher holds at this moment are left to it. An error of the publisher ends it;
    what the broker acknowledged until then is marked, everything else keeps waiting.
    """
    published = 0
    while True:
        with history.unpublished(batch) as outbox:
            if not outbox.readings:
                return published
            try:
                outbox.acknowledge(publisher.publish(outbox.readings))
            except DeliveryError as error:
                outbox.acknowledge(error.acknowledged)
                raise
            published += len(outbox.readings)
