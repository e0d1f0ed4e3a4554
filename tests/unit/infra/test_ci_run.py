""".ci/run around a `make` that behaves in one way or another: nothing may turn a failure into a success."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from pipeline.infra.layout import PROJECT_ROOT

if TYPE_CHECKING:
    from pathlib import Path

GOOD = "============== 7 passed, 1 skipped in 12.34s =============="
BAD = "======== 1 failed, 6 passed, 2 deselected in 75.10s (0:01:15) ========"
NONE = "====== no tests ran in 0.01s ======"
MAKES_OWN_WORDS = "make: *** [Makefile:60: test] Error 1"


def run(folder: Path, said: str, code: int) -> subprocess.CompletedProcess[str]:
    (folder / ".ci").mkdir()
    shutil.copy(PROJECT_ROOT / ".ci" / "run", folder / ".ci")
    programs = folder / "programs"
    programs.mkdir()
    (folder / "said").write_text(said, encoding="utf-8")
    make = f'[ "$* $CI" = "test true" ] || exit 99\ncat {folder}/said\nread -r word && exit 98\nexit {code}'
    for name, script in {"make": make, "debootstrap": "", "dockerd": "", "python3.11": ""}.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (programs / name).chmod(0o755)
    return subprocess.run(
        [folder / ".ci" / "run"], env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
        input="asked\n", capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "code", "expected_code", "last"),
    [
        (f"lint\n{GOOD}\n", 0, 0, GOOD),
        (f"\x1b[32m{GOOD}\x1b[0m\n", 0, 0, GOOD),
        (f"{BAD}\n{MAKES_OWN_WORDS}\n", 2, 2, BAD),
        (f"{GOOD}\n{BAD}\n{MAKES_OWN_WORDS}\n", 2, 2, BAD),
        (f"{NONE}\n{MAKES_OWN_WORDS}\n", 2, 2, NONE),
    ],
    ids=["passed", "in colour", "failed", "second run failed", "nothing ran"],
)
def test_pytests_summary_is_the_last_line_and_the_exit_code_is_makes(
    tmp_path: Path, said: str, code: int, expected_code: int, last: str
) -> None:
    done = run(tmp_path, said, code)
    assert done.returncode == expected_code
    assert done.stdout.splitlines()[-1].replace("\x1b[32m", "").replace("\x1b[0m", "") == last


@pytest.mark.parametrize("said", ["ruff: 3 errors", f"{GOOD}\nSegmentation fault"])
def test_a_failure_that_pytest_does_not_sum_up_is_a_failure(tmp_path: Path, said: str) -> None:
    done = run(tmp_path, f"{said}\n{MAKES_OWN_WORDS}\n", 2)
    assert GOOD not in done.stdout.splitlines()[-1]
    assert done.returncode == 2
    assert "before pytest could sum up" in done.stderr


def test_a_success_that_no_test_run_stands_behind_is_a_failure(tmp_path: Path) -> None:
    done = run(tmp_path, "all is well\n", 0)
    assert done.returncode == 1
    assert "pytest has summed up nothing" in done.stderr
