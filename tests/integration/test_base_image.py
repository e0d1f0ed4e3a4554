"""The image that all others stand on, made on a real engine: Debian, and what is built on it."""

from __future__ import annotations

import secrets
import shutil
from typing import TYPE_CHECKING

import docker
import pytest

from pipeline.infra import apt_sources, base_image
from pipeline.infra.base_image import BaseImageError, ensure_base, ensure_debian
from pipeline.infra.errors import InfraError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.engine

FAILING = "ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nRUN echo 'no space left'; exit 3\n"
SMALL = "ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nCOPY ca /ca\nUSER 10001\n"

# What stands for debootstrap: a root folder with what is to be kept and what is to be left out.
DEBOOTSTRAP = """#!/bin/sh
echo "$*" >"$(dirname "$0")/called"
for folder in etc proc dev var/cache/apt var/lib/apt/lists; do
    mkdir -p "$3/$folder"
    echo x >"$3/$folder/x"
done
echo 12.5 >"$3/etc/debian_version"
"""


@pytest.fixture
def names(engine: docker.DockerClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Give the images names of the test's own; they are removed."""
    name = f"galewatch/t{secrets.token_hex(3)}"
    monkeypatch.setattr(base_image, "BASE_REPOSITORY", name)
    yield name
    for image in engine.images.list(name):
        engine.images.remove(image.id, force=True)


def sources(folder: Path, monkeypatch: pytest.MonkeyPatch, dockerfile: str) -> None:
    """Let the base image be built from another Dockerfile."""
    folder.mkdir()
    (folder / "Dockerfile").write_text(dockerfile, encoding="ascii")
    shutil.copy(base_image.SOURCES / "entrypoint.sh", folder)
    monkeypatch.setattr(base_image, "SOURCES", folder)


def test_an_image_is_built_once_and_named_by_what_it_is_made_of(
    engine: docker.DockerClient, names: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure_debian(print)
    sources(tmp_path / "sources", monkeypatch, SMALL)
    said: list[str] = []
    tag = ensure_base(said.append)
    assert [f"building {tag}"] == said
    assert tag.startswith(f"{names}:")
    image = engine.images.get(tag)
    assert ("10001", "base") == (image.attrs["Config"]["User"], image.labels["io.galewatch.image"])
    assert tag == ensure_base(said.append)
    assert 1 == len(said)


def test_a_build_that_fails_is_told_with_its_last_lines_and_leaves_no_tag(
    engine: docker.DockerClient, names: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure_debian(print)
    sources(tmp_path / "sources", monkeypatch, FAILING)
    with pytest.raises(BaseImageError, match=rf"building {names}:\w+ failed: (.|\n)*no space left"):
        ensure_base(print)
    assert [] == engine.images.list(names)


def test_a_file_that_is_no_dockerfile_is_told(
    names: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure_debian(print)
    sources(tmp_path / "sources", monkeypatch, "NO DOCKERFILE\n")
    with pytest.raises(InfraError, match=f"building {names}:"):
        ensure_base(print)


def test_debootstraps_folder_becomes_an_image_without_what_a_machine_makes_itself(
    engine: docker.DockerClient, names: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "debootstrap"
    program.write_text(DEBOOTSTRAP, encoding="ascii")
    program.chmod(0o755)
    monkeypatch.setattr(base_image, "DEBIAN_REPOSITORY", names)
    monkeypatch.setattr(base_image, "DEBIAN_TAG", f"{names}:bookworm")
    # No registry gives it.
    monkeypatch.setattr(base_image, "PUBLISHED_REPOSITORY", "127.0.0.1:1/debian")
    monkeypatch.setattr(apt_sources, "mirror", lambda _: "mirror:debian")
    monkeypatch.setattr(shutil, "which", lambda _: str(program))
    said: list[str] = []
    assert f"{names}:bookworm" == ensure_debian(said.append)
    assert "no registry gives it" in said[1]
    called = (tmp_path / "called").read_text(encoding="ascii").split()
    assert ["--variant=minbase", "bookworm", "mirror:debian"] == [*called[:2], called[3]]
    container = engine.containers.create(f"{names}:bookworm", ["x"])
    try:
        files = {
            path
            for path in ("etc", "proc", "dev", "var/cache/apt", "var/lib/apt/lists")
            if has(container, path)
        }
    finally:
        container.remove()
    assert {"etc"} == files
    assert [f"{names}:bookworm"] == [ensure_debian(said.append)]
    assert not said[4:]


def has(container: docker.models.containers.Container, folder: str) -> bool:
    """Tell whether the file that was made in a folder is in the image."""
    try:
        container.get_archive(f"/{folder}/x")
    except docker.errors.NotFound:
        return False
    return True
