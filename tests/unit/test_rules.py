"""The rules: how they are read, and when a reading crosses one."""

from __future__ import annotations

import io
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import fastavro
import pytest

from pipeline.config import config_dir
from pipeline.errors import ConfigError
from pipeline.readings import Reading
from pipeline.rules import Rule, evaluate, load_rules, nearest
from pipeline.schemas import avro_schema
from pipeline.units import to_canonical

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
HEAT = (
    "{ id: heat, metric: temperature, comparison: '>', threshold: 100, unit: °F,"
    " severity: critical, message: Hot }"
)


def reading(**measures: float | None) -> Reading:
    """Give a reading with those values."""
    return Reading(
        station_id="phoenix",
        observed_at=NOON,
        source="open-meteo",
        origin="live",
        revision=2,
        fetched_at=NOON,
        **measures,
    )


def load(tmp_path: Path, *entries: str) -> tuple[Rule, ...]:
    """Load a rule file of those entries."""
    path = tmp_path / "rules.yaml"
    path.write_text("rules:\n" + "".join(f"  - {entry}\n" for entry in entries), encoding="utf-8")
    return load_rules(path)


def test_a_threshold_becomes_canonical(tmp_path: Path) -> None:
    (rule,) = load(tmp_path, HEAT)
    assert rule == Rule("heat", "temperature", ">", 37.77777777777778, "°C", "critical", "Hot")


@pytest.mark.parametrize(
    ("change", "to", "message"),
    [
        (
            "temperature",
            "colour",
            r"\.metric: .*'temperature', 'humidity', 'pressure' or 'wind_speed', got 'colour'",
        ),
        ("°F", "°R", r"\.unit: unknown unit '°R'; known are .*, got '°R'"),
        ("°F", "hPa", r"\.unit: unit 'hPa' measures pressure, not temperature; use °C or °F or K"),
        ("'>'", "'=>'", r"\.comparison: .*got '=>'"),
        ("critical", "dire", r"\.severity: .*got 'dire'"),
        ("threshold: 100", "threshold: '100'", r"\.threshold: .*got '100'"),
        ("threshold: 100", "threshold: .inf", r"\.threshold: .*finite number, got inf"),
        ("message: Hot", "message: Hot, colour: red", r"\.colour: unknown key"),
        ("severity: critical, ", "", r"\.severity: is missing"),
        ("id: heat", "id: 100 °F", r"\.id: .*got '100 °F'"),
        ("id: heat", "id: frost", r"\.id: 'frost' is given 2 times"),
    ],
)
def test_a_bad_rule_is_named_with_file_field_and_value(
    tmp_path: Path, change: str, to: str, message: str
) -> None:
    assert change in HEAT
    frost = HEAT.replace("heat", "frost")
    with pytest.raises(
        ConfigError, match=rf"^{tmp_path}/rules\.yaml: rules\[\d\] \(id '.*'\){message}"
    ) as caught:
        load(tmp_path, frost, HEAT.replace(change, to))
    assert "\n" not in str(caught.value)


