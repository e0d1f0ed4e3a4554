"""`make requirements`, by the real uv, on a project without a dependency: nothing is downloaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.infra.errors import InfraError
from pipeline.infra.layout import PROJECT_ROOT
from pipeline.infra.progress import Progress
from pipeline.infra.requirements import pin

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = """
[project]
name = "galewatch"
version = "0"
dependencies = []
[project.optional-dependencies]
connect = []
host = [{host}]
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / ".galewatch").mkdir()
    (tmp_path / ".galewatch" / "uv").symlink_to(PROJECT_ROOT / ".galewatch" / "uv")
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "tool.in").touch()
    (tmp_path / "pyproject.toml").write_text(PROJECT.format(host=""), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("upgrade", [False, True])
def test_every_environment_and_every_file_beside_them_is_pinned(root: Path, *, upgrade: bool) -> None:
    (root / "requirements" / "host.txt").write_text("gone==1.0\n", encoding="utf-8")
    with Progress("requirements", root / "logs") as progress:
        pin(root, progress, upgrade=upgrade)
    written = {file.name: file.read_text(encoding="utf-8") for file in (root / "requirements").glob("*.txt")}
    assert {"host.txt": "", "tool.txt": ""} == written


def test_what_uv_objects_to_is_told_with_the_file_that_it_was_for(root: Path) -> None:
    (root / "pyproject.toml").write_text(PROJECT.format(host='"no requirement!"'), encoding="utf-8")
    with (
        Progress("requirements", root / "logs") as progress,
        pytest.raises(InfraError, match=r"uv could not pin requirements/host.txt: (.|\n)*no requirement!"),
    ):
        pin(root, progress)
