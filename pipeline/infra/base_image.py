"""The image that all others stand on: Debian 12 that trusts and installs from what this machine does.

It comes from a registry where one is reachable and from debootstrap where none is. Its tag is a hash of what
goes into it, so making it again costs nothing.
"""

import contextlib
import hashlib
import os
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import docker.errors
import requests

from pipeline.infra import apt_sources
from pipeline.infra.errors import InfraError

__all__ = ["BaseImageError", "ensure_base", "ensure_debian"]

RELEASE = "bookworm"
DEBIAN_REPOSITORY = "galewatch/debian"
DEBIAN_TAG = f"{DEBIAN_REPOSITORY}:{RELEASE}"
BASE_REPOSITORY = "galewatch/base"
# The published image with the least in it.
PUBLISHED_REPOSITORY, PUBLISHED_TAG = "debian", f"{RELEASE}-slim"
# Seconds without a byte before a pull is given up: a machine without a registry must not wait for long, and
# one with a slow registry still sends something every few seconds.
PULL_SILENCE = 20
# A build step, such as installing certificates, may be silent for minutes on a small machine.
BUILD_SILENCE = 600

SOURCES = Path(__file__).parents[2] / "infra" / "images" / "base"
# Where Debian, Fedora and Alpine keep the bundle; SSL_CERT_FILE, where set, is what programs use here.
BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
# The distribution's own authorities, which the image has anyway.
DISTRIBUTION_CERTIFICATES = Path("/usr/share/ca-certificates")

NO_REGISTRY = "no registry gives Debian 12"
# What the archive leaves out: the kernel's folders, and what apt downloads again.
EMPTY = ("dev", "proc", "sys", "var/cache/apt", "var/lib/apt/lists")

Log = Callable[[str], None]


class BaseImageError(InfraError):
    """The base image cannot be made on this machine; the message says why and what to do."""


def ensure_debian(log: Log = print) -> str:
    """Return the tag of a plain Debian 12 image, after making it if the engine has none.

    Args:
        log: Takes a line of progress.

    Raises:
        BaseImageError: Neither a registry nor debootstrap gave one.
    """
    with _engine(timeout=PULL_SILENCE) as engine:
        if _has(engine, DEBIAN_TAG):
            return DEBIAN_TAG
        log(f"pulling {PUBLISHED_REPOSITORY}:{PUBLISHED_TAG}")
        try:
            engine.images.pull(PUBLISHED_REPOSITORY, tag=PUBLISHED_TAG).tag(DEBIAN_REPOSITORY, tag=RELEASE)
        except (docker.errors.APIError, requests.RequestException) as error:
            log(f"no registry gives it ({_first_line(error)}); making it with debootstrap")
        else:
            return DEBIAN_TAG
    _debootstrap(log)
    return DEBIAN_TAG


def ensure_base(log: Log = print) -> str:
    """Return the tag of the base image, ``galewatch/base:<12 hex>``, after building it if it is not there.

    The tag names the content: the Dockerfile, the machine's certificates and its Debian sources.

    Args:
        log: Takes a line of progress; on failure, the build's last lines are in the error.

    Raises:
        BaseImageError: Debian cannot be had, or the build failed.
    """
    with tempfile.TemporaryDirectory(prefix="galewatch-base-") as folder:
        context = Path(folder)
        _stage(context)
        tag = f"{BASE_REPOSITORY}:{_content_hash(context)}"
        with _engine(timeout=BUILD_SILENCE) as engine:
            if _has(engine, tag):
                return tag
            debian = ensure_debian(log)
            log(f"building {tag}")
            _build(engine, context, tag, debian)
    return tag


@contextlib.contextmanager
def _engine(timeout: int) -> Iterator[docker.DockerClient]:
    """Connect to the engine; silence on its socket ends after ``timeout`` seconds."""
    try:
        engine = docker.from_env(timeout=timeout)
    except docker.errors.DockerException as error:
        raise BaseImageError(f"the Docker engine does not answer: {_first_line(error)}") from error
    try:
        yield engine
    finally:
        engine.close()


