"""The guard that makes skips fail, run for real by a pytest inside."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[2] / "conftest.py"


def run(folder: Path, test: str, allowed: str) -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_text(CONFTEST.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "allowed-skips.txt").write_text(allowed, encoding="utf-8")
    (folder / "test_it.py").write_text(f"import pytest\n{test}\n", encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder),
        str(folder)], capture_output=True, text=True, check=False, cwd=folder, timeout=60,
    )  # fmt: skip


SKIPS = {
    "in the test": "def test_it(): pytest.skip('no beer')",
    "by a mark": "@pytest.mark.skip(reason='no beer')\ndef test_it(): pass",
    "in a fixture": "@pytest.fixture\ndef beer(): pytest.skip('no beer')\ndef test_it(beer): pass",
    "of the module": "pytest.skip('no beer', allow_module_level=True)",
}


@pytest.mark.parametrize("test", SKIPS.values(), ids=SKIPS.keys())
def test_a_skip_that_is_not_on_the_list_fails_the_run(tmp_path: Path, test: str) -> None:
    done = run(tmp_path, test, allowed="# nothing\n")
    assert done.returncode != 0, done.stdout
    assert "not in allowed-skips.txt: no beer" in done.stdout


def test_a_skip_on_the_list_stays_a_skip(tmp_path: Path) -> None:
    done = run(tmp_path, SKIPS["in the test"] + "\ndef test_other(): pass", allowed="no [bw]eer\n")
    assert done.returncode == 0, done.stdout
    assert "1 passed, 1 skipped" in done.stdout


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    test = "@pytest.mark.xfail(reason='no beer')\ndef test_it(): assert False"
    assert run(tmp_path, test, allowed="").returncode == 0
