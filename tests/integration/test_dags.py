"""The DAGs from end to end in a real Airflow: weather API → PostgreSQL → Kafka, each of them real.

Airflow has an environment of its own (.venv-airflow), so its runs are in another process; its own database
is SQLite.
"""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from pipeline.feeds import load_feeds
from pipeline.history import History, HistoryRow
from pipeline.settings import HistorySettings
from pipeline.stations import DEFAULT_SOURCE, load_stations, stations_of
from pipeline.weather_api.app import create_app, open_weather
from pipeline.weather_api.settings import WeatherApiSettings
from tests.integration.platform_jobs import run_history, run_kafka, run_postgres, run_schemas
from tests.local_server import serve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from starlette.requests import Request

    from tests.integration.containers import Kafka, Postgres, Registry

pytestmark = pytest.mark.engine

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-airflow" / "bin" / "python"
RUN_DAGS = ROOT / "tests" / "airflow" / "run_dags.py"

SOURCES = ("open_meteo", "gateway", "nws")
THIS_HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
NEWEST = THIS_HOUR - timedelta(hours=1)


class Airflow:
    """Runs DAGs one after another, in a process and on a database of its own; leaving it ends the process."""

    def __init__(self, home: Path, connections: Mapping[str, Mapping[str, Any]]) -> None:
        self._environment = {
            **os.environ,
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "pipeline" / "airflow_plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
            "AIRFLOW__DATABASE__LOAD_DEFAULT_CONNECTIONS": "False",
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
            "GALEWATCH_CONFIG_DIR": str(ROOT / "config"),
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self._said = home / "said"
        self._variables: dict[str, str] = {}
        self._running = ExitStack()
        self.set_connections(connections)

    def __enter__(self) -> Self:
        """Make the database and start the process."""
        assert PYTHON.exists(), "there is no .venv-airflow: `make test` makes it"
        with ExitStack() as running:
            said = running.enter_context(self._said.open("w"))
            migrate = [str(PYTHON), "-m", "airflow", "db", "migrate"]
            done = subprocess.run(
                migrate, env=self._environment, stdout=said, stderr=said, timeout=300, check=False
            )
            assert done.returncode == 0, self._last_said()
            self._process = running.enter_context(
                subprocess.Popen(
                    [str(PYTHON), str(RUN_DAGS)],
                    env=self._environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=said,
                    text=True,
                )
            )
            running.callback(self._process.terminate)
            self._running = running.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self._running.close()

    def set_connections(self, connections: Mapping[str, Mapping[str, Any]]) -> None:
        """Set connections, as Airflow takes them from variables."""
        for name, fields in connections.items():
            self._variables[f"AIRFLOW_CONN_{name.upper()}"] = json.dumps({"conn_type": "generic", **fields})

    def run(self, dag_id: str, logical_date: datetime | None = None) -> dict[str, Any]:
        """Run a DAG; returns its state and what its tasks returned."""
        at = logical_date and logical_date.isoformat()
        asked = {"dag_id": dag_id, "logical_date": at, "variables": self._variables}
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        told = self._process.stdout.readline()
        assert told, self._last_said()
        answer: dict[str, Any] = json.loads(told)
        return answer

    def _last_said(self) -> str:
        return self._said.read_text(encoding="utf-8", errors="replace")[-6000:]


@pytest.fixture(scope="module")
def weather() -> Iterator[str]:
    settings = WeatherApiSettings()
    with serve(create_app(open_weather(settings), settings.clock)) as url:
        yield url


def http(url: str) -> dict[str, Any]:
    host, _, port = url.removeprefix("http://").partition(":")
    return {"schema": "http", "host": host, "port": int(port)}


@pytest.fixture(scope="module")
def airflow(
    tmp_path_factory: pytest.TempPathFactory,
    weather: str,
    postgres: Postgres,
    kafka: Kafka,
    registry: Registry,
) -> Iterator[Airflow]:
    run_postgres(postgres)
    run_history(postgres)
    run_kafka(kafka)
    run_schemas(registry)
    registry_root, _, path = registry.url.partition("/apis")
    with Airflow(
        tmp_path_factory.mktemp("airflow"),
        {
            "galewatch_history": {
                "host": postgres.host,
                "port": postgres.port,
                "schema": "history",
                "login": "history",
                "password": postgres.password("history"),
            },
            "galewatch_kafka": {
                "host": kafka.host,
                "port": kafka.port,
                "login": "publisher",
                "password": kafka.password("publisher"),
            },
            "galewatch_registry": {
                **http(registry_root),
                "login": "client",
                "password": registry.password("client"),
                "extra": {"path": f"/apis{path}"},
            },
            **{f"galewatch_{source}": http(weather) for source in SOURCES},
            "galewatch_selftest": {**http(weather), "extra": {"path": "/selftest"}},
        },
    ) as airflow:
        yield airflow


@pytest.fixture
def history(postgres: Postgres, airflow: Airflow) -> Iterator[History]:  # noqa: ARG001 - it makes the tables
    settings = HistorySettings(
        host=postgres.host,
        port=postgres.port,
        database="history",
        user="history",
        password=postgres.password("history"),
    )
    with History(settings) as opened:
        yield opened


def stored(history: History, since: datetime, until: datetime) -> list[HistoryRow]:
    return history.readings(since=since, until=until, limit=10_000)


def test_an_hour_of_weather_travels_from_the_api_through_the_history_to_kafka_and_only_once(
    airflow: Airflow, history: History
) -> None:
    count = len(stations_of(load_stations(ROOT / "config" / "stations.yaml"), DEFAULT_SOURCE))
    first = airflow.run("ingest_open_meteo", THIS_HOUR)
    assert first["state"] == "success"
    loaded = first["returned"]["load"]
    load_id = loaded.pop("load_id")
    assert loaded == {
        "source": "open-meteo",
        "window_start": NEWEST.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "window_end": THIS_HOUR.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "stored": count,
        "revised": 0,
        "unchanged": 0,
        "rejected": 0,
        "empty": 0,
        "to_publish": count,
    }
    rows = stored(history, NEWEST, THIS_HOUR)
    assert {(NEWEST, load_id)} == {(row.reading.observed_at, row.load_id) for row in rows}
    assert all(row.published_at is None for row in rows)

    assert airflow.run("publish_readings") == {"state": "success", "returned": {"publish": count}}
    assert all(row.published_at for row in stored(history, NEWEST, THIS_HOUR))

    again = airflow.run("ingest_open_meteo", THIS_HOUR + timedelta(seconds=1))
    assert (0, 0, count) == tuple(
        again["returned"]["load"][key] for key in ("stored", "revised", "unchanged")
    )
    assert airflow.run("publish_readings") == {"state": "success", "returned": {"publish": 0}}


@pytest.mark.parametrize(
    ("source", "intervals_asked", "of_each_station"),
    # Devices measure every ten seconds; airports once an hour, and the hour before is asked for again.
    [("gateway", 1, 30), ("nws", 2, 1)],
)
def test_an_interval_of_each_other_source_is_stored_whole_and_only_once(
    airflow: Airflow, history: History, source: str, intervals_asked: int, of_each_station: int
) -> None:
    feed = next(feed for feed in load_feeds(ROOT / "config") if feed.facts.id == source)
    length = feed.facts.interval_time
    count = len(feed.stations) * of_each_station * intervals_asked
    first = airflow.run(feed.facts.dag_id, THIS_HOUR)
    assert first["state"] == "success"
    loaded = first["returned"]["load"]
    assert (loaded["source"], loaded["stored"], loaded["rejected"], loaded["empty"]) == (source, count, 0, 0)
    rows = [
        row
        for row in stored(history, THIS_HOUR - intervals_asked * length, THIS_HOUR)
        if row.reading.source == source
    ]
    assert {station.id for station in feed.stations} == {row.reading.station_id for row in rows}
    assert {(loaded["load_id"], "synthetic")} == {(row.load_id, row.reading.origin) for row in rows}
    assert len(rows) == count

    again = airflow.run(feed.facts.dag_id, THIS_HOUR + timedelta(seconds=1))
    assert (0, 0, count) == tuple(
        again["returned"]["load"][key] for key in ("stored", "revised", "unchanged")
    )
    assert airflow.run("publish_readings") == {
        "state": "success",
        "returned": {"publish": loaded["to_publish"]},
    }


def test_an_hour_of_last_week_is_history_only(airflow: Airflow, history: History) -> None:
    end = THIS_HOUR - timedelta(days=7)
    ran = airflow.run("ingest_open_meteo", end)
    assert (ran["state"], ran["returned"]["load"]["to_publish"]) == ("success", 0)
    rows = stored(history, end - timedelta(hours=1), end)
    assert len(rows) == ran["returned"]["load"]["stored"]
    assert not any(row.streamed for row in rows)


def test_the_selftest_is_one_reading_to_publish(airflow: Airflow, history: History) -> None:
    ran = airflow.run("selftest")
    assert (ran["state"], ran["returned"]["load"]["to_publish"]) == ("success", 1)
    (row,) = history.readings(station_id="galewatch-selftest")
    assert row.reading.origin == "selftest"


def test_a_refused_request_fails_the_run_without_another_try_and_stores_nothing(
    airflow: Airflow, history: History, weather: str
) -> None:
    asked: list[str] = []

    def refuse(request: Request) -> JSONResponse:
        asked.append(request.url.path)
        return JSONResponse({"error": True, "reason": "Latitude must be in range of -90 to 90°."}, 400)

    end = THIS_HOUR - timedelta(days=8)
    with serve(Starlette(routes=[Route("/{path:path}", refuse)])) as url:
        airflow.set_connections({"galewatch_open_meteo": http(url)})
        try:
            ran = airflow.run("ingest_open_meteo", end)
        finally:
            airflow.set_connections({"galewatch_open_meteo": http(weather)})
    assert (ran["state"], asked) == ("failed", ["/v1/forecast"])
    assert stored(history, end - timedelta(hours=1), end) == []
