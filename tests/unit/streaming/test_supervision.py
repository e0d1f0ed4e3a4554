"""The watch over a driver's queries, with queries that are told how to behave."""

from __future__ import annotations

import logging
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.errors import StreamingError
from pipeline.streaming import supervision
from pipeline.streaming.supervision import Watched, cause, supervise

if TYPE_CHECKING:
    from pathlib import Path

REPLAY_DEFECT = (
    'Cannot invoke "scala.collection.IterableOps.map(scala.Function1)" because the return value of '
    '"scala.Option.get()" is null'
)


class ScriptedQuery:
    """A query that goes from one state to the next each time that it is asked whether it is active."""

    name = "averages"
    id = "1"

    def __init__(self, *states: dict[str, Any], stop: Event | None = None, error: str | None = None) -> None:
        self._states = list(states)
        self._stop = stop
        self._error = error
        self._now: dict[str, Any] = {}

    @property
    def isActive(self) -> bool:  # noqa: N802 - PySpark's name
        """Take the next state; after the last one the query has ended, or the watch is stopped."""
        if not self._states:
            if self._stop is None:
                return False
            self._stop.set()
            return True
        self._now = self._states.pop(0)
        return True

    @property
    def status(self) -> dict[str, Any]:
        """What PySpark tells of a query."""
        return {
            "message": self._now.get("message", "Waiting"),
            "isTriggerActive": self._now.get("busy", False),
        }

    @property
    def lastProgress(self) -> dict[str, Any] | None:  # noqa: N802 - PySpark's name
        """The last batch that ended."""
        if "batch" not in self._now:
            return None
        dropped = self._now.get("dropped", 0)
        return {"batchId": self._now["batch"], "stateOperators": [{"numRowsDroppedByWatermark": dropped}]}

    def exception(self) -> str | None:
        """Why it ended."""
        return self._error


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "_PAUSE_SECONDS", 0.0)


def watch(query: ScriptedQuery, heartbeat: Path, stop: Event, *, slots: bool = True) -> None:
    supervise([Watched(lambda: query)], lambda: slots, heartbeat, stop)  # type: ignore[arg-type, return-value]


def test_it_beats_while_the_query_waits_for_data(tmp_path: Path) -> None:
    stop = Event()

    watch(ScriptedQuery({}, {"batch": 1}, stop=stop), tmp_path / "beat", stop)

    assert (tmp_path / "beat").read_text(encoding="ascii").isdigit()


def test_it_does_not_beat_before_the_query_has_started(tmp_path: Path) -> None:
    stop = Event()
    starting = ScriptedQuery({"message": "Initializing sources"}, stop=None)

    with pytest.raises(StreamingError, match="averages stopped"):
        watch(starting, tmp_path / "beat", stop)

    assert not (tmp_path / "beat").exists()


def test_a_batch_that_does_not_end_stops_the_beat_and_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(supervision, "_STALL_SECONDS", -1.0)
    stuck = {"batch": 6, "busy": True}

    with caplog.at_level(logging.INFO), pytest.raises(StreamingError):
        watch(ScriptedQuery(stuck, stuck), tmp_path / "beat", Event())

    assert not (tmp_path / "beat").exists()
    assert "query averages has been in one batch" in caplog.text


def test_without_slots_it_does_not_beat_and_gives_up_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "_SLOTS_SECONDS", -1.0)

    with pytest.raises(StreamingError, match="the executors are gone"):
        watch(ScriptedQuery({}, {}), tmp_path / "beat", Event(), slots=False)

    assert not (tmp_path / "beat").exists()


def test_readings_behind_the_watermark_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    stop = Event()

    with caplog.at_level(logging.INFO):
        watch(ScriptedQuery({"batch": 3, "dropped": 2}, stop=stop), tmp_path / "beat", stop)

    assert "query averages: 2 readings are behind the watermark" in caplog.text


def test_a_query_that_ends_is_an_error_with_its_cause(tmp_path: Path) -> None:
    failed = ScriptedQuery(
        error="Job aborted\nCaused by: java.io.IOException: No space left on device\n\tat x"
    )

    with pytest.raises(
        StreamingError, match=r"^query averages stopped: IOException: No space left on device$"
    ):
        watch(failed, tmp_path / "beat", Event())


def test_the_known_defect_after_a_replayed_batch_costs_no_restart_of_the_driver(tmp_path: Path) -> None:
    stop = Event()
    queries = [ScriptedQuery(error=REPLAY_DEFECT), ScriptedQuery({}, stop=stop)]

    supervise([Watched(lambda: queries.pop(0))], lambda: True, tmp_path / "beat", stop)  # type: ignore[arg-type, return-value]

    assert (tmp_path / "beat").exists()


def test_the_same_failure_twice_is_none_of_the_known_defect(tmp_path: Path) -> None:
    with pytest.raises(StreamingError, match="averages stopped"):
        watch(ScriptedQuery(error=REPLAY_DEFECT), tmp_path / "beat", Event())


def test_lost_offsets_are_said_with_the_way_out() -> None:
    lost = ScriptedQuery(
        error="x\norg.apache.spark.SparkException: [KAFKA_DATA_LOSS.X] Some data may have been lost"
    )

    said = cause(lost)  # type: ignore[arg-type]

    assert "remove the query's checkpoint folder" in said
    assert "KAFKA_DATA_LOSS" in said


def test_a_query_stopped_from_outside_has_no_cause_of_its_own() -> None:
    assert cause(ScriptedQuery()) == "it was stopped from outside"  # type: ignore[arg-type]
