"""One query under watch: begun, begun again, or given up."""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.errors import AwayError, StreamingError
from pipeline.streaming import watched
from pipeline.streaming.phases import Phase
from pipeline.streaming.watched import RealTime, Watched
from tests.unit.streaming.scripted import ScriptedQuery

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

AWAY = "Caused by: galewatch.spark.RegistryUnreachableException: the Schema Registry at http://r answered 503"
REPLAY_DEFECT = (
    'Cannot invoke "scala.collection.IterableOps.map(scala.Function1)" because the return value of '
    '"scala.Option.get()" is null'
)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched, "_PAUSES_SECONDS", (0,))


def make(*queries: ScriptedQuery, check: Callable[[], None] = lambda: None, **kind: Any) -> Watched:
    left = list(queries)
    return Watched("averages", lambda: left.pop(0), check, **kind)  # type: ignore[arg-type, return-value]


def test_it_begins_at_the_first_look_and_then_tells_that_it_moves() -> None:
    query = make(ScriptedQuery({}, {"batch": 1}))

    assert [False, True, True] == [query.look() for _ in range(3)]
    assert (1, "running", None) == (query.batch, query.state, query.trouble)


def test_before_it_has_started_it_does_not_move() -> None:
    query = make(ScriptedQuery({"message": "Initializing sources"}, {}))

    assert [False, False, True] == [query.look() for _ in range(3)]


def test_each_batch_tells_its_progress_once() -> None:
    told: list[int] = []

    def tell(running: Any) -> None:
        told.append(running.lastProgress["batchId"])

    query = make(ScriptedQuery({"batch": 1}, {"batch": 1}, {"batch": 2}), progress=tell)

    for _ in range(4):
        query.look()

    assert [1, 2] == told


def test_a_query_that_does_nothing_in_the_middle_of_a_batch_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    working = [True, False, False]
    busy = {"batch": 6, "busy": True}
    query = make(ScriptedQuery(busy, busy, busy, busy), works=lambda _: working.pop(0))

    assert [False, True] == [query.look() for _ in range(2)]
    assert query.look()
    assert query.look()
    monkeypatch.setattr(watched, "_IDLE_SECONDS", 0)
    with pytest.raises(StreamingError, match="in the middle of a batch and has done nothing for 0 s"):
        query.look()


def test_between_two_batches_a_query_may_do_nothing_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched, "_IDLE_SECONDS", 0)
    idle = {"batch": 6, "busy": False}
    query = make(ScriptedQuery(idle, idle, idle), works=lambda _: False)

    assert [False, True, True, True] == [query.look() for _ in range(4)]


def test_a_session_that_will_not_answer_again_ends_the_driver() -> None:
    lame = (
        "IllegalStateException: Control channel not available, aborting schema refresh\n"
        "\tat com.datastax.oss.driver.X"
    )
    query = make(ScriptedQuery(error=lame))

    query.look()
    with pytest.raises(StreamingError, match=r"the driver begins anew .*aborting schema refresh"):
        query.look()


def test_a_batch_that_does_not_end_is_said_and_so_is_its_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    query = make(ScriptedQuery({"batch": 6, "busy": True}, {"batch": 6, "busy": True}, {"batch": 7}))

    with caplog.at_level(logging.INFO):
        query.look()
        assert query.look()
        monkeypatch.setattr(watched, "_STALL_SECONDS", -1.0)
        assert not query.look()
        assert query.state == "stuck"
        monkeypatch.setattr(watched, "_STALL_SECONDS", 90.0)
        assert query.look()

    assert "query averages: it has been in one batch for more than" in caplog.text
    assert "query averages moves again" in caplog.text


def test_readings_behind_the_watermark_are_said(caplog: pytest.LogCaptureFixture) -> None:
    query = make(ScriptedQuery({"batch": 3, "dropped": 2}))

    with caplog.at_level(logging.INFO):
        query.look()
        query.look()

    assert "query averages: 2 readings are behind the watermark" in caplog.text


