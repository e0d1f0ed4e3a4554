"""What only runs on the host is in no image: both lists say the same, and nothing in an image needs it."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from pipeline.infra.layout import PROJECT_ROOT

if TYPE_CHECKING:
    from pathlib import Path

IMAGE_MODULE = PROJECT_ROOT / "infra" / "terraform" / "modules" / "image" / "main.tf"


def host_only() -> list[str]:
    (given,) = re.findall(r"host_only = \[([^\]]*)\]", IMAGE_MODULE.read_text(encoding="utf-8"))
    return re.findall(r'"([^"]+)"', given)


def test_what_the_images_identity_leaves_out_is_what_the_engine_is_not_sent() -> None:
    lines = (PROJECT_ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    kept_out = [line for line in lines if line.startswith("pipeline/")]
    assert kept_out
    assert kept_out == [path.rstrip("/") for path in host_only()]


def test_each_of_them_exists_and_a_folder_ends_with_a_slash() -> None:
    for path in host_only():
        assert (PROJECT_ROOT / path).is_dir() if path.endswith("/") else (PROJECT_ROOT / path).is_file(), path


def test_nothing_in_an_image_imports_what_is_in_none() -> None:
    modules = [path.rstrip("/").removesuffix(".py").replace("/", ".") for path in host_only()]
    found = [
        (str(file.relative_to(PROJECT_ROOT)), name)
        for folder in ("pipeline", "dags", "spark")
        for file in (PROJECT_ROOT / folder).rglob("*.py")
        if not str(file.relative_to(PROJECT_ROOT)).startswith(tuple(host_only()))
        for name in _imported(file)
        if any(f"{name}.".startswith(f"{module}.") for module in modules)
    ]
    assert [] == found


def _imported(file: Path) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names
