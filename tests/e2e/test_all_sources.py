"""Three sources at once through Airflow, PostgreSQL, Kafka and Spark into Cassandra, each row as computed."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import pytest

from tests.e2e.runs import run_before, succeed
from tests.e2e.tables import alerts_of, averages_of, await_equal, readings_of, stored
from tests.e2e.weather import station_places
from tests.oracle import sources
from tests.oracle import weather as oracle
from tests.oracle.messages import crossings, outcome_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.e2e.stack import Stack

    Query = Callable[[str], list[dict[str, Any]]]

pytestmark = [pytest.mark.engine, pytest.mark.e2e]

HOUR = timedelta(hours=1)
FIVE_MINUTES = timedelta(minutes=5)
HOT_C = 340 / 9  # 100 °F

# The airports in the recording, by the city whose weather each shows.
AIRPORTS = {
    "nws-kbos": "Boston",
    "nws-kjfk": "New York",
    "nws-klas": "Las Vegas",
    "nws-kmdw": "Chicago",
    "nws-kmia": "Miami",
    "nws-kphx": "Phoenix",
    "nws-ksan": "San Diego",
    "nws-ksea": "Seattle",
}


class Fed(NamedTuple):
    """What a source told of [start, end), by station and time, and how its values are labelled."""

    source: str
    start: datetime
    end: datetime
    origin: str
    quality: str | None
    observed: list[oracle.Observed]

    @property
    def stations(self) -> set[str]:
        """Who observed."""
        return {item.station_id for item in self.observed}


@pytest.fixture(scope="module")
def gateway(stack: Stack) -> Fed:
    """Five minutes in which a device is hot: the heat wave comes to one of them every half hour or so."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    newest = now - timedelta(minutes=now.minute % 5)
    for end in (newest - FIVE_MINUTES * back for back in range(1, 24)):
        observed = sources.from_gateway(_readings_csv(stack, end - FIVE_MINUTES, end))
        if any(item.temperature_c and item.temperature_c > HOT_C for item in observed):
            return Fed("gateway", end - FIVE_MINUTES, end, "synthetic", None, sorted(observed))
    pytest.fail("no device was hot in two hours")


@pytest.fixture(scope="module")
def fed(stack: Stack, recording: Path, this_hour: datetime, gateway: Fed) -> list[Fed]:
    """Let Airflow fetch from all three sources at once; give what each told, as computed apart."""
    triggers = {"ingest_gateway": gateway.end, "ingest_nws": this_hour, "ingest_open_meteo": this_hour}
    with stack.airflow() as airflow:
        for dag_id in ("publish_readings", *triggers):
            airflow.unpause(dag_id)
        for run in [run_before(airflow, dag_id, at) for dag_id, at in triggers.items()]:
            succeed(airflow, run)
    hourly = oracle.recorded(recording, this_hour, 3, station_places())
    airports = oracle.recorded(recording, this_hour, 3, oracle.places_of(recording, AIRPORTS))
    start = this_hour - HOUR
    return [
        gateway,
        Fed("open-meteo", start, this_hour, "replay", None, _within(hourly, start, this_hour)),
        # Asked for one hour more, for what airports report late.
        Fed("nws", start - HOUR, this_hour, "replay", "V", _within(airports, start - HOUR, this_hour)),
    ]


def test_the_history_holds_what_each_source_told(stack: Stack, fed: list[Fed]) -> None:
    """One row for each observation, in canonical units, with its source, its label and its quality flag."""
    assert [300, True, True] == [len(fed[0].observed), bool(fed[1].observed), bool(fed[2].observed)]
    for part in fed:
        rows = stack.select(
            "SELECT station_id, observed_at, temperature_c, humidity_pct, pressure_hpa, wind_speed_ms, "
            "origin, quality, revision "
            "FROM readings WHERE source = %s AND observed_at >= %s AND observed_at < %s",
            *part[:3],
        )
        assert [(*_told(item), part.origin, part.quality, 1) for item in part.observed] == sorted(rows)


def test_every_record_is_accounted_for_by_a_load(stack: Stack, fed: list[Fed]) -> None:
    """Each load of an interval tells how much it was given, and as many rows carry its name as it stored."""
    for part in fed:
        loads = stack.select(
            "SELECT fetched, stored, unchanged, revised, rejected, to_publish, count(station_id) "
            "FROM loads LEFT JOIN readings USING (load_id, source) "
            "WHERE source = %s AND window_start = %s AND window_end = %s GROUP BY loads.load_id",
            *part[:3],
        )
        assert loads, part.source
        # The schedule may have loaded the same interval beside the run of this test.
        for fetched, new, unchanged, revised, rejected, to_publish, rows in loads:
            assert (len(part.observed), 0, 0) == (fetched, revised, rejected)
            assert (new, new, new) == (fetched - unchanged, to_publish, rows)


def test_each_reading_is_shown_as_it_was_told(query: Query, fed: list[Fed]) -> None:
    """The readings' table has each one, on time, and no other of these stations and hours."""
    for part in fed:
        expected = {stored(item, part.source, quality=part.quality) for item in part.observed}
        await_equal(
            f"readings of {part.source}",
            expected,
            lambda part=part: {  # type: ignore[misc]
                row
                for row in readings_of(query, part.stations)
                if part.start <= row.observed_at < part.end and row.source == part.source
            },
        )


def test_each_crossing_is_an_alert_and_nothing_else_is(query: Query, fed: list[Fed]) -> None:
    """Heat of a device, of a city and of an airport: one row a rule, station and observation."""
    for part in fed:
        expected = crossings(outcome_of(part.observed, part.source, part.origin))
        assert any(rule == "heat-100f" for _, _, rule in expected), part.source
        await_equal(
            f"alerts of {part.source}",
            expected,
            lambda part=part: {  # type: ignore[misc]
                alert for alert in alerts_of(query, part.stations) if part.start <= alert[1] < part.end
            },
        )


def test_five_minutes_of_each_device_are_one_average(query: Query, fed: list[Fed]) -> None:
    """Mean, least, greatest and count, to the last digit, of thirty readings and of one."""
    for part in fed:
        expected = set(outcome_of(part.observed, part.source, part.origin).averages)
        assert {30 if part.source == "gateway" else 1} == {mean.readings for mean in expected}
        await_equal(
            f"averages of {part.source}",
            expected,
            lambda part=part: {  # type: ignore[misc]
                mean
                for mean in averages_of(query, part.stations)
                if part.start <= mean.window_start < part.end
            },
        )


def _readings_csv(stack: Stack, start: datetime, end: datetime) -> str:
    times = {name: at.isoformat() for name, at in (("start", start), ("end", end))}
    answer = httpx.get(f"{stack.url('weather_api')}/gateway/readings.csv", params=times, trust_env=False)
    assert answer.status_code == 200, answer.text
    return answer.text


def _within(observed: Sequence[oracle.Observed], start: datetime, end: datetime) -> list[oracle.Observed]:
    return [item for item in observed if start <= item.observed_at < end]


def _told(item: oracle.Observed) -> tuple[Any, ...]:
    return dataclasses.astuple(item)
