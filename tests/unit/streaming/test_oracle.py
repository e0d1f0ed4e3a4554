"""What the queries decide of each message, and the averages of many, against the oracle."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from pipeline.infra.layout import PROJECT_ROOT
from pipeline.oracle import Average, Outcome, Record, judge
from pipeline.readings import FIELDS, LIMITS, ORIGINS
from pipeline.rules import load_rules
from pipeline.streaming.alerts import alerts
from pipeline.streaming.averages import averages, watermark_seconds
from pipeline.streaming.decode import judged, readings
from tests import profiles
from tests.oracle.messages import RULES
from tests.unit.streaming.frames import READING, decoded

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy
    from pyspark.sql import SparkSession

COMMITTED = load_rules(PROJECT_ROOT / "config" / "rules.yaml")
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
MILLI = timedelta(milliseconds=1)
LATENESS_S, WINDOW_S = 14_400, 300
# The words by which the queries tell what the oracle has a class for.
SAID = {
    "future": "observed_at is",
    "not-finite": ", outside of",
    "out-of-range": ", outside of",
    "event-id": ", no UUID",
    "name": ", no name",
    "origin": ", none of",
    "revision": ", less than 1",
    "before-1900": ", before 1900",
    "fetched-ahead": "fetched_at is",
}


def around(value: float) -> list[float]:
    return [math.nextafter(value, -math.inf), value, math.nextafter(value, math.inf)]


def values(field: str) -> SearchStrategy[float | None]:
    """Give none, values at the lines and the limits, beyond these, and any double."""
    (metric,) = [metric for metric, name in FIELDS.items() if name == field]
    low, high = LIMITS[metric]
    edges = [v for rule in COMMITTED if rule.metric == metric for v in around(rule.threshold)]
    edges += [*around(low), *around(high), 0.0, -0.0, 37.8, 0.0005, math.nan, math.inf, -math.inf]
    plausible = st.floats(low, high)
    return st.none() | st.sampled_from(edges) | plausible | plausible


# Mostly what is accepted: one field that is not decides a message.
names = st.sampled_from(["oslo", "rome"] * 8 + ["oslo\n", "Oslo", "", "o--slo", "a" * 64, "a" * 65, "é"])
events = st.sampled_from([""] * 12 + ["7", "BE38D660-E6CD-560B-97C5-AE3FC94D48D9"])
seconds = st.sampled_from([0, 1, 299_999, 300_000]) | st.integers(0, 600_000)
delays = st.sampled_from(
    [LATENESS_S * 1000 + over for over in (-1, 0, 1)] + [-300_000 + over for over in (-1, 0, 1)] + [1000] * 8
)
fetches = st.sampled_from([0] * 12 + [86_400_000, 86_400_001])


@st.composite
def records(draw: st.DrawFn) -> Record:
    observed_at = NOON + draw(seconds) * MILLI
    if draw(st.integers(0, 15)) == 0:
        observed_at = datetime(1900, 1, 1, tzinfo=UTC) - draw(st.integers(0, 1)) * MILLI
    appended_at = observed_at + draw(delays) * MILLI
    return Record(
        station_id=draw(names),
        source=draw(st.sampled_from(["nws", "nws", "gateway"])),
        observed_at=observed_at,
        appended_at=appended_at,
        fetched_at=appended_at + draw(fetches) * MILLI,
        origin=draw(st.sampled_from([*ORIGINS * 4, "rumour"])),
        revision=draw(st.sampled_from([1, 2, 3] * 4 + [0, -(2**31), 2**31 - 1])),
        event_id=draw(events),
        temperature_c=draw(values("temperature_c")),
        humidity_pct=draw(values("humidity_pct")),
        pressure_hpa=draw(values("pressure_hpa")),
        wind_speed_ms=draw(values("wind_speed_ms")),
    )


@profiles.SPARK
@given(st.lists(records(), min_size=1, max_size=60))
def test_each_message_is_judged_as_by_the_oracle(spark: SparkSession, some: list[Record]) -> None:
    """Dead letter or reading, and why; late or not; its alerts, in every field."""
    rows = [(_row(one), one.appended_at) for one in some]
    frame = judged(decoded(spark, rows)).cache()
    reasons = {row["offset"]: row["reason"] for row in frame.collect()}
    raised = {
        row["offset"]: [alert.asDict() for alert in row["alerts"] or []]
        for row in alerts(frame, COMMITTED).collect()
    }
    numbered = frame.withColumn("reading", frame["reading"].withField("offset", frame["offset"]))
    timely = {row["offset"]: row["on_time"] for row in readings(numbered, LATENESS_S).collect()}
    frame.unpersist()
    for offset, one in enumerate(some):
        alone = judge([one], RULES)
        _assert_judged(one, alone, reasons[offset])
        assert [row.on_time for row in alone.readings] == [timely[n] for n in [offset] if n in timely]
        expected = [
            {name: value for name, value in vars(alert).items() if name != "observed_at"}
            for alert in alone.alerts
        ]
        found = [
            {name: value for name, value in alert.items() if name not in {"observed_at", "raised_at"}}
            for alert in sorted(raised[offset], key=lambda alert: str(alert["rule_id"]))
        ]
        assert expected == found, one


@profiles.SPARK
@given(st.lists(records(), min_size=1, max_size=60))
def test_the_averages_are_the_oracles(spark: SparkSession, some: list[Record]) -> None:
    """Of all that is good and on time, in whatever order, to the last digit."""
    frame = judged(decoded(spark, [(_row(one), one.appended_at) for one in some]))
    kept = readings(frame, LATENESS_S).where("on_time")
    found = averages(kept, WINDOW_S, watermark_seconds(LATENESS_S)).collect()
    columns = list(Average.__dataclass_fields__)
    rows = [Average(**{name: row[name] for name in columns}) for row in found]
    assert set(judge(some, ()).averages) == {_in_utc(row) for row in rows}


def _row(one: Record) -> dict[str, Any]:
    return {name: getattr(one, name) for name in READING.names}


def _assert_judged(one: Record, alone: Outcome, reason: str | None) -> None:
    if not alone.dead_lettered:
        assert reason is None, one
        return
    (letter,) = alone.dead_lettered
    assert reason is not None, (one, letter.reasons)
    assert any(SAID[fault] in reason for fault in letter.reasons), (reason, letter.reasons)


def _in_utc(row: Average) -> Average:
    times = {"window_start": row.window_start.astimezone(UTC), "window_end": row.window_end.astimezone(UTC)}
    return Average(**{**vars(row), **times})
