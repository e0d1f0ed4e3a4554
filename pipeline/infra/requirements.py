"""Pins the dependencies: one file with hashes for each extra, and for each `.in` file in requirements/."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Final

from pipeline.infra.errors import InfraError

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.infra.progress import Progress

__all__ = ["pin", "sources"]

# Only ever installed as a part of other extras.
_PARTS: Final = {"connect"}


def sources(root: Path) -> dict[str, list[str]]:
    """Give uv's arguments for each file of pins, by its name.

    The extras are environments of the project; the `.in` files are what an image needs beside them.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = {
        extra: ["pyproject.toml", "--extra", extra, "--no-emit-package", "galewatch"]
        for extra in sorted(set(project["optional-dependencies"]) - _PARTS)
    }
    others = sorted((root / "requirements").glob("*.in"))
    return found | {file.stem: [f"requirements/{file.name}"] for file in others}


def pin(root: Path, progress: Progress, *, upgrade: bool = False) -> None:
    """Resolve every file anew; pins that are still allowed stay, unless `upgrade` is set."""
    for name, source in sources(root).items():
        with progress.step(f"requirements/{name}.txt"):
            _compile(root, [*source, "-o", f"requirements/{name}.txt", *(["--upgrade"] if upgrade else [])])


def _compile(root: Path, arguments: list[str]) -> None:
    # No header and no annotations: neither a path of this machine nor an index's address gets into the files.
    command = ["pip", "compile", *arguments, "--generate-hashes", "--no-header", "--no-annotate", "--quiet"]
    done = subprocess.run(
        [str(root / ".galewatch" / "uv" / "bin" / "uv"), *command, "--python", sys.executable],
        cwd=root,
        env={**os.environ, "UV_PYTHON_DOWNLOADS": "never"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise InfraError(f"uv could not pin {arguments[-1]}: {done.stderr.strip()}")