def test_a_service_that_is_away_is_waited_for_in_place(caplog: pytest.LogCaptureFixture) -> None:
    query = make(ScriptedQuery(error=AWAY), ScriptedQuery({"batch": 0}))

    with caplog.at_level(logging.INFO):
        query.look()
        assert not query.look()
        assert query.state == "waiting"
        assert query.trouble == "the Schema Registry at http://r answered 503"
        assert [False, True] == [query.look(), query.look()]

    assert (
        "query averages waits and loses nothing, next attempt in 0 s: the Schema Registry at" in caplog.text
    )
    assert query.trouble is None


def test_what_it_waited_for_stays_its_trouble_until_a_batch_is_done() -> None:
    query = make(ScriptedQuery(error=AWAY), ScriptedQuery({"busy": True}, {"batch": 0}))

    assert [False] * 4 == [query.look() for _ in range(4)]
    assert query.trouble
    assert query.look()
    assert query.trouble is None


def test_the_known_defect_may_come_once_after_each_wait() -> None:
    defect = ScriptedQuery(error=REPLAY_DEFECT)
    query = make(
        defect, ScriptedQuery(error=AWAY), ScriptedQuery(error=REPLAY_DEFECT), ScriptedQuery({"batch": 3})
    )

    assert [False] * 5 + [True] == [query.look() for _ in range(6)]


def test_it_does_not_begin_again_before_the_pause_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched, "_PAUSES_SECONDS", (3600,))
    query = make(ScriptedQuery(error=AWAY))

    assert [False] * 4 == [query.look() for _ in range(4)]
    assert query.query is None


def test_kafka_that_does_not_tell_the_topic_is_waited_for() -> None:
    answers = iter([AwayError("Kafka does not tell which topic readings is: no answer"), None])

    def check() -> None:
        if error := next(answers):
            raise error

    query = make(ScriptedQuery({"batch": 0}), check=check)

    assert [False, False, True] == [query.look() for _ in range(3)]


def test_a_topic_made_anew_is_said_in_our_words_whatever_the_query_says() -> None:
    answers = iter([None, StreamingError("topic readings was made anew")])

    def check() -> None:
        if error := next(answers):
            raise error

    query = make(ScriptedQuery(error="kafka.UnknownServerException: position 7 is past the end"), check=check)
    query.look()

    with pytest.raises(StreamingError, match=r"^topic readings was made anew$"):
        query.look()


def test_what_does_not_mend_itself_is_an_error_with_its_cause() -> None:
    query = make(ScriptedQuery(error="Job aborted\nCaused by: java.io.IOException: No space left on device"))
    query.look()

    with pytest.raises(
        StreamingError, match=r"^query averages stopped: IOException: No space left on device$"
    ):
        query.look()


def test_a_query_that_ends_without_a_cause_is_an_error() -> None:
    query = make(ScriptedQuery())
    query.look()

    with pytest.raises(StreamingError, match="it was stopped from outside"):
        query.look()


def test_lost_offsets_are_said_with_the_way_out() -> None:
    query = make(
        ScriptedQuery(error="x\norg.apache.spark.SparkException: [KAFKA_DATA_LOSS.X] Some data may have")
    )
    query.look()

    with pytest.raises(StreamingError, match=r"remove the query's checkpoint folder .*KAFKA_DATA_LOSS"):
        query.look()


def test_the_known_defect_after_a_replayed_batch_costs_no_wait_and_happens_once() -> None:
    query = make(ScriptedQuery(error=REPLAY_DEFECT), ScriptedQuery({}, error=REPLAY_DEFECT))

    assert [False, False, True] == [query.look() for _ in range(3)]
    with pytest.raises(StreamingError, match="averages stopped"):
        query.look()


