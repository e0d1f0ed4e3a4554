"""A copy of the checkout that may be broken, and the tests run in it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from tests.mutants.catalogue import MutantError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["copy", "java_build", "run_java", "run_python"]

_TIMEOUT_SECONDS: Final = 900
_TESTS_FAILED: Final = 1
_PYTHON_RED: Final = re.compile(r"^FAILED (\S+)", re.MULTILINE)
_JAVA_RED: Final = re.compile(r"\[ERROR\] +(?:Failures: |Errors: )?\W*(\w+Test\.\w+)")
# Where Terraform was prepared, and with what; the paths in it are those of the checkout.
_PREPARED: Final = (
    ".galewatch/mirror",
    ".galewatch/mirror.installed",
    ".galewatch/provider",
    ".galewatch/terraformrc",
    "infra/terraform/.terraform",
    "infra/terraform/.terraform.lock.hcl",
    "infra/terraform/generated.auto.tfvars.json",
)


def copy(root: Path, scratch: Path) -> None:
    """Copy what git knows or would take, and what Terraform was prepared with."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root, capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    for name in [*filter(None, listed.split("\0")), *_PREPARED]:
        source, target = root / name, scratch / name
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True)
        elif source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    # Some tests begin programs by their place; the project itself is found through PYTHONPATH, in the copy.
    for environment in (".venv", ".venv-dev"):
        if (root / environment).is_dir():
            (scratch / environment).symlink_to(root / environment)


def run_python(scratch: Path, tests: Sequence[str], *, shared: Path) -> str | None:
    """Run tests in the copy and give the first that fails, or None.

    Raises MutantError where none did although pytest was not content: a test that is not there, a module that
    cannot be imported or a fixture that breaks has judged nothing.
    """
    paths = os.pathsep.join([str(scratch), str(scratch / "infra" / "provider")])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-rfE", "-p", "no:cacheprovider", *tests],
        cwd=scratch, capture_output=True, text=True, check=False, timeout=_TIMEOUT_SECONDS,
        # No byte code is kept: two versions of a file may have one size and one second.
        env={**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "500",
             "GALEWATCH_SHARED": os.environ.get("GALEWATCH_SHARED", str(shared))},
    )  # fmt: skip
    if done.returncode == 0:
        return None
    red = _PYTHON_RED.search(done.stdout)
    if done.returncode != _TESTS_FAILED or not red:
        raise MutantError(f"no test judged it:\n{(done.stdout + done.stderr)[-3000:]}")
    return red[1]


def java_build(scratch: Path) -> list[str]:
    """Give the command that builds the Java part of Spark's image, with the images that Terraform names."""
    asked = "from tests.integration.images import image; print(image('builder'), image('jre'))"
    named = subprocess.run(
        [sys.executable, "-c", asked], cwd=scratch, capture_output=True, text=True, check=False
    )
    if named.returncode != 0:
        raise MutantError(f"the images to build the Java with are not there: {named.stderr[-500:]}")
    builder, jre = named.stdout.split()
    return [
        "docker", "build", "--target", "jvm", "--file", "infra/images/spark/Dockerfile",
        "--build-arg", f"BUILDER_IMAGE={builder}", "--build-arg", f"JRE_IMAGE={jre}", ".",
    ]  # fmt: skip


def run_java(scratch: Path, classes: Sequence[str], build: Sequence[str]) -> str | None:
    """Build the Java part of Spark's image, which runs its tests; give the first that fails, or None."""
    done = subprocess.run(
        build, cwd=scratch, capture_output=True, text=True, check=False, timeout=_TIMEOUT_SECONDS,
        env={**os.environ, "DOCKER_BUILDKIT": "1", "BUILDKIT_PROGRESS": "plain"},
    )  # fmt: skip
    if done.returncode == 0:
        return None
    said = done.stdout + done.stderr
    red = next((name for name in _JAVA_RED.findall(said) if name.partition(".")[0] in classes), None)
    if not red:
        raise MutantError(f"no test of {', '.join(classes)} judged it:\n{said[-3000:]}")
    return f"java:{red}"
