"""Each policy of docs/data-contract.md, by hand: what the oracle says of a few records."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.infra.layout import PROJECT_ROOT
from pipeline.oracle import Outcome, Poison, Policy, Record, Rule, judge, load_rules
from pipeline.platform import load_platform
from pipeline.readings import FIELDS, LIMITS

AT = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MILLI = timedelta(milliseconds=1)
HOUR = timedelta(hours=1)
HEAT = Rule(id="heat", metric="temperature", comparison=">", threshold=340 / 9)


def record(**values: Any) -> Record:
    known: dict[str, Any] = {
        "station_id": "oslo",
        "source": "gateway",
        "observed_at": AT,
        "temperature_c": 20.0,
    }
    known |= values
    return Record(**{"appended_at": known["observed_at"] + SECOND, **known})


def outcome(*records: Record | Poison) -> Outcome:
    return judge(records, [HEAT])


def reasons(one: Record | Poison) -> tuple[str, ...]:
    (letter,) = outcome(one).dead_lettered
    return letter.reasons


def test_its_policy_is_the_platforms() -> None:
    platform = load_platform()
    policy = Policy()
    assert platform.streaming.allowed_lateness_seconds == policy.allowed_lateness.total_seconds()
    assert platform.streaming.window_seconds == policy.window.total_seconds()
    assert platform.ingest.streaming_horizon_seconds == policy.horizon.total_seconds()
    assert {FIELDS[metric]: limits for metric, limits in LIMITS.items()} == policy.limits


def test_a_reading_is_stored_and_averaged_and_raises_what_it_crosses() -> None:
    found = outcome(record(temperature_c=40.0, humidity_pct=9.5, quality="V"))
    (alert,) = found.alerts
    (average,) = found.averages
    (reading,) = found.readings
    assert ("oslo", AT, "heat", 40.0) == (alert.station_id, alert.observed_at, alert.rule_id, alert.value)
    assert f"{reading.event_id}/heat" == alert.alert_id
    assert (AT, AT + timedelta(minutes=5), 40.0, 1) == (
        average.window_start,
        average.window_end,
        average.temperature_c_mean,
        average.readings,
    )
    assert (40.0, 9.5, None, "V", True) == (
        reading.temperature_c,
        reading.humidity_pct,
        reading.pressure_hpa,
        reading.quality,
        reading.on_time,
    )
    assert ((), (), ()) == (found.late, found.dead_lettered, found.rejected)


def test_the_event_id_is_the_one_that_is_stored_everywhere() -> None:
    one = record(observed_at=AT + 250 * MILLI)
    known = ("be38d660-e6cd-560b-97c5-ae3fc94d48d9", "401a9167-0909-5006-a34a-9203dd95dfc8")
    assert known == (record().event_id, one.event_id)


def test_a_copy_does_nothing() -> None:
    one = record(temperature_c=40.0)
    again = record(temperature_c=40.0, appended_at=AT + 2 * HOUR)
    assert outcome(one) == outcome(one, again, one)


def test_a_copy_that_comes_late_does_not_make_a_reading_late() -> None:
    one = record()
    assert outcome(one) == outcome(one, record(appended_at=AT + 5 * HOUR))


@pytest.mark.parametrize(("over", "late"), [(timedelta(0), 0), (MILLI, 1)])
def test_late_is_what_was_appended_more_than_four_hours_after_its_observation(
    over: timedelta, late: int
) -> None:
    found = outcome(record(temperature_c=40.0, appended_at=AT + 4 * HOUR + over))
    assert (late, 1 - late, 1, [not late]) == (
        len(found.late),
        len(found.averages),
        len(found.alerts),
        [row.on_time for row in found.readings],
    )


@pytest.mark.parametrize(("over", "dead"), [(timedelta(0), 0), (MILLI, 1)])
def test_the_future_begins_five_minutes_after_the_append_time(over: timedelta, dead: int) -> None:
    found = outcome(record(appended_at=AT - timedelta(minutes=5) - over))
    assert (["future"] * dead, 1 - dead, 1 - dead) == (
        [letter.reason for letter in found.dead_lettered],
        len(found.readings),
        len(found.averages),
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"temperature_c": math.nan}, ("not-finite",)),
        ({"pressure_hpa": math.inf}, ("not-finite",)),
        ({"wind_speed_ms": -math.inf, "humidity_pct": 101.0}, ("not-finite", "out-of-range")),
        ({"temperature_c": math.nextafter(70, 71)}, ("out-of-range",)),
        ({"humidity_pct": math.nextafter(0, -1)}, ("out-of-range",)),
        ({"event_id": "1"}, ("event-id",)),
        ({"station_id": "Oslo"}, ("name",)),
        ({"station_id": "oslo\n"}, ("name",)),
        ({"source": "a" * 65}, ("name",)),
        ({"origin": "dream"}, ("origin",)),
        ({"revision": 0}, ("revision",)),
        ({"observed_at": datetime(1899, 12, 31, tzinfo=UTC)}, ("before-1900",)),
        ({"fetched_at": datetime(1899, 12, 31, tzinfo=UTC)}, ("before-1900",)),
        ({"fetched_at": AT + SECOND + 24 * HOUR + MILLI}, ("fetched-ahead",)),
    ],
)
def test_what_no_reading_can_be_is_a_dead_letter_and_nothing_else(
    values: dict[str, Any], expected: tuple[str, ...]
) -> None:
    bad = record(**values)
    found = outcome(bad)
    assert expected == reasons(bad)
    assert ((), (), (), ()) == (found.alerts, found.averages, found.readings, found.late)


@pytest.mark.parametrize(
    "values",
    [
        {"temperature_c": 70.0, "humidity_pct": 0.0, "pressure_hpa": 1100.0, "wind_speed_ms": 120.0},
        {"temperature_c": -100.0, "humidity_pct": -0.0, "pressure_hpa": 500.0, "wind_speed_ms": 0.0},
        {"temperature_c": None},
        {"fetched_at": AT + SECOND + 24 * HOUR},
        {"observed_at": datetime(1900, 1, 1, tzinfo=UTC)},
        {"source": "a" * 64},
    ],
)
def test_limits_include_their_ends(values: dict[str, Any]) -> None:
    assert () == outcome(record(**values)).dead_lettered


def test_each_poison_is_a_dead_letter_of_its_own() -> None:
    poison = [Poison("no framing", 0, 7), Poison("no framing", 0, 8)]
    assert poison == [letter.message for letter in outcome(*poison, record()).dead_lettered]
    assert ("poison",) == reasons(poison[0])


def test_a_revision_replaces_the_reading_alerts_and_is_not_counted_again() -> None:
    first = record(temperature_c=36.5)
    second = record(temperature_c=38.5, humidity_pct=None, revision=2, appended_at=AT + 2 * SECOND)
    third = record(temperature_c=30.0, revision=3, appended_at=AT + 3 * SECOND)
    found = outcome(third, first, second)
    assert [(3, 30.0)] == [(row.revision, row.temperature_c) for row in found.readings]
    assert [(2, 38.5)] == [(row.revision, row.value) for row in found.alerts]
    assert [(36.5, 1)] == [(row.temperature_c_mean, row.readings) for row in found.averages]


def test_the_alert_that_is_shown_is_of_the_last_revision_that_crossed() -> None:
    versions = [
        record(temperature_c=value, revision=number) for number, value in ((1, 38.5), (2, 39.5), (3, 37.0))
    ]
    assert [(2, 39.5)] == [(row.revision, row.value) for row in outcome(*versions).alerts]


def test_which_version_is_first_its_revision_says_and_else_when_it_was_fetched() -> None:
    second = record(temperature_c=22.0, revision=2, fetched_at=AT)
    fetched_later = record(temperature_c=21.0, fetched_at=AT + 2 * SECOND)
    first = record(temperature_c=23.0, fetched_at=AT + SECOND)
    for order in ([second, fetched_later, first], [first, fetched_later, second]):
        assert [(23.0, 1)] == [(row.temperature_c_mean, row.readings) for row in outcome(*order).averages]


def test_an_average_takes_the_first_version_that_has_a_temperature() -> None:
    found = outcome(record(temperature_c=None), record(temperature_c=21.0, revision=2))
    assert [(21.0, 1)] == [(row.temperature_c_mean, row.readings) for row in found.averages]


def test_a_late_revision_is_late_by_itself() -> None:
    found = outcome(record(), record(temperature_c=21.0, revision=2, appended_at=AT + 5 * HOUR))
    assert [2] == [row.revision for row in found.late]
    assert [(2, False)] == [(row.revision, row.on_time) for row in found.readings]
    assert [20.0] == [row.temperature_c_mean for row in found.averages]


def test_a_reading_at_the_end_of_a_window_is_in_the_next_one() -> None:
    end = AT + timedelta(minutes=5)
    found = outcome(*(record(observed_at=at) for at in (AT, end - MILLI, end)))
    assert [(AT, 2), (end, 1)] == [(row.window_start, row.readings) for row in found.averages]


def test_the_mean_is_of_whole_thousandths() -> None:
    values = [0.0005, 0.0015, -0.0, 20.1]
    some = [record(observed_at=AT + number * SECOND, temperature_c=v) for number, v in enumerate(values)]
    (average,) = outcome(*some).averages
    assert (20.102 / 4, 0.0, 20.1) == (
        average.temperature_c_mean,
        average.temperature_c_min,
        average.temperature_c_max,
    )


@pytest.mark.parametrize(
    ("comparison", "crossed"),
    [
        (">", [False, False, True]),
        (">=", [False, True, True]),
        ("<", [True, False, False]),
        ("<=", [True, True, False]),
    ],
)
@pytest.mark.parametrize("threshold", [340 / 9, 37.8, 0.0, -0.0, -30.0])
def test_at_the_threshold_a_strict_rule_raises_nothing(
    comparison: str, crossed: list[bool], threshold: float
) -> None:
    rule = Rule(id="r", metric="temperature", comparison=comparison, threshold=threshold)
    near = [math.nextafter(threshold, -math.inf), threshold, math.nextafter(threshold, math.inf)]
    assert crossed == [rule.crossed_by(value) for value in near]


def test_what_is_nothing_crosses_nothing() -> None:
    for comparison in (">", ">=", "<", "<="):
        rule = Rule(id="r", metric="temperature", comparison=comparison, threshold=0.0)
        assert [False, False] == [rule.crossed_by(None), rule.crossed_by(math.nan)]
        assert [">" in comparison, "<" in comparison] == [rule.crossed_by(v) for v in (math.inf, -math.inf)]


def test_a_hundred_degrees_fahrenheit_are_the_double_nearest_to_them() -> None:
    rules = {rule.id: rule for rule in load_rules(PROJECT_ROOT / "config" / "rules.yaml")}
    heat = rules["heat-100f"]
    assert ("°C", 340 / 9) == (heat.unit, heat.threshold)
    assert [False, True, True] == [
        heat.crossed_by(value) for value in (340 / 9, math.nextafter(340 / 9, 38), 37.8)
    ]


def test_the_latest_is_the_newest_observation_of_a_station_and_source() -> None:
    found = outcome(
        record(observed_at=AT + SECOND),
        record(),
        record(station_id="bergen"),
        record(source="nws", observed_at=AT),
    )
    assert [("bergen", "gateway", AT), ("oslo", "gateway", AT + SECOND), ("oslo", "nws", AT)] == [
        (row.station_id, row.source, row.observed_at) for row in found.latest
    ]


def from_source(**values: Any) -> Record:
    return record(**{"via": "source", "fetched_at": AT + SECOND, **values})


def test_what_a_source_tells_wrongly_is_rejected_and_the_rest_is_loaded() -> None:
    found = outcome(
        from_source(temperature_c=200.0),
        from_source(temperature_c=math.nan),
        from_source(temperature_c=None, garbled="temperature_c: must be a number, got 'warm'"),
        from_source(quality="X"),
        from_source(observed_at=AT + SECOND),
        from_source(temperature_c=None),
    )
    assert ["out-of-range", "not-finite", "no-number", "quality"] == [one.reason for one in found.rejected]
    assert [AT + SECOND] == [row.observed_at for row in found.readings]
    assert () == found.dead_lettered


def test_what_was_fetched_three_hours_after_its_observation_is_history_only() -> None:
    found = outcome(
        from_source(fetched_at=AT + 3 * HOUR), from_source(observed_at=AT + MILLI, fetched_at=AT + 3 * HOUR)
    )
    assert [AT, AT + MILLI] == [row.observed_at for row in found.history]
    assert [AT + MILLI] == [row.observed_at for row in found.published]
    assert [AT + MILLI] == [row.observed_at for row in found.readings]


def test_the_history_counts_revisions_and_publishes_those_of_what_was_streamed() -> None:
    found = outcome(
        from_source(),
        from_source(fetched_at=AT + 2 * SECOND),
        from_source(temperature_c=25.0, fetched_at=AT),
        from_source(temperature_c=21.0, fetched_at=AT + 5 * HOUR, appended_at=AT + 5 * HOUR),
        from_source(temperature_c=21.0, quality="V", fetched_at=AT + 6 * HOUR, appended_at=AT + 6 * HOUR),
    )
    assert [(1, 20.0, None), (2, 21.0, None), (3, 21.0, "V")] == [
        (one.revision, one.temperature_c, one.quality) for one in found.published
    ]
    assert [3] == [row.revision for row in found.readings]
    assert [20.0] == [row.temperature_c_mean for row in found.averages]


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(TypeError, match="offset"):
        record(observed_at=datetime(2026, 7, 1), appended_at=AT)  # noqa: DTZ001 - that is the point


def test_another_policy_is_taken_as_it_is() -> None:
    one = record(appended_at=AT + 2 * HOUR)
    assert 1 == len(judge([one], [], Policy(allowed_lateness=HOUR)).late)
