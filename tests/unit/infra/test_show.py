"""What `make up` ends with, as text."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from pipeline.infra.first_alert import Outcome
from pipeline.infra.layout import Layout
from pipeline.infra.show import ending, near_miss
from pipeline.readings import Reading
from pipeline.rules import Nearest, Rule
from pipeline.serving import Alert

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HEAT = Rule("heat-100f", "temperature", ">", 37.8, "°C", "critical", "Temperature above 100 °F")
ADDRESSES = {
    "airflow": "http://127.0.0.1:18080",
    "driver_alerts": ["http://127.0.0.1:18040"],
    "kafka": "127.0.0.1:19092",
}


def alert(station_id: str, **changes: Any) -> Alert:
    values: dict[str, Any] = {
        "station_id": station_id, "observed_at": NOON, "rule_id": HEAT.id, "severity": "critical",
        "metric": "temperature", "value": 40.25, "threshold": 37.8, "unit": "°C", "message": HEAT.message,
        "source": "open-meteo", "origin": "live", "event_id": "x", "revision": 1, "raised_at": NOON,
    }  # fmt: skip
    return Alert(**(values | changes))


def text(outcome: Outcome, environment: str = "dev", width: int = 80) -> str:
    out = Console(file=io.StringIO(), width=width)
    ending(out, Layout(environment), outcome, ADDRESSES)
    written = out.file.getvalue()  # type: ignore[attr-defined] # a StringIO
    return str(written)


def outcome(*alerts: Alert, **more: Any) -> Outcome:
    return Outcome(NOON, NOON.replace(hour=13), 58, alerts, **more)


def test_alerts_are_shown_with_value_limit_and_kind_of_weather_within_80_columns() -> None:
    shown = text(outcome(alert("upington"), alert("oslo", origin="synthetic")))
    (line,) = [line for line in shown.splitlines() if "upington" in line]
    assert line.split("  ")[0] == "12:00"
    for part in ("Temperature above 100 °F", "40.2 °C", "37.8 °C", "live"):
        assert part in line
    assert "synthetic" in shown
    assert max(len(line) for line in shown.splitlines()) <= 80


def test_the_gravest_alerts_come_first_and_a_crowd_is_counted() -> None:
    crowd = [alert(f"s{number:02}", severity="info", message="Frost") for number in range(20)]
    lines = text(outcome(*crowd, alert("zz-last"))).splitlines()
    first = next(index for index, line in enumerate(lines) if line.startswith("12:00"))
    assert "zz-last" in lines[first]
    assert "… and 6 more" in "\n".join(lines)


def test_without_an_alert_the_nearest_reading_and_the_test_are_shown_as_what_they_are() -> None:
    reading = Reading(
        station_id="oslo",
        observed_at=NOON,
        source="open-meteo",
        origin="live",
        temperature_c=36.0,
        fetched_at=NOON,
    )
    test = alert("galewatch-selftest", origin="selftest")
    shown = text(outcome(nearest=Nearest(HEAT, reading, 36.0, 0.18), test=test), width=200)
    assert "None of the 58 readings of 2026-11-21, 12:00 to 13:00 UTC crosses a rule." in shown
    assert "oslo at 2026-11-21T12:00:00Z with 36.0 °C (temperature; heat-100f wants > 37.8 °C)" in shown
    assert "test reading (no real weather)" in shown
    (line,) = [line for line in shown.splitlines() if "galewatch-selftest" in line]
    assert line.rstrip().endswith("test")


def test_an_hour_without_readings_is_no_error() -> None:
    assert near_miss(None) == "There was no reading to come near one."


@pytest.mark.parametrize(
    ("environment", "command"), [("dev", "alerts,"), ("staging", "alerts --env staging,")]
)
def test_addresses_users_and_the_place_of_passwords_are_shown(environment: str, command: str) -> None:
    shown = text(outcome(alert("oslo")), environment)
    for part in (
        "http://127.0.0.1:18080",
        "http://127.0.0.1:18040",
        "airflow_admin",
        f"secrets/{environment}/",
        command,
    ):
        assert part in shown
