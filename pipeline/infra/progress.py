"""Shows what runs and for how long: a live display on a terminal, plain lines elsewhere, everything in a log.

Nothing here decides anything; a command works the same with its output thrown away.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Self

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rich.console import RenderableType

__all__ = ["Progress", "Step", "duration"]

# Without a terminal a silent step says now and then that it is alive.
_HEARTBEAT_S: Final = 20.0
_SHOWN_ITEMS: Final = 8
_KEPT_LOGS: Final = 20
# What takes less than this long needs no line of its own about its end.
_WORTH_TELLING_S: Final = 2.0


class Progress:
    """The display and the log of one command; `close` it, or use it as a context manager."""

    def __init__(self, command: str, logs: Path, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False)
        logs.mkdir(parents=True, exist_ok=True)
        self.log_path = logs / f"{command}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.log"
        self._log = self.log_path.open("a", encoding="utf-8")
        self._began = time.monotonic()
        for old in sorted(logs.glob(f"{command}-*.log"))[:-_KEPT_LOGS]:
            old.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the log."""
        self._log.close()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the command began."""
        return time.monotonic() - self._began

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Show `title` with a running clock while the block runs."""
        self.log(f"begin: {title}")
        step = Step(title, self)
        show = self._live if self.console.is_terminal else self._plain
        try:
            with show(step):
                yield step
        except BaseException:
            self._print(f"[red]✗[/] {escape(title)} [dim]({duration(step.elapsed_s)})[/]")
            self.log(f"failed: {title} after {step.elapsed_s:.1f} s")
            raise
        result = f": {step.result}" if step.result else ""
        self._print(f"[green]✓[/] {escape(title + result)} [dim]({duration(step.elapsed_s)})[/]")
        self.log(f"done: {title}{result} in {step.elapsed_s:.1f} s")

    def say(self, text: str) -> None:
        """Print one line that stays."""
        self._print(escape(text))
        self.log(text)

    def warn(self, text: str) -> None:
        """Print one line that stays and stands out."""
        self._print(f"[yellow]! {escape(text)}[/]")
        self.log(f"warning: {text}")

    def log(self, text: str) -> None:
        """Write to the log only."""
        if not self._log.closed:
            self._log.write(f"{datetime.now(UTC):%H:%M:%S}  {text}\n")
            self._log.flush()

    def _print(self, markup: str) -> None:
        self.console.print(markup, soft_wrap=True)

    @contextmanager
    def _live(self, step: Step) -> Iterator[None]:
        with Live(get_renderable=step.render, console=self.console, transient=True, refresh_per_second=8):
            yield

    @contextmanager
    def _plain(self, step: Step) -> Iterator[None]:
        self._print(f"· {escape(step.title)}")
        done = threading.Event()

        def beat() -> None:
            while not done.wait(_HEARTBEAT_S):
                self._print(f"  … {escape(step.title)}: {duration(step.elapsed_s)}{escape(step.summary())}")

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


class Step:
    """One thing that takes time; holds what it is busy with just now. May be told from any thread."""

    def __init__(self, title: str, progress: Progress) -> None:
        self.title = title
        self.result = ""
        self._progress = progress
        self._began = time.monotonic()
        self._busy: dict[str, float] = {}
        self._detail = ""
        self._spinner = Spinner("dots")

    @property
    def elapsed_s(self) -> float:
        """Seconds since the step began."""
        return time.monotonic() - self._began

    def say(self, text: str) -> None:
        """Show what the step does just now, in place of what it showed before."""
        self._detail = text.strip()
        self._progress.log(f"  {text.rstrip()}")

    def begin(self, item: str) -> None:
        """Show one of several things that run at once."""
        self._busy[item] = time.monotonic()
        self._progress.log(f"  begin: {item}")

    def end(self, item: str, outcome: str = "done") -> None:
        """Take one of them away; one that took long leaves a line where there is no live display."""
        took = time.monotonic() - self._busy.pop(item, time.monotonic())
        self._progress.log(f"  {outcome}: {item} ({took:.1f} s)")
        if took >= _WORTH_TELLING_S and not self._progress.console.is_terminal:
            self._progress.console.print(escape(f"  {item}: {outcome} ({duration(took)})"), soft_wrap=True)

    def summary(self) -> str:
        """Tell in part of a line what is running."""
        now = time.monotonic()
        items = [f"{item} ({duration(now - began)})" for item, began in list(self._busy.items())]
        shown = items[:_SHOWN_ITEMS] or ([self._detail] if self._detail else [])
        more = f", and {len(items) - len(shown)} more" if len(items) > len(shown) else ""
        return f" — {', '.join(shown)}{more}" if shown else ""

    def render(self) -> RenderableType:
        """Draw the step for the live display."""
        self._spinner.update(text=Text.assemble(self.title, (f"  {duration(self.elapsed_s)}", "dim")))
        now = time.monotonic()
        lines = [f"    {item}  {duration(now - began)}" for item, began in list(self._busy.items())]
        if not lines and self._detail:
            lines = [f"    {self._detail}"]
        shown = [Text(line, style="dim", overflow="ellipsis", no_wrap=True) for line in lines[:_SHOWN_ITEMS]]
        return Group(self._spinner, *shown)


def duration(seconds: float) -> str:
    """Write seconds as people read them: 0.4 s, 12 s, 3 min 05 s."""
    if seconds < 10:  # noqa: PLR2004 - one digit reads better with a decimal
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
