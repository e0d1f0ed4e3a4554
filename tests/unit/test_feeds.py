"""The source file, and stations that name their source."""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pipeline.config import config_dir
from pipeline.errors import ConfigError
from pipeline.feeds import SourceFacts, load_feeds, load_sources

if TYPE_CHECKING:
    from pathlib import Path

HOURLY = "{ id: oslo, kind: open-meteo, interval: 1h, catch_up: 1d }"


def load(tmp_path: Path, *entries: str) -> tuple[SourceFacts, ...]:
    """Load a source file of those entries."""
    path = tmp_path / "sources.yaml"
    path.write_text("sources:\n" + "".join(f"  - {entry}\n" for entry in entries), encoding="utf-8")
    return load_sources(path)


def test_the_committed_sources_are_three_and_all_have_stations() -> None:
    feeds = {feed.facts.id: feed for feed in load_feeds()}
    assert list(feeds) == ["open-meteo", "gateway", "nws"]
    assert [len(feed.stations) for feed in feeds.values()] == [58, 10, 8]
    assert [feed.facts.dag_id for feed in feeds.values()] == [
        "ingest_open_meteo",
        "ingest_gateway",
        "ingest_nws",
    ]


@pytest.mark.parametrize(
    ("interval", "length", "cron"),
    [
        ("5m", timedelta(minutes=5), "*/5 * * * *"),
        ("30m", timedelta(minutes=30), "*/30 * * * *"),
        ("60m", timedelta(hours=1), "0 * * * *"),
        ("1h", timedelta(hours=1), "0 * * * *"),
        ("6h", timedelta(hours=6), "0 */6 * * *"),
        ("1d", timedelta(days=1), "0 0 * * *"),
    ],
)
def test_an_interval_is_a_time_and_a_cron_expression(interval: str, length: timedelta, cron: str) -> None:
    facts = SourceFacts(id="a", kind="gateway-csv", interval=interval, catch_up="1d")
    assert (facts.interval_time, facts.cron) == (length, cron)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (HOURLY, r"sources\[0\]\.id: 'oslo' is given 2 times"),
        (HOURLY.replace("open-meteo", "fax"), r"sources\[1\] \(id 'oslo'\)\.kind: .*got 'fax'"),
        (HOURLY.replace("1h", "hourly"), r"\.interval: must be a number of minutes, hours .*got 'hourly'"),
        (HOURLY.replace("1h", "7m"), r"interval must divide an hour or a day evenly"),
        (HOURLY.replace("1h", "2d"), r"interval must divide an hour or a day evenly"),
        (HOURLY.replace("1h", "5m"), r"interval must be 1h or more for the kind open-meteo"),
        (HOURLY.replace(", catch_up: 1d", ""), r"\.catch_up: is missing"),
        (HOURLY.replace("1d }", "1d, lookback: 0h }"), r"\.lookback: .*got '0h'"),
        (HOURLY.replace("1d }", "1d, live: example.org }"), r"\.live: must be a URL .*got 'example\.org'"),
        (HOURLY.replace("1d }", "1d, batch: 1001 }"), r"\.batch: .*got 1001"),
        (HOURLY.replace("1d }", "1d, speed: 3 }"), r"\.speed: unknown key \(its value is 3\)"),
    ],
)
def test_a_bad_entry_is_named_with_file_field_and_value(tmp_path: Path, entry: str, message: str) -> None:
    with pytest.raises(ConfigError, match=rf"^{tmp_path}/sources\.yaml: .*{message}"):
        load(tmp_path, HOURLY, entry)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "source: nws, code: KBOS",
            "source: noaa, code: KBOS",
            r"\.source: sources\.yaml has no source 'noaa'",
        ),
        ("code: KBOS", "code: KJFK", r"\.code: the source 'nws' has several stations 'KJFK'"),
    ],
)
def test_a_station_without_a_source_of_its_own_is_named(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    for name in ("sources.yaml", "stations.yaml"):
        shutil.copy(config_dir() / name, tmp_path)
    path = tmp_path / "stations.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"^{path}: stations\[\d+\] \(id 'nws-k...'\){message}"):
        load_feeds(tmp_path)