class Writer:
    """The file of a writer, and the lengths of the batches that it was begun with."""

    def __init__(self, path: Path, *queries: ScriptedQuery) -> None:
        self.path = path
        self.lengths: list[int] = []
        self._queries = list(queries)

    def begin(self, seconds: int) -> Any:
        """Start the next query."""
        self.lengths.append(seconds)
        return self._queries.pop(0)

    def tell(self, *, tasks: int = 2, trouble: str | None = None, late: int = 0) -> None:
        """Renew the file."""
        now = int(time.time())
        told = {"at": now, "stored_at": now, "tasks": tasks, "trouble": trouble, "counts": {"late": late}}
        self.path.write_text(json.dumps(told), encoding="utf-8")

    def watch(self, copy: int = 0) -> RealTime:
        """Give the query under watch."""
        phase = Phase(600, copy, 2)
        counted = {"late": "came late"}
        return RealTime(
            "alerts", self.begin, lambda: None, phase=phase, beat=self.path, tasks=2, counted=counted
        )


def test_in_real_time_it_moves_while_its_tasks_write(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "beat", ScriptedQuery({}, {}))
    query = writer.watch()
    writer.tell()

    assert [False, True] == [query.look(), query.look()]


def test_the_writers_trouble_is_that_of_the_query(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    writer = Writer(tmp_path / "beat", ScriptedQuery({}, {}, {}))
    query = writer.watch()
    writer.tell(trouble="NoNodeAvailableException: no node")
    query.look()
    assert not query.look()
    assert query.trouble is None, "it has only just begun: the file may be of the run before"

    monkeypatch.setattr(watched, "_TASKS_SECONDS", 0.0)
    with caplog.at_level(logging.INFO):
        assert not query.look()
        assert query.trouble == "NoNodeAvailableException: no node"
        writer.tell()
        assert query.look()

    assert "query alerts: NoNodeAvailableException: no node" in caplog.text


def test_each_new_number_of_what_the_writer_counts_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    writer = Writer(tmp_path / "beat", ScriptedQuery({}, {}, {}, {}, {}))
    query = writer.watch()
    query.look()

    with caplog.at_level(logging.INFO):
        for late in (0, 3, 3, 4):
            writer.tell(late=late)
            query.look()

    assert [
        "query alerts: 3 readings came late, since its executor began",
        "query alerts: 4 readings came late, since its executor began",
    ] == [line for line in caplog.messages if "late" in line]


def test_without_its_tasks_it_does_not_move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched, "_TASKS_SECONDS", -1.0)
    writer = Writer(tmp_path / "beat", ScriptedQuery({}, {}))
    query = writer.watch()
    query.look()

    assert not query.look()
    assert query.trouble == "its writer has not begun yet"
    writer.tell(tasks=1)
    assert not query.look()
    assert query.trouble == "1 of 2 tasks write: are there enough slots?"


def test_after_a_first_batch_up_to_its_phase_it_takes_batches_of_the_usual_length(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ScriptedQuery({}, {"batch": 7})
    writer = Writer(tmp_path / "beat", first, ScriptedQuery({}, {"batch": 8}))
    query = writer.watch(copy=1)
    monkeypatch.setattr(time, "time", lambda: 1_800_000_000.0)
    query.look()
    query.look()
    monkeypatch.setattr(time, "time", lambda: 1_800_000_301.0)
    query.look()
    assert first.stopped
    monkeypatch.setattr(time, "time", lambda: 1_800_000_902.0)
    for _ in range(2):
        query.look()

    assert [300, 600] == writer.lengths


def test_a_copy_that_drifted_comes_back_to_its_phase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = Writer(
        tmp_path / "beat",
        ScriptedQuery({"batch": 7}, {"batch": 8}),
        ScriptedQuery({}),
    )
    query = writer.watch(copy=0)
    clock = [1_800_000_000.0]
    monkeypatch.setattr(time, "time", lambda: clock[0])
    query.look()
    clock[0] += 600
    query.look()
    clock[0] += 680
    query.look()

    assert [600, 520] == writer.lengths