def test_no_rules_at_all_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text("rules: []\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"rules: .*at least 1 item"):
        load_rules(path)


@pytest.mark.parametrize(
    ("comparison", "below", "at", "above"),
    [(">", 0, 0, 1), (">=", 0, 1, 1), ("<", 1, 0, 0), ("<=", 1, 1, 0)],
)
def test_what_a_reading_at_the_threshold_and_beside_it_raises(
    tmp_path: Path, comparison: str, below: int, at: int, above: int
) -> None:
    rules = load(tmp_path, HEAT.replace(">", comparison))
    threshold = to_canonical(100, "°F", "temperature")
    temperatures = (math.nextafter(threshold, -math.inf), threshold, math.nextafter(threshold, math.inf))
    raised = [len(evaluate(rules, reading(temperature_c=value))) for value in temperatures]
    assert raised == [below, at, above]


def test_a_missing_value_and_nan_raise_nothing(tmp_path: Path) -> None:
    rules = load(tmp_path, HEAT)
    assert evaluate(rules, reading(temperature_c=None, humidity_pct=5.0)) == ()
    # A reading cannot hold NaN; what comes by another way must not alert either.
    for comparison in (">", ">=", "<", "<="):
        (rule,) = load(tmp_path, HEAT.replace(">", comparison))
        assert not rule.crossed_by(math.nan)


def test_an_alert_tells_all_of_its_reading_and_rule(tmp_path: Path) -> None:
    hot = reading(temperature_c=45.0)
    (alert,) = evaluate(load(tmp_path, HEAT), hot)
    assert alert.model_dump() == {
        "alert_id": f"{hot.event_id}/heat",
        "rule_id": "heat",
        "severity": "critical",
        "station_id": "phoenix",
        "observed_at": NOON,
        "source": "open-meteo",
        "origin": "live",
        "event_id": hot.event_id,
        "revision": 2,
        "metric": "temperature",
        "value": 45.0,
        "threshold": 37.77777777777778,
        "unit": "°C",
        "message": "Hot",
    }


def test_an_alert_fits_its_avro_schema(tmp_path: Path) -> None:
    (alert,) = evaluate(load(tmp_path, HEAT), reading(temperature_c=45.0))
    schema = fastavro.parse_schema(avro_schema("alert.v1.avsc"))
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, schema, alert.to_avro(NOON), strict=True)
    buffer.seek(0)
    record: Any = fastavro.schemaless_reader(buffer, schema, None)
    assert record == {**alert.model_dump(), "raised_at": NOON}


def test_each_rule_that_is_crossed_raises_its_alert() -> None:
    rules = load_rules(config_dir() / "rules.yaml")
    raised = evaluate(
        rules, reading(temperature_c=-31.0, humidity_pct=9.0, pressure_hpa=979.0, wind_speed_ms=25.0)
    )
    assert [alert.rule_id for alert in raised] == [
        "frost",
        "extreme-cold",
        "gale",
        "storm",
        "deep-low",
        "dry-air",
    ]
    assert (
        evaluate(
            rules, reading(temperature_c=20.0, humidity_pct=50.0, pressure_hpa=1013.0, wind_speed_ms=3.0)
        )
        == ()
    )


def test_the_committed_heat_rule_is_above_100_fahrenheit() -> None:
    rules = {rule.id: rule for rule in load_rules(config_dir() / "rules.yaml")}
    heat = rules["heat-100f"]
    assert (heat.comparison, heat.threshold, heat.severity) == (
        ">",
        to_canonical(100, "°F", "temperature"),
        "critical",
    )


def test_the_nearest_reading_is_told_in_usual_spreads_of_its_metric(tmp_path: Path) -> None:
    gale = (
        "{ id: gale, metric: wind_speed, comparison: '>=', threshold: 17.2, unit: m/s, "
        "severity: info, message: Gale }"
    )
    rules = load(tmp_path, HEAT, gale)
    warm = reading(temperature_c=33.0)
    breezy = reading(wind_speed_ms=16.0)
    found = nearest(rules, [reading(temperature_c=20.0), warm, breezy])
    assert found is not None
    assert (found.rule.id, found.reading, found.value) == ("gale", breezy, 16.0)
    assert found.distance == pytest.approx(1.2 / 3)
    warmer = nearest(rules, [warm, reading(wind_speed_ms=2.0)])
    assert warmer is not None
    assert warmer.rule.id == "heat"
    assert warmer.distance == pytest.approx(0.4777777)


def test_a_reading_over_a_line_is_at_distance_nought_and_nothing_is_nearest_to_nothing(
    tmp_path: Path,
) -> None:
    rules = load(tmp_path, HEAT)
    found = nearest(rules, [reading(temperature_c=50.0)])
    assert found is not None
    assert found.distance == 0.0
    assert nearest(rules, []) is None
    assert nearest(rules, [reading(temperature_c=None)]) is None
