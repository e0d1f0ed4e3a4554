"""What people type and read: `galewatch …` on an environment with data, and the first alert of `make up`.

The schedule goes on meanwhile, so that a store is compared with what a command shows of it until nothing has
come in between.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.config import config_dir
from pipeline.infra.first_alert import prove
from pipeline.infra.layout import ENVIRONMENT_LABEL, SERVICE_LABEL, Layout
from pipeline.infra.progress import Progress
from pipeline.infra.show import console, ending
from tests.e2e.tables import all_alerts, averages_of, await_agreement, readings_of
from tests.e2e.weather import station_places
from tests.oracle import weather as oracle
from tests.oracle.messages import crossings, outcome_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.infra.first_alert import Outcome
    from tests.e2e.stack import Stack

    Query = Callable[[str], list[dict[str, Any]]]

pytestmark = [pytest.mark.engine, pytest.mark.e2e]

HOUR = timedelta(hours=1)
ALL = ("--limit", "100000", "--since", "400d")


@pytest.fixture(scope="module")
def first(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Take the newest interval through the path, as `make up` does when everything runs."""
    with stack.airflow() as airflow, Progress("up", tmp_path_factory.mktemp("logs")) as progress:
        return prove(stack.environment(), config_dir(), airflow, progress)


@pytest.fixture
def galewatch(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Run a command on the environment; give what it prints."""
    environment = stack.environment()
    monkeypatch.setenv("GALEWATCH_ENV", stack.name)
    monkeypatch.setenv("GALEWATCH_PORT_OFFSET", str(environment.port_offset))
    monkeypatch.setattr("pipeline.infra.layout.Layout.secrets", environment.secrets)

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(app, arguments)
        assert 0 == result.exit_code, result.output
        return result.stdout

    return run


def objects(text: str) -> list[dict[str, Any]]:
    lines = text.splitlines()
    assert len(set(lines)) == len(lines), text
    return [json.loads(line) for line in lines]


def at(row: dict[str, Any], column: str) -> datetime:
    return datetime.fromisoformat(row[column]).astimezone(UTC)


def test_make_up_ends_with_the_alerts_of_the_newest_hour(
    stack: Stack, first: Outcome, recording: Path, this_hour: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exactly those of the recording, in words on the screen, with where to look next."""
    assert (this_hour - HOUR, this_hour) == (first.start, first.end)
    told = [
        one
        for one in oracle.recorded(recording, this_hour, 3, station_places())
        if first.start <= one.observed_at < first.end
    ]
    expected = crossings(outcome_of(told, "open-meteo", "replay"))
    assert expected
    assert expected == {(one.station_id, one.observed_at, one.rule_id) for one in first.alerts}
    assert (len(told), None, None) == (first.readings, first.nearest, first.test)

    ending(console(), Layout(stack.name), first, {"airflow": stack.url("airflow")})
    shown = capsys.readouterr().out
    assert f"from {len(told)} readings, as Cassandra has them" in shown
    assert len(expected) > 15 or all(station_id in shown for station_id, _, _ in expected)
    assert stack.url("airflow") in shown


@pytest.mark.usefixtures("first")
def test_alerts_and_averages_are_shown_as_cassandra_has_them(
    query: Query, galewatch: Callable[..., str]
) -> None:
    """All of them, newest first; of one station; as JSON and as a table."""
    await_agreement(
        "galewatch alerts",
        lambda: all_alerts(query),
        lambda: {
            (row["station_id"], at(row, "observed_at"), row["rule_id"])
            for row in objects(galewatch("alerts", *ALL, "--json"))
        },
    )
    newest = objects(galewatch("alerts", "--limit", "3", "--json"))
    assert sorted(newest, key=lambda row: at(row, "observed_at"), reverse=True) == newest
    station = newest[0]["station_id"]
    assert {station} == {
        row["station_id"] for row in objects(galewatch("alerts", "--station", station, "--json"))
    }
    (one,) = objects(galewatch("alerts", "--station", station, "--limit", "1", "--json"))
    assert one["message"][:12] in galewatch("alerts", "--station", station)

    await_agreement(
        "galewatch averages",
        lambda: {
            (mean.window_start, mean.temperature_c_mean, mean.readings)
            for mean in averages_of(query, {station})
        },
        lambda: {
            (at(row, "window_start"), row["temperature_c_mean"], row["readings"])
            for row in objects(galewatch("averages", "--station", station, *ALL, "--json"))
        },
    )
    assert station in galewatch("averages", "--station", station)


@pytest.mark.usefixtures("first")
def test_history_and_latest_are_shown_as_they_are_stored(
    stack: Stack, query: Query, galewatch: Callable[..., str]
) -> None:
    """The one from PostgreSQL, the other from Cassandra, with the mean of the last five minutes."""
    (station,) = stack.select("SELECT station_id FROM readings GROUP BY 1 ORDER BY count(*) DESC LIMIT 1")[0]
    of_the_station = "SELECT observed_at, temperature_c FROM readings WHERE station_id = %s"
    await_agreement(
        "galewatch history",
        lambda: set(stack.select(of_the_station, station)),
        lambda: {
            (at(row, "observed_at"), row["temperature_c"])
            for row in objects(galewatch("history", "--station", station, *ALL, "--json"))
        },
    )
    assert station in galewatch("history", "--station", station, "--limit", "1")

    newest = max(reading.observed_at for reading in readings_of(query, {station}))
    (row,) = objects(galewatch("latest", "--station", station, "--json"))
    assert newest <= at(row, "observed_at")
    assert {station} < {row["station_id"] for row in objects(galewatch("latest", "--json"))}
    assert station in galewatch("latest", "--station", station)


def test_status_and_doctor_find_everything_well(stack: Stack, galewatch: Callable[..., str]) -> None:
    """Every container with its memory, and every hop of the path."""
    told = {row["name"]: row for row in objects(galewatch("status", "--json"))}
    label = {"label": f"{ENVIRONMENT_LABEL}={stack.name}"}
    found = stack.engine.containers.list(all=True, filters=label)
    assert {container.labels[SERVICE_LABEL] for container in found} == set(told)
    assert all(row["is_well"] for row in told.values())
    assert told["cassandra"]["memory_mib"] > 100
    table = galewatch("status")
    assert all(name in table for name in told)
    assert "The path is whole." in galewatch("doctor")
    (whole,) = objects(galewatch("doctor", "--json"))
    assert whole["first_broken"] is None
    assert {"ok"} == {hop["state"] for hop in whole["hops"]}
