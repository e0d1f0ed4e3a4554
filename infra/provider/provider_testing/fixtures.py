"""Fixtures: real Terraform, the installed stand-in, a real engine.

A test module takes them by `pytest_plugins = ["provider_testing.fixtures"]`. Starting Terraform and the
provider is what takes the time, so tests of one module share what one apply gives them, by the fixtures whose
names begin with `module`.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import docker
import pytest
from galewatch_docker.install import install, write_cli_config

from provider_testing.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def cli_config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Terraform's CLI configuration, with the stand-in installed beside it."""
    folder = tmp_path_factory.mktemp("mirror")
    install(folder / "mirror", sys.executable)
    write_cli_config(folder / "terraformrc", folder / "mirror")
    return folder / "terraformrc"


@pytest.fixture(scope="session")
def engine() -> Iterator[docker.DockerClient]:
    """The engine that the environment names."""
    client = docker.from_env()
    yield client
    client.close()


@pytest.fixture(scope="session")
def tiny_image(engine: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image with little more than a shell, made without any registry."""
    given = os.environ.get("GALEWATCH_TEST_IMAGE")
    if given:
        yield given
        return
    folder = tmp_path_factory.mktemp("image")
    shutil.copy(_busybox(folder), folder / "busybox")
    (folder / "Dockerfile").write_text(
        "FROM scratch\n"
        "COPY busybox /bin/busybox\n"
        'RUN ["/bin/busybox", "mkdir", "-p", "/tmp", "/etc"]\n'
        'RUN ["/bin/busybox", "--install", "-s", "/bin"]\n'
        'CMD ["sleep", "1000"]\n',
    )
    name = f"gwtry-provider/busybox:{secrets.token_hex(4)}"
    engine.images.build(path=str(folder), tag=name, rm=True)
    yield name
    engine.images.remove(name, force=True)


@pytest.fixture
def prefix(engine: docker.DockerClient) -> Iterator[str]:
    """A prefix of the test's own; whatever bears it is removed in the end, however the test ended."""
    with _swept(engine) as name:
        yield name


@pytest.fixture(scope="module")
def module_prefix(engine: docker.DockerClient) -> Iterator[str]:
    """The same, for all tests of a module."""
    with _swept(engine) as name:
        yield name


@pytest.fixture
def workspace(tmp_path: Path, cli_config: Path) -> Workspace:
    """A folder for one configuration, and Terraform to run on it."""
    return Workspace(tmp_path, cli_config)


@pytest.fixture(scope="module")
def module_workspace(tmp_path_factory: pytest.TempPathFactory, cli_config: Path) -> Workspace:
    """The same, for all tests of a module."""
    return Workspace(tmp_path_factory.mktemp("shared"), cli_config)


@contextmanager
def _swept(engine: docker.DockerClient) -> Iterator[str]:
    prefix = f"gwtry-provider-{secrets.token_hex(3)}"
    try:
        yield prefix
    finally:
        for container in engine.containers.list(all=True, filters={"name": prefix}, ignore_removed=True):
            container.remove(force=True, v=True)
        for network in engine.networks.list(names=[prefix]):
            network.remove()
        for volume in engine.volumes.list(filters={"name": prefix}):
            volume.remove(force=True)
        tags = {tag for image in engine.images.list() for tag in image.tags if tag.startswith(f"{prefix}/")}
        for tag in tags:
            engine.images.remove(tag, force=True)


def _busybox(folder: Path) -> Path:
    """Find a static busybox, on this machine or in Debian's package."""
    found = shutil.which("busybox")
    if found and b"not a dynamic" in subprocess.run(["ldd", found], capture_output=True, check=False).stderr:
        return Path(found)
    subprocess.run(
        ["apt-get", "download", "-q", "busybox-static"], cwd=folder, check=True, capture_output=True
    )
    package = next(folder.glob("busybox-static_*.deb"))
    subprocess.run(["dpkg-deb", "-x", package, folder / "package"], check=True)
    return next(path for path in (folder / "package").rglob("bin/busybox"))
