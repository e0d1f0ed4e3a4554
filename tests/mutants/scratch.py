"""A copy of the checkout that may be broken, and the tests run in it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from tests import java_stage
from tests.mutants.catalogue import MutantError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["copy", "prepare", "run_java", "run_python"]

_TIMEOUT_SECONDS: Final = 900
_TESTS_FAILED: Final = 1
_PYTHON_RED: Final = re.compile(r"^FAILED (\S+)", re.MULTILINE)
_JAVA_RED: Final = re.compile(r"\[ERROR\] +(?:Failures: |Errors: )?\W*(\w+Test\.\w+)")
# What this machine is to Terraform: which base image, which provider.
_MACHINE: Final = (".galewatch/provider", "infra/terraform/generated.auto.tfvars.json")
_INIT: Final = (
    "import subprocess; from tests.provisioning import terraform_environment; "
    "subprocess.run(['terraform', 'init', '-backend=false', '-input=false'], "
    "cwd='infra/terraform', env=terraform_environment(), check=True)"
)


def copy(root: Path, scratch: Path) -> None:
    """Copy what git knows or would take, and what this machine is to Terraform."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root, capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    for name in [*filter(None, listed.split("\0")), *_MACHINE]:
        source, target = root / name, scratch / name
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True)
        elif source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    # Some tests begin programs by their place; the project itself is found through PYTHONPATH, in the copy.
    for environment in (".venv", ".venv-dev", ".venv-airflow"):
        if (root / environment).is_dir():
            (scratch / environment).symlink_to(root / environment)


def prepare(scratch: Path) -> None:
    """Let Terraform name the images of the copy; raises MutantError where it cannot."""
    done = subprocess.run(
        [sys.executable, "-c", _INIT], cwd=scratch, env=_environment(scratch), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise MutantError(f"Terraform cannot be prepared in the copy: {done.stderr[-1000:]}")


def run_python(scratch: Path, tests: Sequence[str], *, shared: Path) -> str | None:
    """Run tests in the copy and give the first that fails, or None.

    Raises MutantError where none did although pytest was not content: a test that is not there, a module that
    cannot be imported or a fixture that breaks has judged nothing.
    """
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-rfE", "-p", "no:cacheprovider", *tests],
        cwd=scratch, capture_output=True, text=True, check=False, timeout=_TIMEOUT_SECONDS,
        env={"GALEWATCH_SHARED": str(shared), **_environment(scratch), "COLUMNS": "500"},
    )  # fmt: skip
    if done.returncode == 0:
        return None
    red = _PYTHON_RED.search(done.stdout)
    if done.returncode != _TESTS_FAILED or not red:
        raise MutantError(f"no test judged it:\n{(done.stdout + done.stderr)[-3000:]}")
    return red[1]


def run_java(scratch: Path, classes: Sequence[str], on: Mapping[str, str]) -> str | None:
    """Build the Java of Spark's image, which runs its tests; give the first of them that fails, or None."""
    built = java_stage.build(scratch, on)
    if built.image:
        return None
    red = next((name for name in _JAVA_RED.findall(built.text) if name.partition(".")[0] in classes), None)
    if not red:
        raise MutantError(f"no test of {', '.join(classes)} judged it:\n{built.text[-3000:]}")
    return f"java:{red}"


def _environment(scratch: Path) -> dict[str, str]:
    """The project is that of the copy. No byte code is kept: two versions may have one size and second."""
    paths = os.pathsep.join([str(scratch), str(scratch / "infra" / "provider")])
    return {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
