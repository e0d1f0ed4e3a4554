"""The Docker engine: a running one is used; root on Debian gets one installed and started.

Anywhere else one sentence says what to do. All of it may be repeated at any time.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import docker
import requests
from docker.errors import DockerException

from pipeline.infra.errors import InfraError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "Action",
    "Answer",
    "Situation",
    "decide",
    "engine_address",
    "ensure_engine",
    "look",
    "start_daemon",
]

_SOCKET: Final = Path("/var/run/docker.sock")
_PID_FILE: Final = Path("/var/run/docker.pid")
_PACKAGES: Final = ("docker.io", "debootstrap", "iptables")
# A first start makes its storage and its firewall rules; some 3 s are usual.
_START_TIMEOUT_S: Final = 90.0
_ANSWER_TIMEOUT_S: Final = 10
# Where Debian starts the service of a package, it has done so soon after the installation.
_STARTED_BY_ITSELF_S: Final = 5.0


class Answer(Enum):
    """What came of asking the engine."""

    READY = auto()
    NO_PERMISSION = auto()
    NOTHING = auto()


class Action(Enum):
    """What is to be done to have an engine."""

    USE = auto()
    START_SERVICE = auto()
    START_DAEMON = auto()
    INSTALL = auto()


@dataclass(frozen=True, slots=True)
class Situation:
    """What decides how to get an engine; `address` is DOCKER_HOST, or empty."""

    answer: Answer
    address: str
    is_root: bool
    is_debian: bool
    is_installed: bool
    has_systemd: bool


def decide(situation: Situation) -> Action:
    """Choose how to get an engine; raises InfraError with what the user has to do."""
    if situation.answer is Answer.READY:
        return Action.USE
    if situation.answer is Answer.NO_PERMISSION:
        raise InfraError(
            "A Docker engine is there, but this user may not use it: `sudo usermod -aG docker $USER`, "
            "log in again, and run this again."
        )
    if situation.address:
        raise InfraError(
            f"DOCKER_HOST is {situation.address}, but no Docker engine answers there: "
            "start it, or unset DOCKER_HOST."
        )
    if not situation.is_root:
        how = "install one (Debian: `sudo apt-get install docker.io`; others: docs.docker.com/engine/install)"
        if situation.is_installed:
            how = "start it (`sudo systemctl start docker`)"
        raise InfraError(
            f"No Docker engine runs here: {how}, or run this as root on Debian, and run it again."
        )
    if situation.is_installed:
        return Action.START_SERVICE if situation.has_systemd else Action.START_DAEMON
    if situation.is_debian:
        return Action.INSTALL
    raise InfraError(
        "There is no Docker engine: install one (docs.docker.com/engine/install) and run this again."
    )


def engine_address(environment: Mapping[str, str]) -> str | None:
    """Give DOCKER_HOST, or the socket of a rootless engine; None means the usual socket."""
    if address := environment.get("DOCKER_HOST"):
        return address
    rootless = Path(environment.get("XDG_RUNTIME_DIR", "/nonexistent")) / "docker.sock"
    return f"unix://{rootless}" if not _SOCKET.exists() and rootless.exists() else None


def look(environment: Mapping[str, str] = os.environ) -> Situation:
    """Look at this machine."""
    return Situation(
        answer=_ask(engine_address(environment)),
        address=environment.get("DOCKER_HOST", ""),
        is_root=os.geteuid() == 0,
        is_debian=Path("/etc/debian_version").exists() and shutil.which("apt-get") is not None,
        is_installed=shutil.which("dockerd") is not None,
        has_systemd=Path("/run/systemd/system").is_dir(),
    )


def ensure_engine(logs: Path, say: Callable[[str], None]) -> docker.DockerClient:
    """Give a client of a running engine, after installing or starting one where that is needed and possible.

    Raises InfraError saying what to do. `logs` is the folder for the logs of the installation and of the
    daemon.
    """
    action = decide(look())
    if action is Action.INSTALL:
        say(f"installing {', '.join(_PACKAGES)} (apt)")
        install_packages(_PACKAGES, logs / "apt.log")
        # Debian starts the service itself where there is something to start it with.
        action = Action.USE if _answers_within(_STARTED_BY_ITSELF_S) else decide(look())
    if action is Action.START_SERVICE:
        say("starting the docker service")
        done = subprocess.run(["systemctl", "start", "docker"], capture_output=True, text=True, check=False)
        if done.returncode != 0 or not _answers_within(_START_TIMEOUT_S):
            raise InfraError("The docker service did not start: `journalctl -u docker` says why.")
    if action is Action.START_DAEMON:
        say("starting dockerd")
        start_daemon(logs / "dockerd.log")
    if address := engine_address(os.environ):
        os.environ["DOCKER_HOST"] = address
    return docker.from_env(timeout=60)


def install_packages(packages: tuple[str, ...], log: Path) -> None:
    """Install Debian packages as root; raises InfraError naming the log."""
    log.parent.mkdir(parents=True, exist_ok=True)
    apt = ["apt-get", "-o", "DPkg::Lock::Timeout=120"]
    commands = [
        ["dpkg", "--configure", "-a"],  # completes what an earlier installation may have broken off
        [*apt, "update"],
        [*apt, "install", "-y", "--no-install-recommends", *packages],
    ]
    with log.open("a", encoding="utf-8") as file:
        codes = [_uninterrupted(command, file) for command in commands]
    if codes[-1] != 0:
        raise InfraError(f"apt-get could not install {' '.join(packages)}: see {log}.")


def _uninterrupted(command: list[str], log: IO[str]) -> int:
    """Run a command that must not be cut off: Ctrl-C is held back until it has ended."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        start_new_session=True,
    )
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.wait()
        raise


