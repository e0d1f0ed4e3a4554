"""Terraform's own program, with data directories that no other run uses."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.provisioning import terraform_environment

if TYPE_CHECKING:
    from pathlib import Path


class Program(Protocol):
    """Runs `terraform <arguments>` in a root module."""

    def __call__(self, *arguments: str, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run it; an exit code other than 0 fails the test unless `check` is false."""


@pytest.fixture(scope="session")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """Terraform as the tests run it."""
    environment = terraform_environment()
    data = tmp_path_factory.mktemp("terraform-data")

    def run(*arguments: str, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        answer = subprocess.run(
            ["terraform", *arguments, *([] if arguments[0] == "fmt" else ["-no-color"])],
            cwd=cwd,
            env={**environment, "TF_DATA_DIR": str(data / cwd.name)},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert not check or answer.returncode == 0, answer.stdout + answer.stderr
        return answer

    return run
