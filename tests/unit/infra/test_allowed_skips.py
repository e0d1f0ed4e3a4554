"""The guard that makes skips fail, run for real by a pytest inside."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[2] / "conftest.py"

TESTS = """
import pytest

@pytest.fixture
def beer():
    pytest.skip("no beer")

@pytest.mark.skip(reason="no beer")
def test_marked(): pass

def test_inside(): pytest.skip("no beer")

def test_fixture(beer): pass

def test_listed(): pytest.skip("no wine today")

@pytest.mark.xfail(reason="no beer")
def test_expected(): assert False

def test_fine(): pass
"""


def run(folder: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", "--rootdir", folder, folder],
        capture_output=True, text=True, check=False, cwd=folder, timeout=60,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )  # fmt: skip
    return done.returncode, done.stdout


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, str]:
    folder = tmp_path_factory.mktemp("skips")
    (folder / "conftest.py").write_text(CONFTEST.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "allowed-skips.txt").write_text("# why\nno [wv]ine*\n", encoding="utf-8")
    (folder / "test_it.py").write_text(TESTS, encoding="utf-8")
    return run(folder)


@pytest.mark.parametrize(("kind", "name"), [("FAILED", "inside"), ("ERROR", "marked"), ("ERROR", "fixture")])
def test_a_skip_that_is_not_on_the_list_fails_the_run(outcome: tuple[int, str], kind: str, name: str) -> None:
    code, text = outcome
    assert code != 0
    assert f"{kind} test_it.py::test_{name}" in text
    assert "not in allowed-skips.txt: no beer" in text


def test_skips_on_the_list_and_expected_failures_stay_what_they_are(outcome: tuple[int, str]) -> None:
    _, text = outcome
    assert "SKIPPED [1] test_it.py" in text
    assert "XFAIL test_it.py::test_expected" in text
    assert "1 failed, 1 passed, 1 skipped, 1 xfailed, 2 errors" in text


def test_a_module_that_skips_itself_fails_the_run(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "allowed-skips.txt").write_text("", encoding="utf-8")
    (tmp_path / "test_it.py").write_text(
        "import pytest\npytest.importorskip('no_such_module')\n", encoding="utf-8"
    )
    code, text = run(tmp_path)
    assert code != 0
    assert "not in allowed-skips.txt: could not import 'no_such_module'" in text
