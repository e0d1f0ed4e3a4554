"""What becomes of messages of each kind: of both versions, repeated, late, early, poison, revised.

All of it is produced at once, so that each kind is in the others' way. What must come out is the oracle's.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from pipeline.oracle import event_id
from tests.e2e.feeding import DEVICES, SOURCE, store
from tests.e2e.runs import succeed
from tests.e2e.tables import alerts_of, averages_of, await_equal, readings_of, stored
from tests.e2e.topics import Place, dead_letters, produce, registered
from tests.oracle.messages import crossings, framed, outcome_of, record
from tests.oracle.weather import Observed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.stack import Stack
    from tests.e2e.tables import Stored

    Query = Callable[[str], list[dict[str, Any]]]

# What Airflow has to try again later (test_retries) it may wait for meanwhile.
pytestmark = [pytest.mark.engine, pytest.mark.e2e, pytest.mark.usefixtures("troubled")]

UNKNOWN_ID = 987_654
SECOND = timedelta(seconds=1)


class Sent(NamedTuple):
    """What was produced: readings that must be stored, those of them that count, and poison by its reason."""

    kept: list[Stored]
    on_time: list[Observed]
    late: list[Observed]
    poison: dict[Place, tuple[str, bytes | None, str]]

    @property
    def stations(self) -> set[str]:
        """All stations, those of the poison too."""
        return {row.station_id for row in self.kept} | {key for key, _, _ in self.poison.values()}


@pytest.fixture(scope="module")
def sent(stack: Stack) -> Sent:
    """Produce one of everything, twice what may come twice, and ordinary readings in between."""
    v1, v2 = (registered(stack, "readings-value", version) for version in (1, 2))
    now = datetime.now(UTC).replace(microsecond=0)
    # The window before this one: none of its readings is in the future, and all are on time.
    start = now.replace(second=0) - timedelta(minutes=now.minute % 5 + 5)
    kept: list[Stored] = []
    on_time: list[Observed] = []
    messages: list[tuple[str, bytes | None]] = []

    def keep(observed: Observed, *, old: bool = False, quality: str | None = None, times: int = 1) -> None:
        value = record(observed, DEVICES, quality=quality)
        messages.extend([(observed.station_id, framed(*(v1 if old else v2), value))] * times)
        kept.append(stored(observed, DEVICES, quality=quality))
        on_time.append(observed)

    for step in range(6):
        at = start + step * 10 * SECOND
        keep(Observed("e2e-old", at, 36.0 + step, 30.0, 1001.5, 4.5), old=True)
        keep(Observed("e2e-new", at, 39.0 - step, None, 979.25, 17.2), quality="V" if step % 2 else None)
        keep(Observed("e2e-both", at, -0.1 * step, 9.99), old=step % 2 == 0)
        keep(Observed("e2e-twice", at, 20.1 + step), times=3)
        keep(Observed("e2e-ordinary", at, 21.5, 50.0, 1013.0, 24.5))

    late = Observed("e2e-ordinary", now - timedelta(hours=5), 44.4)
    messages.append((late.station_id, framed(*v2, record(late, DEVICES, quality=None))))
    kept.append(stored(late, DEVICES, on_time=False))

    poison = _poison(now, v2.schema_id, v2.schema)
    first = len(messages)
    messages += [(key, value) for key, value, _ in poison]
    # After all that would silence or stop a query: the very last one must still be heard.
    keep(Observed("e2e-after", start + 299 * SECOND, 41.0))
    places = produce(stack, messages)
    return Sent(kept, on_time, [late], dict(zip(places[first : first + len(poison)], poison, strict=True)))


def test_readings_of_both_versions_are_stored_once_with_what_their_version_has(
    query: Query, sent: Sent
) -> None:
    """Three times the same is one row; v1 has no quality; one that is late says so; poison is no row."""
    await_equal("readings", set(sent.kept), lambda: readings_of(query, sent.stations))


def test_whatever_crosses_a_line_alerts_also_when_it_is_late(query: Query, sent: Sent) -> None:
    """Alerts are those of the stored readings, the late one's too, and none comes of poison or the future."""
    expected = crossings(outcome_of([*sent.on_time, *sent.late], DEVICES, "synthetic"))
    assert (sent.late[0].station_id, sent.late[0].observed_at, "heat-100f") in expected
    await_equal("alerts", expected, lambda: alerts_of(query, sent.stations))


