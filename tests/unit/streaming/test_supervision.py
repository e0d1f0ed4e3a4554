"""The watch over all queries of a driver, with queries that are told how to behave."""

from __future__ import annotations

import json
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.errors import StreamingError
from pipeline.streaming import supervision
from pipeline.streaming.supervision import Reports, supervise
from pipeline.streaming.watched import Watched
from tests.unit.streaming.scripted import ScriptedQuery

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "_PAUSE_SECONDS", 0.0)


def watch(query: ScriptedQuery, folder: Path, stop: Event, *, slots: bool = True) -> dict[str, Any]:
    watched = Watched("averages", lambda: query, lambda: None)  # type: ignore[arg-type, return-value]
    reports = Reports("tables", 0, folder / "beat")
    supervise([watched], lambda: slots, reports, stop)
    status: dict[str, Any] = json.loads(reports.status.read_text(encoding="utf-8"))
    return status


def test_it_beats_while_the_query_waits_for_data_and_tells_its_state(tmp_path: Path) -> None:
    stop = Event()

    status = watch(ScriptedQuery({}, {"batch": 1}, stop=stop), tmp_path, stop)

    assert (tmp_path / "beat").read_text(encoding="ascii").isdigit()
    assert ("tables", 0, True, None) == tuple(status[name] for name in ("driver", "copy", "healthy", "error"))
    assert ["averages"] == [query["name"] for query in status["queries"]]
    assert ["running"] == [query["state"] for query in status["queries"]]


def test_it_does_not_beat_before_the_query_has_started(tmp_path: Path) -> None:
    with pytest.raises(StreamingError, match="averages stopped"):
        watch(ScriptedQuery({"message": "Initializing sources"}), tmp_path, Event())

    assert not (tmp_path / "beat").exists()
    assert not json.loads((tmp_path / "status.json").read_text(encoding="utf-8"))["healthy"]


def test_without_slots_it_does_not_beat_and_gives_up_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "_SLOTS_SECONDS", 0.0)

    with pytest.raises(StreamingError, match="the executors are gone"):
        watch(ScriptedQuery({}, {}, {}, stop=Event()), tmp_path, Event(), slots=False)

    assert not (tmp_path / "beat").exists()


def test_the_reason_for_the_end_stands_in_the_status(tmp_path: Path) -> None:
    reports = Reports("alerts", 1, tmp_path / "beat")

    reports.tell([], healthy=False, error="topic readings was made anew")

    status = json.loads(reports.status.read_text(encoding="utf-8"))
    assert (1, "topic readings was made anew") == (status["copy"], status["error"])
