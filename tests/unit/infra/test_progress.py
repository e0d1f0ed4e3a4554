"""What a command shows while it works: on a terminal, without one, and in its log."""

from __future__ import annotations

import io
import re
import time
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from pipeline.infra import progress
from pipeline.infra.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path


def shown(folder: Path, *, terminal: bool) -> tuple[Progress, io.StringIO]:
    text = io.StringIO()
    console = Console(file=text, force_terminal=terminal, width=100, highlight=False, color_system=None)
    return Progress("up", folder, console), text


def test_a_terminal_shows_the_step_while_it_runs_and_what_is_under_way(tmp_path: Path) -> None:
    made, text = shown(tmp_path, terminal=True)
    with made, made.step("Platform: apply") as step:
        step.say("looking at kafka")
        before = render(step.render())
        for number in range(10):
            step.begin(f"creating {number}")
        within = render(step.render())
        summary = untimed(step.summary())
        step.end("creating 0", "failed")
        step.result = "10 made"
    assert "looking at kafka" in before
    # As many as a terminal has room for.
    assert [f"creating {number}" in within for number in range(10)] == [True] * 8 + [False] * 2
    assert summary.endswith("creating 7 (… s), and 2 more")
    assert "✓ Platform: apply: 10 made (… s)" in untimed(text.getvalue())
    told = untimed(made.log_path.read_text(encoding="utf-8"))
    for line in (
        "begin: Platform: apply",
        "begin: creating 9",
        "failed: creating 0 (… s)",
        "done: Platform: apply: 10 made",
    ):
        assert line in told


def test_without_a_terminal_a_silent_step_says_now_and_then_that_it_is_alive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_HEARTBEAT_S", 0.02)
    monkeypatch.setattr(progress, "_WORTH_TELLING_S", 0.0)
    made, text = shown(tmp_path, terminal=False)
    with made, made.step("Images [all]") as step:
        step.say("pulling")
        await_text(text, "… Images [all]: ")
        step.begin("image kafka")
        step.end("image kafka")
        made.warn("the disk is almost full")
    lines = untimed(text.getvalue()).splitlines()
    assert "· Images [all]" == lines[0]
    assert "— pulling" in lines[1]
    assert "  image kafka: done (… s)" in lines
    assert "! the disk is almost full" in lines
    assert "warning: the disk is almost full" in made.log_path.read_text(encoding="utf-8")


@pytest.mark.parametrize("terminal", [True, False])
def test_a_step_that_fails_is_marked_and_its_error_goes_on(tmp_path: Path, *, terminal: bool) -> None:
    made, text = shown(tmp_path, terminal=terminal)
    with made, pytest.raises(KeyboardInterrupt), made.step("Volumes"):
        raise KeyboardInterrupt
    assert "✗ Volumes (… s)" in untimed(text.getvalue())
    assert "failed: Volumes after … s" in untimed(made.log_path.read_text(encoding="utf-8"))


def test_of_old_logs_the_newest_are_kept(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"up-202601{number:02}T000000Z.log").touch()
    (tmp_path / "down-20250101T000000Z.log").touch()
    made, _ = shown(tmp_path, terminal=False)
    made.close()
    made.log("after its end nothing is written, and nothing fails")
    kept = sorted(file.name for file in tmp_path.glob("up-*.log"))
    assert (20, made.log_path.name, "up-20260111T000000Z.log") == (len(kept), kept[-1], kept[0])
    assert (tmp_path / "down-20250101T000000Z.log").exists()


def untimed(text: str) -> str:
    return re.sub(r"\d+\.\d s", "… s", text)


def render(drawn: object) -> str:
    console = Console(file=(text := io.StringIO()), width=100, color_system=None)
    console.print(drawn)
    return text.getvalue()


def await_text(text: io.StringIO, wanted: str) -> None:
    """Wait for a line of another thread's."""
    end = time.monotonic() + 20
    while wanted not in text.getvalue():
        assert time.monotonic() < end, text.getvalue()
        time.sleep(0.01)