def test_averages_count_each_reading_once_and_no_late_one(query: Query, sent: Sent) -> None:
    """Thrice the same counts once; the late one counts nowhere; the one from the future silences nobody."""
    expected = set(outcome_of(sent.on_time, DEVICES, "synthetic").averages)
    assert {1, 6} == {mean.readings for mean in expected}
    await_equal("averages", expected, lambda: averages_of(query, sent.stations))


def test_each_poison_is_a_dead_letter_with_its_reason_its_place_and_its_bytes(
    stack: Stack, sent: Sent
) -> None:
    """No more and no less than what was poison, each by where it lay; nothing of its bytes is changed."""

    def letters() -> list[tuple[Place, str, bytes | None, dict[str, str]]]:
        return [letter for letter in dead_letters(stack) if letter[1] in sent.stations]

    expected = {(place, key, value) for place, (key, value, _) in sent.poison.items()}
    await_equal("dead letters", expected, lambda: {letter[:3] for letter in letters()})
    for place, _, value, headers in letters():
        _, _, reason = sent.poison[place]
        assert reason in headers["reason"], headers
        assert headers["topic"] == "readings"
        framed_id = str(int.from_bytes(value[1:5])) if value and len(value) >= 5 and value[0] == 0 else None
        assert headers.get("schema_id") == framed_id


def test_a_revision_replaces_the_reading_may_alert_and_is_not_counted_twice(
    stack: Stack, query: Query
) -> None:
    """Another value of an observation: history, reading and alert follow, the average has one reading."""
    now = datetime.now(UTC).replace(microsecond=0)
    at = now.replace(second=0) - timedelta(minutes=now.minute % 5 + 5)
    first, second = (Observed("e2e-revised", at, value) for value in (36.5, 38.5))
    _store_and_publish(stack, first)
    await_equal("the reading", {stored(first, SOURCE)}, lambda: readings_of(query, ["e2e-revised"]))
    average = set(outcome_of([first], SOURCE, "synthetic").averages)
    await_equal("the average", average, lambda: averages_of(query, ["e2e-revised"]))
    assert set() == alerts_of(query, ["e2e-revised"])

    _store_and_publish(stack, second)
    rows = stack.select(
        "SELECT temperature_c, revision, event_id::text FROM readings WHERE station_id = 'e2e-revised'"
    )
    assert [(38.5, 2, event_id("e2e-revised", at, SOURCE))] == rows
    await_equal(
        "the revised reading",
        {stored(second, SOURCE, revision=2)},
        lambda: readings_of(query, ["e2e-revised"]),
    )
    await_equal("its alert", {("e2e-revised", at, "heat-100f")}, lambda: alerts_of(query, ["e2e-revised"]))
    assert average == averages_of(query, ["e2e-revised"])


def _poison(now: datetime, schema_id: int, schema: Any) -> list[tuple[str, bytes | None, str]]:
    """Give key, bytes and a part of the reason of everything that cannot be a reading."""
    at = now - 30 * SECOND

    def with_temperature(value: float) -> bytes:
        # Each its own station: dead letters are told apart by their place, and these by their keys as well.
        return framed(schema_id, schema, record(Observed("e2e-poison", at, value), DEVICES, quality=None))

    fine = with_temperature(20.0)
    future = record(Observed("e2e-future", now + timedelta(minutes=10), 45.0), DEVICES, quality=None)
    return [
        ("e2e-future", framed(schema_id, schema, future), "in the future"),
        ("e2e-poison", b"\x01" + fine[1:], "magic byte"),
        ("e2e-poison", fine[:4], "short"),
        ("e2e-poison", fine[:40], "cannot be decoded"),
        ("e2e-poison", b"\x00" + UNKNOWN_ID.to_bytes(4) + fine[5:], str(UNKNOWN_ID)),
        ("e2e-poison", with_temperature(math.nan), "temperature_c is NaN"),
        ("e2e-poison", with_temperature(math.inf), "temperature_c is Infinity"),
        ("e2e-poison", with_temperature(500.0), "temperature_c is 500"),
        ("e2e-poison", None, "no value"),
    ]


def _store_and_publish(stack: Stack, observed: Observed) -> None:
    """Store a reading as a load does, and let Airflow publish it."""
    store(stack, [observed])
    with stack.airflow() as airflow:
        succeed(airflow, airflow.trigger("publish_readings"))
