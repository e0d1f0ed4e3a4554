"""Where the topic of the readings ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.publisher import TOPIC
from pipeline.topics.reader import TopicReader

if TYPE_CHECKING:
    from pipeline.environment import Environment

__all__ = ["ends"]


def ends(environment: Environment) -> dict[int, int]:
    """Give the offset after the last reading, by partition; raises a GalewatchError where Kafka does not."""
    with TopicReader(environment.kafka(), TOPIC, "galewatch-reader-bench") as reader:
        return {number: offsets.end for number, offsets in reader.offsets().items()}
