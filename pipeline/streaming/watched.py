"""One query of a driver under watch: begun, looked at, begun again when a service was away, or given up."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from py4j.protocol import Py4JError

from pipeline.errors import AwayError, StreamingError
from pipeline.streaming.beat import Beat
from pipeline.streaming.failures import (
    is_away,
    is_data_loss,
    is_lame_session,
    is_replay_defect,
    sentence,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pyspark.sql.streaming.query import StreamingQuery

    from pipeline.streaming.phases import Phase

__all__ = ["RealTime", "Watched"]

_LOG = logging.getLogger("driver")

_PAUSES_SECONDS = (1, 2, 5, 10, 15)
# After a failure, so long without a batch and without another failure is as good as a batch.
_SETTLED_SECONDS = 30
# A query that ran for so long has got over what was wrong: the next failure is a new one.
_RECOVERED_SECONDS = 60
# A batch that takes longer is stuck more likely than large: a sink that does not answer, or no executor.
# The container is then unhealthy, and healthy again when the batch gets through.
_STALL_SECONDS = 90
# In the middle of a batch and without any job for so long, the query's own thread is stuck in a call that
# does not come back. Plans take seconds at most; a job that waits for a service counts as one.
_IDLE_SECONDS = 60
_TOPIC_CHECK_SECONDS = 60
# Of a Real-Time query: without its tasks for longer, something is wrong; between two batches there are none.
_TASKS_SECONDS = 20


class Watched:
    """A query in micro-batches.

    `begin` starts it, `check_topic` raises StreamingError when the topic is not the one of its checkpoint,
    `progress` is given it after each batch, to write down how far it has come; `works` tells whether a job of
    it runs.
    """

    def __init__(
        self,
        name: str,
        begin: Callable[[], StreamingQuery],
        check_topic: Callable[[], None],
        *,
        progress: Callable[[StreamingQuery], None] | None = None,
        works: Callable[[StreamingQuery], bool] = lambda _: True,
    ) -> None:
        self.name = name
        self.query: StreamingQuery | None = None
        self.trouble: str | None = None
        """Why it waits or does not move, in one sentence; None while all is well."""
        self.batch = -1
        self._begin = begin
        self._check_topic = check_topic
        self._progress = progress
        self._works = works
        self._worked_at = 0.0
        self._failures = 0
        self._begin_at = 0.0
        self._since = 0.0
        self._topic_checked_at = 0.0
        self._defect_met = False

    def look(self) -> bool:
        """Tell whether it runs and moves; begins it (again) when it is time to.

        Raises StreamingError when it ended for a reason that does not mend itself.
        """
        try:
            return self._look(time.monotonic())
        except StreamingError as error:
            self.trouble = str(error)
            raise

    def _look(self, now: float) -> bool:
        if self.query is None:
            if now >= self._begin_at:
                self._start(now)
            return False
        if not self.query.isActive:
            self._ended(str(self.query.exception() or ""), now)
            return False
        if now - self._topic_checked_at > _TOPIC_CHECK_SECONDS:
            self._look_at_topic(now)
        if self._failures and now - self._begin_at > _RECOVERED_SECONDS:
            self._failures = 0
        return self._moves(self.query, now)

    def stop(self) -> None:
        """Stop it, whatever state it is in."""
        if self.query is not None:
            self.query.stop()

    @property
    def state(self) -> str:
        """`waiting` for a service, `running`, or `stuck`."""
        if self.query is None:
            return "waiting"
        return "stuck" if self.trouble else "running"

    def _start(self, now: float) -> None:
        try:
            self._check_topic()
            self._topic_checked_at = now
            self.query = self._begin()
        except AwayError as error:
            self._wait(str(error), now)
        except Py4JError as error:
            self._failed(str(error), now)
        else:
            # To begin takes its time, above all to open the connections.
            self._since = self._begin_at = self._worked_at = time.monotonic()

    def _ended(self, text: str, now: float) -> None:
        self.query = None
        if is_replay_defect(text) and not self._defect_met:
            _LOG.info("query %s: the batch that an earlier run had begun is done", self.name)
            self._defect_met = True
            self._start(now)
            return
        self._failed(text, now)

    def _failed(self, text: str, now: float) -> None:
        reason = sentence(text) if text else "it was stopped from outside"
        # Asked before the reason is judged: a topic made anew shows itself in many ways.
        with suppress(AwayError):
            self._check_topic()
        if is_data_loss(text):
            raise StreamingError(
                f"query {self.name} stopped: offsets that it was to read next are gone from the topic, so "
                "readings are missing from its tables; to go on with what is left, remove the query's "
                f"checkpoint folder ({reason})"
            )
        if is_lame_session(text):
            raise StreamingError(
                f"query {self.name}: Cassandra went away while the driver asked it for its schema, and this "
                f"session will not answer any more; the driver begins anew ({reason})"
            )
        if not is_away(text):
            raise StreamingError(f"query {self.name} stopped: {reason}")
        self._wait(reason, now)

    def _wait(self, reason: str, now: float) -> None:
        # Each attempt may meet it once more.
        self._defect_met = False
        pause = _PAUSES_SECONDS[min(self._failures, len(_PAUSES_SECONDS) - 1)]
        self._failures += 1
        self._begin_at = now + pause
        self.trouble = reason
        _LOG.warning("query %s waits and loses nothing, next attempt in %d s: %s", self.name, pause, reason)

    def _look_at_topic(self, now: float) -> None:
        self._topic_checked_at = now
        try:
            self._check_topic()
        except AwayError as error:
            _LOG.warning("%s", error)

    def _moves(self, query: StreamingQuery, now: float) -> bool:
        status, progress = query.status, query.lastProgress
        batch = int(progress["batchId"]) if progress else -1
        if progress and batch != self.batch:
            self._report(query, progress)
        if batch != self.batch or not status["isTriggerActive"]:
            self.batch, self._since = batch, now
        if self._since == now or self._works(query):
            self._worked_at = now
        elif now - self._worked_at > _IDLE_SECONDS:
            raise StreamingError(
                f"query {self.name} is in the middle of a batch and has done nothing for {_IDLE_SECONDS} s: "
                "a client does not answer any more; the driver begins anew"
            )
        if self._failures and progress is None and now - self._begin_at < _SETTLED_SECONDS:
            # It has begun again, and whether the service is back shows its first batch.
            return False
        stalled = now - self._since > _STALL_SECONDS
        self._say(f"it has been in one batch for more than {_STALL_SECONDS} s" if stalled else None)
        return not stalled and not status["message"].startswith("Initializing")

    def _report(self, query: StreamingQuery, progress: Any) -> None:
        dropped = sum(int(state["numRowsDroppedByWatermark"]) for state in progress["stateOperators"])
        if dropped:
            _LOG.warning(
                "query %s: %d readings are behind the watermark and not averaged", self.name, dropped
            )
        if self._progress is not None:
            self._progress(query)

    def _say(self, trouble: str | None) -> None:
        """Log trouble when it comes and when it goes."""
        if trouble and not self.trouble:
            _LOG.warning("query %s: %s", self.name, trouble)
        elif self.trouble and not trouble:
            _LOG.info("query %s moves again", self.name)
        self.trouble = trouble


class RealTime(Watched):
    """A query in Real-Time Mode, which changes batches at its phase of the clock, each copy at its own.

    `counted` says in words what the writer counts, and each new number is logged with them.
    """

    def __init__(  # noqa: PLR0913 - each a fact of its own
        self,
        name: str,
        begin: Callable[[int], StreamingQuery],
        check_topic: Callable[[], None],
        *,
        phase: Phase,
        beat: Path,
        tasks: int,
        counted: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(name, lambda: begin(self._batch_seconds), check_topic)
        self._phase = phase
        self._beat = beat
        self._tasks = tasks
        self._counted = counted or {}
        self._counts: Mapping[str, int] = {}
        self._batch_seconds = phase.batch_seconds

    def _start(self, now: float) -> None:
        self._batch_seconds = self._phase.first_batch(time.time())
        self.batch = -1
        super()._start(now)
        if self.query is not None:
            _LOG.info(
                "query %s: first batch of %d s, then %d s each",
                self.name,
                self._batch_seconds,
                self._phase.batch_seconds,
            )

    def _moves(self, query: StreamingQuery, now: float) -> bool:
        progress = query.lastProgress
        if progress and int(progress["batchId"]) != self.batch:
            self.batch = int(progress["batchId"])
            self._batch_ended(query, now)
        beat = Beat.read(self._beat)
        if beat:
            self._tell(beat.counts)
        if beat and beat.tasks >= self._tasks:
            self._since = now
        complaint = beat.complaint(time.time()) if beat else "its writer has not begun yet"
        if not complaint and now - self._since > _TASKS_SECONDS:
            complaint = f"{beat.tasks if beat else 0} of {self._tasks} tasks write: are there enough slots?"
        if self._failures and now - self._begin_at < _SETTLED_SECONDS:
            return False
        if complaint and now - self._begin_at < _TASKS_SECONDS and not self.trouble:
            # It has only just begun, and what the file tells may be of the run before.
            return False
        self._say(complaint)
        return complaint is None

    def _tell(self, counts: Mapping[str, int]) -> None:
        for name, words in self._counted.items():
            count = counts.get(name, 0)
            if count and count != self._counts.get(name, 0):
                _LOG.info("query %s: %d readings %s, since its executor began", self.name, count, words)
        self._counts = counts

    def _batch_ended(self, query: StreamingQuery, now: float) -> None:
        """Give the next batch another length when this one was not of the usual, or ended off the phase."""
        clock = time.time()
        drifted = self._phase.drifted(clock)
        if self._batch_seconds == self._phase.batch_seconds and not drifted:
            return
        query.stop()
        self.query = None
        if drifted:
            self._start(now)
            return
        self._batch_seconds = self._phase.batch_seconds
        super()._start(now)
