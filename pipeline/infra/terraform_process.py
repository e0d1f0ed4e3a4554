"""Runs one program of Terraform's kind to its end: its lines as they come, a time limit, an orderly stop."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
import time
from contextlib import suppress
from typing import IO, TYPE_CHECKING

from pipeline.infra.terraform_report import Completed, Event, parse_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["run"]


def run(  # noqa: PLR0913 - one keyword each
    line: Sequence[str],
    *,
    cwd: str,
    environment: Mapping[str, str],
    on_event: Callable[[Event], None] | None,
    timeout_s: float,
    grace_s: float,
) -> tuple[Completed, bool]:
    """Run a command line, and give what it said and whether it ended by itself within `timeout_s` seconds.

    One that takes longer, or is interrupted here, is asked to stop as Ctrl-C does, and after `grace_s`
    seconds killed with its children. Raises FileNotFoundError or PermissionError where it cannot be started.
    """
    # A session of its own: Ctrl-C on the terminal would reach Terraform by itself, and a second signal from
    # here would then mean "exit at once" to it.
    process = subprocess.Popen(
        line,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    talk = _Conversation(process, on_event)
    try:
        in_time = talk.follow(until=time.monotonic() + timeout_s)
    except BaseException:
        talk.tell(Event("interrupted", "interrupted: Terraform ends what it has begun"))
        _stop(process, grace_s)
        raise
    if not in_time:
        _stop(process, grace_s)
    return talk.completed(), in_time


class _Conversation:
    """What a running program writes, read as it comes."""

    def __init__(self, process: subprocess.Popen[str], on_event: Callable[[Event], None] | None) -> None:
        self._process = process
        self._on_event = on_event
        self._lines: queue.Queue[tuple[str, str | None]] = queue.Queue()
        self._said: dict[str, list[str]] = {"stdout": [], "stderr": []}
        self._events: list[Event] = []
        self._open = 2
        for name, stream in (("stdout", process.stdout), ("stderr", process.stderr)):
            threading.Thread(target=self._read, args=(name, stream), daemon=True).start()

    def follow(self, until: float) -> bool:
        """Take lines until the program has closed its streams; False if `until` (monotonic) came first."""
        while self._open:
            try:
                name, line = self._lines.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                return False
            self._take(name, line)
        self._process.wait()
        return True

    def completed(self) -> Completed:
        """Give what was said, after the program has ended."""
        with suppress(queue.Empty):
            while self._open:
                self._take(*self._lines.get(timeout=1.0))
        return Completed(
            self._process.returncode,
            tuple(self._said["stdout"]),
            tuple(self._said["stderr"]),
            tuple(self._events),
        )

    def _read(self, name: str, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                self._lines.put((name, line.rstrip("\n")))
        self._lines.put((name, None))

    def tell(self, event: Event) -> None:
        """Pass one event on to whoever listens."""
        if self._on_event is not None:
            self._on_event(event)

    def _take(self, name: str, line: str | None) -> None:
        if line is None:
            self._open -= 1
            return
        self._said[name].append(line)
        event = parse_line(line) if name == "stdout" else Event("text", line)
        self._events.append(event)
        self.tell(event)


def _stop(process: subprocess.Popen[str], grace_s: float) -> None:
    """Ask to stop as Ctrl-C does, wait up to `grace_s` seconds, then kill it with its plugins."""
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=grace_s)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
