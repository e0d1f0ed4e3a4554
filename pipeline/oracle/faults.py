"""What is wrong with a record, as classes of the contract's table of policies, in its order."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.oracle.policy import Policy
    from pipeline.oracle.records import Record

__all__ = ["of_measures", "of_message", "of_source"]

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NAME_LENGTH = 64
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ORIGINS = ("live", "replay", "synthetic", "selftest")
# What the US weather service's own quality control calls a value that it failed, or that is bad.
_REFUSED = ("X", "B")


def of_message(record: Record, policy: Policy) -> Iterator[str]:
    """Tell everything for which a message on the topic becomes a dead letter."""
    if record.observed_at - record.appended_at > policy.future:
        yield "future"
    yield from of_measures(record, policy)
    if not _UUID.fullmatch(record.event_id):
        yield "event-id"
    yield from _of_names(record)
    if record.origin not in _ORIGINS:
        yield "origin"
    if record.revision < 1:
        yield "revision"
    if min(record.observed_at, record.fetched_at) < policy.earliest:
        yield "before-1900"
    if record.fetched_at - record.appended_at > policy.fetched_ahead:
        yield "fetched-ahead"


def of_source(record: Record, policy: Policy) -> Iterator[str]:
    """Tell everything for which a record of a source's is rejected."""
    if record.garbled:
        yield "no-number"
    yield from of_measures(record, policy)
    if record.quality in _REFUSED:
        yield "quality"
    yield from _of_names(record)
    if record.origin not in _ORIGINS:
        yield "origin"


def of_measures(record: Record, policy: Policy) -> Iterator[str]:
    """Tell whether a measure is not finite, or outside of its limits; one that is absent is neither."""
    values = [(name, value) for name, value in record.measures.items() if value is not None]
    if any(not math.isfinite(value) for _, value in values):
        yield "not-finite"
    if any(
        math.isfinite(value) and not policy.limits[name][0] <= value <= policy.limits[name][1]
        for name, value in values
    ):
        yield "out-of-range"


def _of_names(record: Record) -> Iterator[str]:
    for name in (record.station_id, record.source):
        if not _NAME.fullmatch(name) or len(name) > _NAME_LENGTH:
            yield "name"
            return
