"""Processes that share nothing with the bench, each with a sentence for what goes wrong in it."""

from __future__ import annotations

import multiprocessing
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from benchmarks.errors import BenchError

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

__all__ = ["Worker", "pipe"]

# The least of the real-time priorities goes before all that has none. A nice value counts only among the
# processes of one terminal (sched(7), autogroup).
_BEFORE_OTHERS = 1


def pipe() -> tuple[Connection, Connection]:
    """Give the receiving and the sending end of a pipe."""
    return multiprocessing.get_context("spawn").Pipe(duplex=False)


class Worker:
    """A function in a process of its own, called with `arguments` and the end of a pipe to answer by.

    Spawned: librdkafka and the Cassandra driver do not survive a fork. What the function raises is told as a
    BenchError by `take`. A context manager that ends the process.

    An `instrument` goes before what it measures, where the bench may say so (root): when no processor is
    free, it would else measure how long it waited for one itself.
    """

    def __init__(
        self, name: str, function: Callable[..., None], *arguments: Any, instrument: bool = False
    ) -> None:
        self._name = name
        self._answers, answer = pipe()
        self._process = multiprocessing.get_context("spawn").Process(
            target=_run, args=(instrument, function, *arguments, answer), daemon=True
        )
        self._process.start()
        # Else the pipe would not end with the process.
        answer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()

    def has_answered(self, within_s: float) -> bool:
        """Tell whether there is something to take, also that the process has ended."""
        return self._answers.poll(within_s)

    def take(self, within_s: float) -> Any:
        """Take the next answer; raises BenchError for an error, for a dead process and for none in time."""
        try:
            given = self._answers.recv() if self._answers.poll(within_s) else BenchError("it does not answer")
        except EOFError:
            self._process.join()
            given = BenchError(f"it ended with exit code {self._process.exitcode} and without a word")
        if isinstance(given, Exception):
            raise BenchError(f"{self._name} failed: {' '.join(str(given).split())}") from given
        return given


def _run(instrument: bool, function: Callable[..., None], *arguments: Any) -> None:  # noqa: FBT001 - by place
    """Call the function; its last argument is where it answers."""
    if instrument:
        with suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(_BEFORE_OTHERS))
    try:
        function(*arguments)
    except KeyboardInterrupt:
        pass  # The bench itself says so.
    except Exception as error:  # noqa: BLE001 - whoever waits is told
        # As text: not every exception can be sent.
        arguments[-1].send(BenchError(f"{type(error).__name__}: {error}"))
