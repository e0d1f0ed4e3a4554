"""One command at a time: real processes, one lock."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pipeline.infra.errors import BusyError
from pipeline.infra.layout import PROJECT_ROOT
from pipeline.infra.lock import exclusive

if TYPE_CHECKING:
    from pathlib import Path


HOLDER = """
import sys
from pathlib import Path
from pipeline.infra.lock import exclusive
with exclusive(Path(sys.argv[1]), "up"):
    print("held", flush=True)
    sys.stdin.read()
"""


def hold(path: Path) -> subprocess.Popen[str]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT_ROOT,
    )  # fmt: skip
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_the_second_command_says_who_is_running_and_stops(tmp_path: Path) -> None:
    path = tmp_path / "work" / "lock"
    with hold(path) as holder:
        words = rf"`make up` \(process {holder.pid}\) is running"
        with pytest.raises(BusyError, match=words), exclusive(path, "down"):
            pass
        holder.communicate("")


def test_the_lock_dies_with_a_killed_holder(tmp_path: Path) -> None:
    with hold(tmp_path / "lock") as holder:
        holder.kill()
        holder.wait()
        with exclusive(tmp_path / "lock", "up"):
            pass


def test_the_lock_is_free_after_the_block_even_if_it_raised(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), exclusive(tmp_path / "lock", "up"):
        _ = 1 / 0
    with exclusive(tmp_path / "lock", "up"):
        pass
