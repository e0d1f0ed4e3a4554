"""The product's pure parts give what the oracle says, which shares no code with them."""

from __future__ import annotations

import math
import tempfile
from dataclasses import astuple
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline import oracle, rules, windows
from pipeline.errors import ConfigError, ReadingError
from pipeline.infra.layout import PROJECT_ROOT
from pipeline.readings import FIELDS, LIMITS, Reading, event_id
from pipeline.units import METRICS, Metric, to_canonical, units_of
from tests import strategies
from tests.oracle.messages import RULES, record_of
from tests.strategies import EPOCH

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

COMMITTED = rules.load_rules(PROJECT_ROOT / "config" / "rules.yaml")
NOON = EPOCH + timedelta(days=20_000, hours=12)
WINDOW = 300


def around(value: float) -> list[float]:
    """Give a double and its neighbours."""
    return [math.nextafter(value, -math.inf), value, math.nextafter(value, math.inf)]


def near_a_line(metric: Metric) -> SearchStrategy[float | None]:
    """Give values at the committed lines and limits, hundredths, any other plausible one, and none."""
    low, high = LIMITS[metric]
    lines = [rule.threshold for rule in COMMITTED if rule.metric == metric]
    edges = [
        value for line in (*lines, low, high, 0.0, -0.0) for value in around(line) if low <= value <= high
    ]
    hundredths = st.integers(math.ceil(low * 100), math.floor(high * 100)).map(lambda value: value / 100)
    return st.none() | st.sampled_from(edges) | hundredths | strategies.plausible(metric)


def readings(observed: SearchStrategy[datetime]) -> SearchStrategy[Reading]:
    """Give readings of few events, in several versions."""
    return st.builds(
        Reading,
        station_id=st.sampled_from(["a", "b"]),
        source=st.sampled_from(["gateway", "nws"]),
        observed_at=observed,
        origin=strategies.origins,
        revision=st.integers(1, 3),
        fetched_at=st.integers(0, 3).map(lambda seconds: NOON + timedelta(seconds=seconds)),
        **{FIELDS[metric]: near_a_line(metric) for metric in METRICS},
    )


# From the window's first instant to the next one's, its last millisecond and the borders more often.
in_a_window = (st.sampled_from([-1, 0, 299_999, 300_000, 300_001]) | st.integers(0, 600_000)).map(
    lambda millis: NOON + timedelta(milliseconds=millis)
)


def hot(temperature_c: float) -> Reading:
    """Give a reading of that temperature."""
    return Reading.parse(
        {"station_id": "a", "source": "nws", "observed_at": NOON, "origin": "live", "fetched_at": NOON}
        | {"temperature_c": temperature_c}
    )


@given(readings(in_a_window))
@example(hot(340 / 9))
@example(hot(math.nextafter(340 / 9, 38)))
@example(hot(37.8))
@example(hot(0.0))
@example(hot(-0.0))
@example(hot(-5e-324))
def test_a_reading_raises_the_alerts_that_the_oracle_says(reading: Reading) -> None:
    """With the committed rules, in every field."""
    expected = oracle.judge([record_of(reading)], RULES).alerts
    found = [alert.model_dump() for alert in rules.evaluate(COMMITTED, reading)]
    assert [vars(alert) for alert in expected] == sorted(found, key=lambda alert: str(alert["rule_id"]))


@st.composite
def rule_files(draw: st.DrawFn) -> str:
    """Give a file of rules in whatever units, with a threshold or a unit that may be none."""
    entries = []
    for number in range(draw(st.integers(1, 3))):
        metric = draw(strategies.metrics)
        threshold: SearchStrategy[Any] = (
            st.integers(-500, 1500)
            | st.integers(-50_000, 150_000).map(lambda value: value / 100)
            | st.floats(-1e6, 1e6)
            | st.sampled_from([math.nan, math.inf, True, "20", None])
        )
        entries.append(
            {
                "id": f"rule-{number}",
                "metric": metric,
                "comparison": draw(st.sampled_from([">", ">=", "<", "<="])),
                "threshold": draw(threshold),
                "unit": draw(st.sampled_from([*units_of(metric), *units_of(metric), "mph", "°R"])),
                "severity": draw(st.sampled_from(["info", "warning", "critical"])),
                "message": "over",
            }
        )
    return yaml.safe_dump({"rules": entries}, allow_unicode=True)


@given(rule_files())
def test_a_file_of_rules_is_read_as_the_oracle_reads_it_or_refused_by_both(text: str) -> None:
    """Thresholds are the same doubles, whatever the unit."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rules.yaml")
        path.write_text(text, encoding="utf-8")
        try:
            expected = oracle.load_rules(path)
        except oracle.OracleError:
            expected = ()
        try:
            found = rules.load_rules(path)
        except ConfigError:
            found = ()
    assert [(rule.id, rule.metric, rule.comparison, rule.threshold, rule.unit) for rule in expected] == [
        (rule.id, rule.metric, rule.comparison, rule.threshold, rule.unit) for rule in found
    ]


@given(st.integers(-1500, 2500))
@example(1000)
def test_as_many_degrees_fahrenheit_as_a_rule_has_cross_it_only_with_an_equal_sign(tenths: int) -> None:
    """A source's 100 °F is at the line of 100 °F, though neither is a whole number of °C."""
    (heat,) = [rule for rule in COMMITTED if rule.id == "heat-100f"]
    celsius = to_canonical(tenths / 10, "°F", "temperature")
    (line,) = [rule for rule in RULES if rule.id == "heat-100f"]
    assert (tenths > 1000) == line.crossed_by(celsius) == heat.crossed_by(celsius)


@given(st.lists(readings(in_a_window), max_size=12))
def test_the_averages_are_those_of_the_oracle(some: list[Reading]) -> None:
    """Of any versions, copies and borders, to the last digit."""
    expected = oracle.judge(map(record_of, some), ()).averages
    assert list(map(astuple, expected)) == list(map(astuple, windows.averages(some, WINDOW)))


@given(strategies.slugs, strategies.instants, strategies.slugs)
def test_ids_of_events_are_the_oracles(station_id: str, observed_at: datetime, source: str) -> None:
    """They key every row."""
    assert oracle.event_id(station_id, observed_at, source) == event_id(station_id, observed_at, source)


@given(
    st.sampled_from(["a", "a-b", "A", "", "a\n", "-a", "a--b", "é", "a" * 64, "a" * 65]),
    st.sampled_from(["live", "replay", "synthetic", "selftest", "Live", ""]),
    st.sampled_from(METRICS),
    st.data(),
)
def test_what_is_no_reading_is_none_for_both(
    station_id: str, origin: str, metric: Metric, data: st.DataObject
) -> None:
    """Names, origins, and values at their limits, beyond them, and of no number at all."""
    low, high = LIMITS[metric]
    edges = [*around(low), *around(high), math.nan, math.inf, -math.inf, -0.0, 1e308]
    values: dict[str, Any] = {
        "station_id": station_id,
        "source": "nws",
        "observed_at": NOON,
        "fetched_at": NOON,
        "origin": origin,
        FIELDS[metric]: data.draw(st.sampled_from(edges) | st.floats()),
    }
    refused = oracle.judge([oracle.Record(**values, appended_at=NOON, via="source")], ()).rejected
    try:
        Reading.parse(values)
    except ReadingError:
        assert refused
    else:
        assert not refused
