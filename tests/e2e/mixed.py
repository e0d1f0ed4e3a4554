"""A mixed input under stations of its own: real weather, the gateway's feed, and all that may be wrong.

Half of the weather goes through the history and the DAG that publishes, revisions too. The other half and
the devices go straight to the topic, in any order, repeated, late, early, revised and amid poison, from a
producer of each version of the schema. tests/e2e/exactness.py tells what must come of it.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from tests.e2e.loading import Loader
from tests.e2e.oddities import Told, odd, poison
from tests.e2e.topics import produce, registered
from tests.e2e.trouble import FIVE_MINUTES, readings_csv
from tests.e2e.weather import compressed_cities
from tests.integration.side_by_side import side_by_side
from tests.oracle import sources
from tests.oracle.messages import framed, record
from tests.oracle.weather import Observed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.oracle import Record
    from tests.e2e.stack import Stack

__all__ = ["Fed", "feed"]

# In the recording and in the committed day alike.
_LOADED = ("eilat", "minneapolis", "phoenix")
_PRODUCED = ("jerusalem", "las-vegas", "new-york")
# Five days of weather, one hour every ten seconds: four windows.
_HOURS = 120
_SECOND = timedelta(seconds=1)

Message = tuple[str, bytes | None]


class Fed(NamedTuple):
    """What was fed under a prefix.

    What the source of that name told and was loaded, in its order; what was produced straight to the topic,
    key and bytes; and, for what of that is poison, a part of the reason why.
    """

    prefix: str
    told: list[Record]
    produced: list[Message]
    poison: dict[Message, str]


def feed(stack: Stack, prefix: str, meanwhile: Callable[[], None] = lambda: None) -> Fed:
    """Feed all of it under stations that begin with `prefix`; in the middle of it call `meanwhile`.

    By then one half is acknowledged. What is loaded takes two runs of the DAG that publishes, one a half.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    start = now.replace(second=0) - timedelta(minutes=now.minute % 5) - 5 * FIVE_MINUTES
    loader = Loader(stack, prefix)
    loaded = compressed_cities(stack.recording, _LOADED, _HOURS, start, prefix)
    _load(loader, loaded, prefix, now)
    bad = poison(prefix, now, *(registered(stack, f"{topic}-value") for topic in ("readings", "alerts")))
    old, new = _messages(stack, prefix, now, start)
    new += [(one.key, one.value) for one in bad]
    order = random.Random(prefix)  # noqa: S311 - another order for each, and the same one again
    order.shuffle(old)
    order.shuffle(new)

    def half(at: int) -> None:
        side_by_side(
            loader.publish,
            lambda: produce(stack, old[at::2]),
            lambda: produce(stack, new[at::2]),
        )

    half(0)
    meanwhile()
    _revise(loader, loaded)
    half(1)
    return Fed(prefix, loader.told, old + new, {(one.key, one.value): one.reason for one in bad})


def _load(loader: Loader, weather: list[Observed], prefix: str, now: datetime) -> None:
    """Load weather, the same again, what is no reading, what is older than the horizon, hasty revisions."""
    loader.load(weather)
    loader.load(weather)
    loader.load([Observed(f"{prefix}-refused", now - step * _SECOND, 451.0) for step in range(3)])
    loader.load(
        [Observed(f"{prefix}-old", now - timedelta(hours=5, seconds=step), 45.0) for step in range(20)]
    )
    # Revised before it is published: the topic never sees what was told first.
    for temperature in (20.0, 39.0, 21.0):
        loader.load([Observed(f"{prefix}-hasty", now - step * _SECOND, temperature) for step in range(10)])


def _revise(loader: Loader, weather: list[Observed]) -> None:
    """Tell other values of some observations: hotter, then not known, then with a flag of quality."""
    some = weather[::8]
    loader.load([replace(item, temperature_c=39.5) for item in some])
    loader.load([replace(item, temperature_c=None, wind_speed_ms=18.0) for item in some[::3]])
    loader.load(some[::2], quality="V")


def _messages(
    stack: Stack, prefix: str, now: datetime, start: datetime
) -> tuple[list[Message], list[Message]]:
    """Give what is produced straight to the topic, of the first version of the schema and of the second."""
    v1, v2 = (registered(stack, "readings-value", version) for version in (1, 2))
    old: list[Message] = []
    new: list[Message] = []
    for number, told in enumerate(_told(stack, prefix, now, start)):
        # What devices produce themselves is in no history, so it has another source than what is loaded.
        source = f"{prefix}-device{'-2' if told.second else ''}"
        value = record(told.observed, source, revision=told.revision, quality=told.quality, fetched_at=now)
        # The first version of the schema has no quality.
        kinds = [(new, v2)] if told.quality or number % 2 else [(old, v1)]
        if number % 16 == 0:
            kinds = [(old, v1), (new, v2)]
        for sent, version in kinds:
            sent.extend([(told.observed.station_id, framed(*version, value))] * told.times)
    return old, new


def _told(stack: Stack, prefix: str, now: datetime, start: datetime) -> Iterator[Told]:
    yield from odd(prefix, now, start)
    for number, item in enumerate(compressed_cities(stack.recording, _PRODUCED, _HOURS, start, prefix)):
        yield Told(item, times=3 if number % 20 == 0 else 1)
    since = start + FIVE_MINUTES
    for item in sources.from_gateway(readings_csv(stack, since, since + 3 * FIVE_MINUTES)):
        yield Told(replace(item, station_id=f"{prefix}-{item.station_id}"))
