"""The product's sources ask this API and understand it as the oracle does, which shares no code with them."""

from __future__ import annotations

from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from pipeline.feeds import load_feeds
from pipeline.sources.asking import Asker
from pipeline.sources.kinds import source_of
from pipeline.weather_api.app import open_app
from pipeline.weather_api.settings import WeatherApiSettings
from tests.local_server import serve
from tests.oracle import sources as oracle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.sources import Fetched

DAY = Path(__file__).parents[2] / "data" / "synthetic-day"
NOW = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
FEEDS = {feed.facts.id: feed for feed in load_feeds()}
CLIENT = httpx.Client()


@pytest.fixture(scope="module", params=[None, DAY], ids=["synthetic", "replay"])
def api(request: pytest.FixtureRequest) -> Iterator[str]:
    with serve(open_app(WeatherApiSettings(now=NOW, replay=request.param))) as url:
        yield url


def fetched(api: str, source: str, start: datetime, end: datetime) -> Fetched:
    """Fetch what all stations of a source observed."""
    feed = FEEDS[source]
    with Asker(api, CLIENT) as asker:
        return asker.fetch(source_of(feed.facts), feed.stations, start, end, fetched_at=NOW)


def values(found: Fetched) -> list[tuple[Any, ...]]:
    """Give station, time and values of each reading."""
    assert found.rejected == ()
    return sorted((r.station_id, r.observed_at, *r.measures.values()) for r in found.readings)


def test_the_gateway_is_read_to_the_digit(api: str) -> None:
    start, end = NOW - timedelta(minutes=5), NOW
    answer = CLIENT.get(
        f"{api}/gateway/readings.csv", params={"start": start.isoformat(), "end": end.isoformat()}
    )
    found = fetched(api, "gateway", start, end)
    assert sorted(map(astuple, oracle.from_gateway(answer.text))) == values(found)
    assert len(found.readings) == 300
    assert {reading.origin for reading in found.readings} == {"synthetic"}


def test_the_weather_service_is_read_to_the_digit(api: str) -> None:
    start, end = NOW - timedelta(hours=6), NOW
    ids = {station.source_code: station.id for station in FEEDS["nws"].stations}
    told = [
        observed
        for code in ids
        for observed in oracle.from_nws(
            CLIENT.get(
                f"{api}/stations/{code}/observations",
                params={"start": start.isoformat(), "end": end.isoformat()},
            ).text,
            ids,
        )
    ]
    found = fetched(api, "nws", start, end)
    assert sorted(map(astuple, told)) == values(found)
    assert len(found.readings) >= 3 * 5
    assert {reading.quality for reading in found.readings} == {"V"}
