"""The warning that says what this is, once a Terraform process."""

import os
from pathlib import Path

import pytest
from galewatch_docker import notice


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files of the test's own."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_it_is_due_once_for_a_parent_process() -> None:
    assert [True, False, False] == [notice.is_due() for _ in range(3)]


def test_it_is_due_again_for_another_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    assert notice.is_due()
    monkeypatch.setattr(os, "getppid", os.getpid)
    assert notice.is_due()


def test_what_processes_long_gone_left_is_cleared_away(folder: Path) -> None:
    gone = [folder / f"galewatch-docker-{os.getuid()}-{name}" for name in ("1-1", "999999999-5", "junk")]
    other = folder / "something-else"
    for file in (*gone, other):
        file.touch()
    assert notice.is_due()
    assert not any(file.exists() for file in gone)
    assert other.exists()
