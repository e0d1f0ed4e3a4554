"""How the base image's build context is put together, and what names it."""

import gc
import os
import shutil
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.infra import apt_sources, base_image
from pipeline.infra.base_image import BaseImageError


def certificate(folder: Path, name: str) -> str:
    """Make a self-signed certificate with the machine's own openssl."""
    target = folder / f"{name}.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-keyout", "/dev/null", "-out", str(target), "-days", "2", "-subj", f"/CN={name}"),
        ],
        check=True,
        capture_output=True,
    )
    return target.read_text(encoding="utf-8")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine that trusts one authority of its distribution's and one of its own; no apt source."""
    distribution, own = certificate(tmp_path, "distribution"), certificate(tmp_path, "own")
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    (shipped / "distribution.crt").write_text(distribution, encoding="utf-8")
    bundle = tmp_path / "bundle.crt"
    bundle.write_text(f"# a comment\n{distribution}{own}", encoding="utf-8")
    monkeypatch.setattr(base_image, "DISTRIBUTION_CERTIFICATES", shipped)
    monkeypatch.setattr(apt_sources, "APT", tmp_path / "no-apt")
    monkeypatch.setattr(apt_sources.debian_entries, "__defaults__", (tmp_path / "no-apt",))
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    return tmp_path


def staged(folder: Path) -> Path:
    folder.mkdir()
    base_image._stage(folder)
    return folder


def test_only_the_machines_own_authorities_are_added_one_a_file(machine: Path) -> None:
    context = staged(machine / "context")
    added = list((context / "ca" / "extra").iterdir())
    assert [ssl.PEM_cert_to_DER_cert(file.read_text()) for file in added] == [
        ssl.PEM_cert_to_DER_cert((machine / "own.pem").read_text())
    ]


def test_the_whole_bundle_is_there_for_apt(machine: Path) -> None:
    context = staged(machine / "context")
    assert (context / "ca" / "bundle.crt").read_text() == (machine / "bundle.crt").read_text()


def test_without_a_debian_source_the_images_own_stay(machine: Path) -> None:
    assert list((staged(machine / "context") / "apt").iterdir()) == []


def test_the_same_machine_gives_the_same_name(machine: Path) -> None:
    first, second = staged(machine / "first"), staged(machine / "second")
    assert base_image._content_hash(first) == base_image._content_hash(second)
    assert len(base_image._content_hash(first)) == 12


def test_another_authority_gives_another_name(machine: Path) -> None:
    first = base_image._content_hash(staged(machine / "first"))
    bundle = machine / "bundle.crt"
    bundle.write_text(bundle.read_text() + certificate(machine, "new"), encoding="utf-8")
    assert base_image._content_hash(staged(machine / "second")) != first


def test_a_machine_without_a_bundle_is_told_so(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(machine / "nowhere"))
    monkeypatch.setattr(base_image, "BUNDLES", ())
    with pytest.raises(BaseImageError, match="nowhere: install ca-certificates or set SSL_CERT_FILE"):
        staged(machine / "context")


# docker-py's constructor leaves its socket open when it fails.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_engine_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    with pytest.raises(BaseImageError, match="the Docker engine does not answer"):
        base_image.ensure_debian(lambda _: None)
    gc.collect()


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Take away what debootstrap needs."""

    def take(program: str | None = "/usr/sbin/debootstrap", uid: int = 0, mirror: str | None = "x") -> None:
        monkeypatch.setattr(shutil, "which", lambda _: program)
        monkeypatch.setattr(os, "geteuid", lambda: uid)
        monkeypatch.setattr(apt_sources, "mirror", lambda _: mirror)

    return take


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ({"program": None}, "debootstrap is not installed: apt-get install debootstrap"),
        ({"uid": 1000}, "debootstrap needs root: run this step as root"),
        ({"mirror": None}, "no apt source of this machine offers bookworm main"),
    ],
)
def test_what_debootstrap_lacks_is_said(
    without: Callable[..., None], missing: dict[str, Any], words: str
) -> None:
    without(**missing)
    with pytest.raises(BaseImageError, match=f"no registry gives Debian 12, and {words}"):
        base_image._debootstrap(lambda _: None)


def test_a_debootstrap_that_fails_is_told_with_its_last_words(
    without: Callable[..., None], tmp_path: Path
) -> None:
    program = tmp_path / "debootstrap"
    program.write_text("#!/bin/sh\necho 'E: no such mirror'\nexit 5\n", encoding="ascii")
    program.chmod(0o755)
    without(str(program))
    with pytest.raises(BaseImageError, match="debootstrap ended with 5:\nE: no such mirror"):
        base_image._debootstrap(lambda _: None)