def _has(engine: docker.DockerClient, tag: str) -> bool:
    try:
        engine.images.get(tag)
    except docker.errors.ImageNotFound:
        return False
    return True


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _stage(context: Path) -> None:
    """Fill the build context; its layout is described in the Dockerfile's head."""
    for name in ("Dockerfile", "entrypoint.sh"):
        shutil.copyfile(SOURCES / name, context / name)
    extra = context / "ca" / "extra"
    extra.mkdir(parents=True)
    bundle = _bundle().read_text(encoding="utf-8", errors="replace")
    (context / "ca" / "bundle.crt").write_text(bundle, encoding="utf-8")
    own = {
        _fingerprint(certificate)
        for file in sorted(DISTRIBUTION_CERTIFICATES.rglob("*.crt"))
        for certificate in _certificates(file.read_text(encoding="utf-8", errors="replace"))
    }
    for certificate in _certificates(bundle):
        fingerprint = _fingerprint(certificate)
        if fingerprint not in own:
            (extra / f"{fingerprint[:32]}.crt").write_text(certificate, encoding="utf-8")
    apt = context / "apt"
    apt.mkdir()
    if entries := apt_sources.debian_entries(RELEASE):
        (apt / "debian.sources").write_text(apt_sources.deb822(entries), encoding="utf-8")
        if settings := apt_sources.date_settings():
            (apt / "dates.conf").write_text(settings, encoding="utf-8")


def _bundle() -> Path:
    """Find the machine's CA bundle."""
    candidates = [path for path in (os.environ.get("SSL_CERT_FILE"), *BUNDLES) if path]
    for path in candidates:
        if Path(path).is_file():
            return Path(path)
    places = ", ".join(candidates)
    raise BaseImageError(f"no CA bundle at {places}: install ca-certificates or set SSL_CERT_FILE")


def _certificates(text: str) -> Iterator[str]:
    """Split PEM text into its certificates; what stands between them is comment."""
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    for part in text.split(begin)[1:]:
        body, found, _ = part.partition(end)
        if found:
            yield f"{begin}{body}{end}\n"


def _fingerprint(certificate: str) -> str:
    """SHA-256 of the certificate itself, whatever the line breaks of its PEM form."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).hexdigest()


def _content_hash(context: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(path for path in context.rglob("*") if path.is_file()):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"{file.relative_to(context).as_posix()} {content}\n".encode())
    return digest.hexdigest()[:12]


def _build(engine: docker.DockerClient, context: Path, tag: str, debian: str) -> None:
    """Build the staged context. The engine sets the tag last, so an interrupted build leaves none."""
    proxies = {
        name: value
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
        if (value := os.environ.get(name))
    }
    try:
        engine.images.build(
            path=str(context),
            tag=tag,
            buildargs={"BASE_IMAGE": debian, **proxies},
            labels={"io.galewatch.image": "base"},
            rm=True,
            forcerm=True,
        )
    except docker.errors.BuildError as error:
        said = "".join(str(line.get("stream", "")) for line in error.build_log)
        last = "\n".join(said.splitlines()[-20:])
        raise BaseImageError(f"building {tag} failed: {error.msg}\n{last}") from error
    except (docker.errors.APIError, requests.RequestException) as error:
        raise BaseImageError(f"building {tag} failed: {_first_line(error)}") from error


def _debootstrap(log: Log) -> None:
    """Make Debian from its packages and hand it to the engine under its tag."""
    program = shutil.which("debootstrap")
    if program is None:
        raise BaseImageError(f"{NO_REGISTRY}, and debootstrap is not installed: apt-get install debootstrap")
    if os.geteuid() != 0:
        raise BaseImageError(f"{NO_REGISTRY}, and debootstrap needs root: run this step as root")
    mirror = apt_sources.mirror(RELEASE)
    if mirror is None:
        raise BaseImageError(f"{NO_REGISTRY}, and no apt source of this machine offers {RELEASE} main")
    # Not in /tmp, which may be small, in memory, or mounted without device files.
    with tempfile.TemporaryDirectory(prefix="galewatch-debian-", dir="/var/tmp") as folder:
        root, archive = Path(folder) / "root", Path(folder) / "root.tar"
        log(f"debootstrap {RELEASE} from {mirror}")
        _run([program, "--variant=minbase", RELEASE, str(root), mirror])
        _run(
            [
                "tar",
                "--create",
                "--numeric-owner",
                "--one-file-system",
                f"--file={archive}",
                f"--directory={root}",
                *(f"--exclude=./{path}/*" for path in EMPTY),
                ".",
            ],
        )
        log(f"importing {archive.stat().st_size // 2**20} MiB as {DEBIAN_TAG}")
        with _engine(timeout=BUILD_SILENCE) as engine:
            engine.api.import_image_from_file(str(archive), repository=DEBIAN_REPOSITORY, tag=RELEASE)


def _run(command: list[str]) -> None:
    """Run a program to its end; its last lines are in the error."""
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        last = "\n".join(done.stdout.splitlines()[-10:])
        raise BaseImageError(f"{Path(command[0]).name} ended with {done.returncode}:\n{last}")
