"""Books that agree, and what is said when one row is taken out of any store."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.readings import event_id
from pipeline.reconcile.books import Books, Loads, Record, Rows
from pipeline.reconcile.equations import Equation, Policy, equations

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
SINCE = NOON - timedelta(hours=1)
POLICY = Policy(window_seconds=300, allowed_lateness=timedelta(hours=4))


def record(
    offset: int, station: str, seconds: int, temperature: float | None = 20.0, **values: Any
) -> Record:
    source = values.pop("source", "gateway")
    observed_at = NOON + timedelta(seconds=seconds)
    known = {
        "place": (0, offset),
        "appended_at": observed_at + timedelta(minutes=6),
        "event_id": event_id(station, observed_at, source),
        "station_id": station,
        "observed_at": observed_at,
        "source": source,
        "origin": "synthetic",
        "revision": 1,
        "fetched_at": observed_at + timedelta(minutes=5),
        "temperature_c": temperature,
        "alerts": ("heat",) if temperature and temperature > 37 else (),
    }
    return Record(**{**known, **values})


RECORDS = (
    record(0, "a", 0, 20.0),
    record(1, "a", 10, 21.0),
    record(2, "b", 0, 40.0),
    record(3, "sim-0001", 0, 39.0, source="simulator"),
    # refused: out of range
    record(4, "b", 10, 400.0, alerts=()),
)
DEAD = frozenset({(0, 4), (0, 5)})
ALERTS = frozenset((one.station_id, one.observed_at, "heat", one.source) for one in RECORDS[2:4])

AGREEING = Books(
    since=SINCE,
    until=NOON + timedelta(minutes=10),
    loads={"gateway": Loads(6, 4, 1, 0, 1, 0, 5)},
    rows={"gateway": Rows(readings=4, rejected=1, revisions=5, streamed=4, published=4, waiting=0)},
    published=frozenset(one.event_id for one in RECORDS if one.source == "gateway"),
    unknown=frozenset(),
    records=RECORDS,
    undecoded=frozenset({(0, 5)}),
    dead=DEAD,
    stored=frozenset(one.event_id for one in RECORDS[:4]),
    alerts_by_station=ALERTS,
    alerts_by_day=ALERTS,
    alerts_on_topic=frozenset(f"{one.event_id}/heat" for one in RECORDS[2:4]),
    averages={
        ("a", NOON): (20.5, 20.0, 21.0, 2),
        ("b", NOON): (40.0, 40.0, 40.0, 1),
        ("sim-0001", NOON): (39.0, 39.0, 39.0, 1),
    },
    moving=frozenset(),
)


def broken(books: Books) -> list[Equation]:
    return [one for one in equations(books, POLICY) if not one.holds]


def without(some: Any, index: int = 0) -> Any:
    kept = sorted(some, key=repr)
    del kept[index]
    return frozenset(kept)


def test_books_that_agree_break_no_equation() -> None:
    found = equations(AGREEING, POLICY)
    assert [] == [one for one in found if not one.holds]
    assert len(found) == 5 + 3 + 3 + 1


ROWS = AGREEING.rows["gateway"]


@pytest.mark.parametrize(
    ("changed", "hops"),
    [
        ({"rows": {"gateway": replace(ROWS, readings=3)}}, ["gateway: loads → history"]),
        ({"rows": {"gateway": replace(ROWS, rejected=0)}}, ["gateway: loads → rejected"]),
        ({"rows": {"gateway": replace(ROWS, revisions=4)}}, ["gateway: loads → outbox"]),
        ({"rows": {"gateway": replace(ROWS, published=3)}}, ["gateway: outbox"]),
        ({"loads": {"gateway": Loads(7, 4, 1, 0, 1, 0, 5)}}, ["gateway → loads"]),
        ({"stored": without(AGREEING.stored)}, ["topic → Cassandra"]),
        ({"dead": frozenset({(0, 5)})}, ["topic → Cassandra"]),
        ({"dead": frozenset({(0, 4)})}, ["topic → dead letters"]),
        ({"alerts_by_station": without(ALERTS)}, ["readings → alerts", "alerts"]),
        ({"alerts_by_day": without(ALERTS)}, ["alerts"]),
        ({"alerts_on_topic": without(AGREEING.alerts_on_topic)}, ["alerts → topic"]),
        ({"averages": {key: value for key, value in AGREEING.averages.items() if key[0] != "b"}},
         ["readings → averages"]),
        ({"averages": {**AGREEING.averages, ("a", NOON): (20.5, 20.0, 21.0, 3)}}, ["readings → averages"]),
        ({"published": AGREEING.published | {"gone-from-the-topic"}}, ["outbox → topic"]),
        ({"published": frozenset(), "unknown": frozenset({RECORDS[0].event_id})}, ["outbox → topic"]),
    ],
)  # fmt: skip
def test_one_row_too_few_in_any_store_breaks_its_hop(changed: dict[str, Any], hops: list[str]) -> None:
    assert set(hops) <= {one.hop for one in broken(replace(AGREEING, **changed))}


@pytest.mark.parametrize("temperature", [float("nan"), float("inf"), float("-inf")])
def test_a_value_that_is_no_number_is_missed_where_its_dead_letter_is_gone(temperature: float) -> None:
    poison = record(6, "b", 20, temperature, alerts=())
    books = replace(AGREEING, records=(*RECORDS, poison), published=AGREEING.published | {poison.event_id})
    assert [] == broken(replace(books, dead=DEAD | {(0, 6)}))
    (found,) = broken(books)
    assert ("topic → Cassandra", True) == (found.hop, poison.event_id in found.examples[0])


def test_what_is_missing_is_named() -> None:
    lost = RECORDS[0].event_id
    (equation,) = broken(replace(AGREEING, stored=AGREEING.stored - {lost}))
    assert any(lost in example and example.startswith("not in") for example in equation.examples)
    assert (5, 4) == (equation.left_count, equation.right_count)


def test_what_direct_producers_sent_is_in_no_history_and_breaks_nothing() -> None:
    only = tuple(one for one in RECORDS if one.source == "simulator")
    ids = frozenset(one.event_id for one in only)
    books = replace(
        AGREEING, records=only, published=frozenset(), stored=ids, undecoded=frozenset(),
    )  # fmt: skip
    assert [] == broken(books)


def test_a_duplicate_on_the_topic_is_one_event() -> None:
    again = tuple(replace(one, place=(1, number)) for number, one in enumerate(RECORDS[:4]))
    assert [] == broken(replace(AGREEING, records=RECORDS + again))


def test_a_late_reading_is_stored_and_in_no_average() -> None:
    late = record(6, "a", 20, 30.0, appended_at=NOON + timedelta(hours=5))
    assert [] == broken(
        replace(
            AGREEING,
            records=(*RECORDS, late),
            stored=AGREEING.stored | {late.event_id},
            published=AGREEING.published | {late.event_id},
        )
    )


def test_a_revision_counts_its_first_version_in_the_average() -> None:
    again = replace(RECORDS[0], place=(0, 7), revision=2, temperature_c=35.0)
    assert [] == broken(replace(AGREEING, records=(*RECORDS, again)))


def test_an_event_that_was_revised_before_the_period_is_left_out() -> None:
    old = tuple(replace(one, revision=2) if one.station_id == "b" else one for one in RECORDS)
    others = frozenset(key for key in ALERTS if key[0] != "b")
    books = replace(
        AGREEING,
        records=old,
        averages={**AGREEING.averages, ("b", NOON): (1.0, 1.0, 1.0, 1)},
        alerts_by_station=others,
        alerts_by_day=others,
    )
    assert [] == broken(books)
    assert {"readings → alerts", "readings → averages"} == {
        one.hop for one in broken(replace(books, records=RECORDS))
    }


def test_the_self_test_whose_rows_go_by_themselves_is_left_out() -> None:
    test = record(8, "galewatch-selftest", 0, 45.0, origin="selftest", source="open-meteo")
    assert [] == broken(replace(AGREEING, records=(*RECORDS, test)))


def test_a_window_that_more_readings_come_into_while_the_books_are_read_is_left_out() -> None:
    books = replace(AGREEING, averages={**AGREEING.averages, ("a", NOON): (1.0, 1.0, 1.0, 9)})
    assert [] != broken(books)
    assert [] == broken(replace(books, moving=frozenset({("a", NOON)})))


def test_a_window_at_the_very_begin_of_the_period_may_lack_readings() -> None:
    books = replace(AGREEING, since=NOON - timedelta(seconds=299), averages={})
    assert [] == broken(books)
    assert [] != broken(replace(books, since=NOON - timedelta(seconds=300)))
