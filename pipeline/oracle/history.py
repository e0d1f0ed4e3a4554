"""What the history makes of a source's records: which versions it keeps, and which of them it publishes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.oracle import faults

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.oracle.policy import Policy
    from pipeline.oracle.records import Record

__all__ = ["History", "told"]


@dataclass(frozen=True)
class History:
    """The last version of each observation, the versions that went to the topic, and what was refused."""

    kept: tuple[Record, ...]
    published: tuple[Record, ...]
    rejected: tuple[tuple[Record, tuple[str, ...]], ...]


def told(records: Iterable[Record], policy: Policy) -> History:
    """Take a source's records one after the other, each published before the next one comes."""
    rejected: list[tuple[Record, tuple[str, ...]]] = []
    published: list[Record] = []
    kept: dict[tuple[str, object, str], Record] = {}
    streamed = set()
    for record in records:
        if wrong := tuple(faults.of_source(record, policy)):
            rejected.append((record, wrong))
            continue
        if all(value is None for value in record.measures.values()):
            continue
        key = (record.station_id, record.observed_at, record.source)
        version = replace(record, revision=1, via="topic")
        if known := kept.get(key):
            same = (known.measures, known.quality) == (record.measures, record.quality)
            if same or record.fetched_at < known.fetched_at:
                continue
            version = replace(version, revision=known.revision + 1)
        kept[key] = version
        if key in streamed or record.fetched_at - record.observed_at < policy.horizon:
            streamed.add(key)
            published.append(version)
    return History(tuple(kept.values()), tuple(published), tuple(rejected))
