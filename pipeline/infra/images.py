"""Building the images without starting anything: the tests need them, too."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pipeline.infra.prepare import prepare
from pipeline.infra.provision import Roots

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.infra.layout import Layout
    from pipeline.infra.progress import Progress

__all__ = ["build", "targets"]

_IMAGE_MODULE: Final = re.compile(r'^module "(image_\w+)"', re.MULTILINE)


def build(layout: Layout, progress: Progress, binary: str) -> None:
    """Build every image of the platform that is not there yet."""
    done = prepare(layout, progress, binary, with_ports=False)
    roots = Roots(layout, progress, done.engine, done.provider.environment, binary)
    roots.init(storage=False)
    roots.apply_images(targets(layout.platform_root))


def targets(root: Path) -> list[str]:
    """Give the addresses of the image modules in a root module's files."""
    text = "\n".join(file.read_text(encoding="utf-8") for file in sorted(root.glob("*.tf")))
    return [f"module.{name}" for name in _IMAGE_MODULE.findall(text)]