def start_daemon(log: Path) -> None:
    """Start dockerd so that it outlives this process, and wait; raises InfraError with its reason."""
    _remove_stale_pid(_PID_FILE)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as file:
        daemon = subprocess.Popen(
            ["dockerd"], stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
        )
    if not _answers_within(_START_TIMEOUT_S, while_running=daemon):
        said = log.read_text(encoding="utf-8", errors="replace").strip()
        raise InfraError(f"dockerd did not start: {_reason(said)} (all that it said: {log})")


def _reason(said: str) -> str:
    """Find why dockerd ended: its last message that tells of a failure, else its last line."""
    lines = said.splitlines() or ["it said nothing"]
    return next((line for line in reversed(lines) if "failed to" in line), lines[-1])[-300:].strip()


def _remove_stale_pid(path: Path) -> None:
    """Remove a pid file whose process is gone or is another program: dockerd refuses to start beside it."""
    try:
        pid = int(path.read_text(encoding="ascii"))
        name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        name = ""
    if name != "dockerd":
        path.unlink(missing_ok=True)


def _answers_within(seconds: float, while_running: subprocess.Popen[bytes] | None = None) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if _ask(None) is Answer.READY:
            return True
        if while_running is not None and while_running.poll() is not None:
            return False
        time.sleep(0.2)
    return False


def _ask(address: str | None) -> Answer:
    if address is None or address.startswith("unix://"):
        path = (address or f"unix://{_SOCKET}").removeprefix("unix://")
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(_ANSWER_TIMEOUT_S)
                connection.connect(path)
        except PermissionError:
            return Answer.NO_PERMISSION
        except OSError:
            return Answer.NOTHING
    try:
        # from_env also reads DOCKER_TLS_VERIFY and DOCKER_CERT_PATH.
        settings = {**os.environ, "DOCKER_HOST": address} if address else dict(os.environ)
        docker.from_env(timeout=_ANSWER_TIMEOUT_S, environment=settings).ping()
    except (DockerException, requests.RequestException):
        return Answer.NOTHING
    return Answer.READY
