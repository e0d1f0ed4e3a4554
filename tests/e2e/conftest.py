"""One environment for all end-to-end tests. test_whole_path, which pytest takes last, destroys it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.stack import Stack, until
from tests.e2e.trouble import trouble_all_sources
from tests.e2e.weather import cut_recording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.e2e.trouble import Troubled


# Until the sources are asked it takes less: were an hour to end in between, what they tell would be too old.
SET_UP = timedelta(minutes=6)


@pytest.fixture(scope="session")
def this_hour() -> datetime:
    """The hour that shows the recording's last one: the next, where this one is nearly over."""
    return (datetime.now(UTC) + SET_UP).replace(minute=0, second=0, microsecond=0)


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recorded weather that crosses rules."""
    return cut_recording(tmp_path_factory.mktemp("replay") / "recording")


@pytest.fixture(scope="session")
def stack(recording: Path, this_hour: datetime) -> Iterator[Stack]:
    """A whole environment, whose weather API takes faults."""
    for folder in (recording, *recording.parents[:2]):
        folder.chmod(0o755)  # read by the weather API's own user
    end = this_hour.strftime("%Y-%m-%dT%H:%M:%SZ")
    with Stack(replay_dir=str(recording), replay_end=end, weather_faults=True) as stack:
        until("the hour has begun", lambda: datetime.now(UTC) >= this_hour, within_s=SET_UP.total_seconds())
        yield stack


@pytest.fixture(scope="session")
def query(stack: Stack) -> Iterator[Callable[[str], list[dict[str, Any]]]]:
    """A CQL query, as the reader."""
    with stack.cassandra() as run:
        yield run


@pytest.fixture(scope="session")
def troubled(stack: Stack, this_hour: datetime) -> Troubled:
    """Runs whose sources were in trouble, which Airflow tries again by itself."""
    return trouble_all_sources(stack, this_hour)
