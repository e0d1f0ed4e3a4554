"""The equations: what must be equal at every hop, and what is missing where it is not. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, cast

from pipeline.readings import utc_text
from pipeline.rules import alert_id
from pipeline.windows import averages, window_start

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipeline.readings import Reading
    from pipeline.reconcile.books import Books, Record

__all__ = ["Equation", "Policy", "equations"]

_SHOWN: Final = 5
_SELFTEST: Final = "selftest"
# A reading may be this much ahead of its append time (see the data contract): so every reading of a window
# that begins so long after the period's begin came within the period.
_AHEAD: Final = timedelta(seconds=300)


@dataclass(frozen=True, slots=True)
class Policy:
    """What of the platform's facts decides about averages."""

    window_seconds: int
    allowed_lateness: timedelta


@dataclass(frozen=True, slots=True)
class Equation:
    """One hop: both sides with their numbers; `examples` name some of what is on one side only."""

    hop: str
    left: str
    left_count: int
    right: str
    right_count: int
    examples: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Tell whether both sides are equal, and hold the same."""
        return self.left_count == self.right_count and not self.examples


def equations(books: Books, policy: Policy) -> list[Equation]:
    """Compare every hop, in the order of the path."""
    return [
        *_of_the_history(books),
        *_of_the_topic(books),
        *_of_the_alerts(books),
        _of_averages(books, policy),
    ]


def _of_the_history(books: Books) -> Iterator[Equation]:
    for source, loads in sorted(books.loads.items()):
        rows = books.rows.get(source)
        parts = loads.stored + loads.revised + loads.unchanged + loads.rejected
        yield Equation(
            f"{source} → loads", "fetched", loads.fetched, "stored + revised + unchanged + rejected", parts
        )
        yield Equation(
            f"{source}: loads → history",
            "stored by loads",
            loads.stored,
            "rows",
            rows.readings if rows else 0,
        )
        yield Equation(
            f"{source}: loads → rejected",
            "rejected for the first time",
            loads.rejected - loads.rejected_again,
            "rejected rows",
            rows.rejected if rows else 0,
        )
        yield Equation(
            f"{source}: loads → outbox",
            "to publish",
            loads.to_publish,
            "revisions of streamed rows",
            rows.revisions if rows else 0,
        )
        yield Equation(
            f"{source}: outbox",
            "streamed rows",
            rows.streamed if rows else 0,
            "published + waiting",
            rows.published + rows.waiting if rows else 0,
        )
    for source in sorted(books.rows.keys() - books.loads.keys()):
        yield Equation(
            f"{source}: loads → history", "stored by loads", 0, "rows", books.rows[source].readings
        )


def _of_the_topic(books: Books) -> Iterator[Equation]:
    on_topic = {record.event_id for record in books.records}
    loaded = {record.event_id for record in books.records if record.source in books.loads}
    published = books.published | (loaded - books.unknown)
    yield _sets("outbox → topic", "published", published, "on the topic, by distinct id", loaded)
    dead = {record.event_id for record in books.records if record.place in books.dead}
    tests = {record.event_id for record in books.records if record.origin == _SELFTEST}
    # An event may be good in one version and refused in another, so the stored ones are taken first.
    stored = (on_topic & books.stored) - tests
    refused = (on_topic & dead) - stored - tests
    yield _sets(
        "topic → Cassandra",
        "on the topic, by distinct id",
        on_topic - tests,
        f"in readings_by_station ({len(stored):,}) + dead letters ({len(refused):,})",
        stored | refused,
    )
    undecoded = {f"{partition}/{offset}" for partition, offset in books.undecoded}
    letters = {f"{partition}/{offset}" for partition, offset in books.undecoded & books.dead}
    yield _sets("topic → dead letters", "cannot be decoded", undecoded, "dead letters of them", letters)


def _of_the_alerts(books: Books) -> Iterator[Equation]:
    good = _whole_events(books)
    expected = {(one.station_id, one.observed_at, rule, one.source) for one in good for rule in one.alerts}
    known = {(one.station_id, one.observed_at, one.source) for one in good}
    by_station, by_day = (
        {key for key in table if (key[0], key[1], key[3]) in known}
        for table in (books.alerts_by_station, books.alerts_by_day)
    )
    yield _sets("readings → alerts", "recomputed", expected, "alerts_by_station", by_station)
    yield _sets("alerts", "alerts_by_station", by_station, "alerts_by_day", by_day)
    ids = {alert_id(one.event_id, rule) for one in good for rule in one.alerts}
    found = ids & books.alerts_on_topic
    yield _sets("alerts → topic", "recomputed", ids, "on the topic alerts, by distinct id", found)


def _whole_events(books: Books) -> list[Record]:
    """Give the good records of the events of which the first version lies in the period.

    Of an event whose first version came earlier, neither its alerts nor what it gave to an average can be
    told. Rows of the self-test go by themselves.
    """
    good = [one for one in books.records if one.place not in books.dead and one.origin != _SELFTEST]
    begun = {one.event_id for one in good if one.revision == 1}
    return [one for one in good if one.event_id in begun]


def _of_averages(books: Books, policy: Policy) -> Equation:
    good = _whole_events(books)
    # What is no number would be a dead letter, whose loss another equation tells.
    on_time = [
        one
        for one in good
        if one.appended_at - one.observed_at <= policy.allowed_lateness
        and (one.temperature_c is None or isfinite(one.temperature_c))
    ]
    # A record has all that an average takes of a reading.
    computed = averages(cast("Iterable[Reading]", on_time), policy.window_seconds)
    wanted = {
        (one.station_id, one.window_start): (
            one.temperature_c_mean,
            one.temperature_c_min,
            one.temperature_c_max,
            one.readings,
        )
        for one in computed
    }
    told = {one.event_id for one in good}
    left_out = books.moving | {
        (one.station_id, window_start(one.observed_at, policy.window_seconds))
        for one in books.records
        if one.event_id not in told and one.place not in books.dead
    }
    whole = {key for key in wanted if key[1] >= books.since + _AHEAD and key not in left_out}
    return _sets(
        "readings → averages",
        "recomputed",
        {(*key, *wanted[key]) for key in whole},
        "averages_by_station",
        {(*key, *books.averages[key]) for key in whole if key in books.averages},
    )


def _sets(hop: str, left: str, lefts: set[Any] | frozenset[Any], right: str, rights: set[Any]) -> Equation:
    differing = sorted(lefts ^ rights, key=repr)[:_SHOWN]
    examples = tuple(f"{'not' if one in lefts else 'only'} in {right}: {_text(one)}" for one in differing)
    return Equation(hop, left, len(lefts), right, len(rights), examples)


def _text(key: Any) -> str:
    if not isinstance(key, tuple):
        return str(key)
    return " ".join(utc_text(part) if hasattr(part, "tzinfo") else str(part) for part in key)
