"""How to get a Docker engine: decisions over a described machine, and a look at real sockets."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.infra import engine
from pipeline.infra.engine import Action, Answer, Situation, decide, engine_address, look
from pipeline.infra.errors import InfraError

BARE_DEBIAN = Situation(
    answer=Answer.NOTHING, address="", is_root=True, is_debian=True, is_installed=False, has_systemd=False
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.mark.parametrize(
    ("situation", "action"),
    [
        (replace(BARE_DEBIAN, answer=Answer.READY), Action.USE),
        (replace(BARE_DEBIAN, answer=Answer.READY, is_root=False, address="tcp://x:1"), Action.USE),
        (BARE_DEBIAN, Action.INSTALL),
        (replace(BARE_DEBIAN, is_installed=True), Action.START_DAEMON),
        (replace(BARE_DEBIAN, is_installed=True, has_systemd=True), Action.START_SERVICE),
        (replace(BARE_DEBIAN, is_installed=True, is_debian=False), Action.START_DAEMON),
    ],
)
def test_what_can_be_done_from_here_is_done(situation: Situation, action: Action) -> None:
    assert decide(situation) is action


@pytest.mark.parametrize(
    ("situation", "words"),
    [
        (replace(BARE_DEBIAN, answer=Answer.NO_PERMISSION, is_root=False), "usermod -aG docker"),
        (
            replace(BARE_DEBIAN, address="tcp://10.0.0.1:2375"),
            r"is tcp://10\.0\.0\.1:2375.*unset DOCKER_HOST",
        ),
        (replace(BARE_DEBIAN, is_root=False), "apt-get install docker.io"),
        (replace(BARE_DEBIAN, is_root=False, is_installed=True), "systemctl start docker"),
        (replace(BARE_DEBIAN, is_debian=False), "docs.docker.com/engine/install"),
    ],
)
def test_what_cannot_be_done_from_here_is_told(situation: Situation, words: str) -> None:
    with pytest.raises(InfraError, match=words):
        decide(situation)


def test_an_address_that_nobody_listens_on_is_not_an_engine(tmp_path: Path) -> None:
    for address in (f"unix://{tmp_path}/none.sock", "tcp://127.0.0.1:9"):
        assert look({"DOCKER_HOST": address}).answer is Answer.NOTHING


def test_a_socket_whose_listener_died_is_not_an_engine(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "docker.sock"))
    assert look({"DOCKER_HOST": f"unix://{tmp_path}/docker.sock"}).answer is Answer.NOTHING


@pytest.mark.parametrize(
    ("is_root", "answer"), [(True, Answer.NOTHING), (False, Answer.NO_PERMISSION)], ids=["root", "user"]
)
def test_a_socket_that_this_user_may_not_use_is_told_apart(
    tmp_path: Path, answer: Answer, *, is_root: bool
) -> None:
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        path.chmod(0o600)
        for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
            folder.chmod(0o755)
        # In a process of its own: the rights of this one are to stay what they are.
        pid = os.fork()
        if pid == 0:
            if not is_root:
                os.setuid(65534)
            os._exit(look({"DOCKER_HOST": f"unix://{path}"}).answer.value)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == answer.value


def test_a_rootless_engine_is_found_where_the_usual_socket_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_SOCKET", tmp_path / "missing.sock")
    (tmp_path / "docker.sock").touch()
    environment = {"XDG_RUNTIME_DIR": str(tmp_path)}
    assert engine_address(environment) == f"unix://{tmp_path}/docker.sock"
    assert engine_address({**environment, "DOCKER_HOST": "tcp://x:1"}) == "tcp://x:1"
    assert engine_address({}) is None


@pytest.mark.parametrize("content", ["4194305", "no number", "", str(os.getpid())])
def test_a_pid_file_of_no_dockerd_is_removed(tmp_path: Path, content: str) -> None:
    path = tmp_path / "docker.pid"
    path.write_text(content, encoding="ascii")
    engine._remove_stale_pid(path)
    assert not path.exists()


def test_a_daemon_that_dies_at_once_is_told_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "dockerd"
    program.write_text(
        "#!/bin/sh\necho 'failed to start: no iptables' >&2\necho ' (4)'\nexit 1\n", encoding="ascii"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(engine, "_SOCKET", tmp_path / "docker.sock")
    monkeypatch.setattr(engine, "_PID_FILE", tmp_path / "docker.pid")
    with pytest.raises(InfraError, match="failed to start: no iptables"):
        engine.start_daemon(tmp_path / "logs" / "dockerd.log")


def test_an_installation_is_not_cut_off_by_ctrl_c(tmp_path: Path) -> None:
    begun, ended = tmp_path / "begun", tmp_path / "ended"

    def press() -> None:
        while not begun.exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()
    with (tmp_path / "log").open("w", encoding="utf-8") as log, pytest.raises(KeyboardInterrupt):
        engine._uninterrupted(["sh", "-c", f"touch {begun}; sleep 0.5; touch {ended}"], log)
    assert ended.exists()


class Machine:
    """A machine without an engine: programs stand for apt, systemd and dockerd, and write down each call."""

    def __init__(self, folder: Path) -> None:
        self.programs = folder / "bin"
        self.programs.mkdir()
        self.socket = folder / "docker.sock"
        self.logs = folder / "logs"
        self._called = folder / "called"
        for name in ("sh", "cat", "chmod"):
            (self.programs / name).symlink_to(str(shutil.which(name)))

    def program(self, name: str, script: str) -> Path:
        """Let there be a program."""
        path = self.programs / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>{self._called}\n{script}\n', encoding="ascii")
        path.chmod(0o755)
        return path

    def dockerd(self) -> str:
        """Give a script that listens where an engine would, until the socket is removed."""
        listen = (
            "import os, socket, sys, time\n"
            "s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(99)\n"
            "while os.path.exists(sys.argv[1]): time.sleep(0.1)"
        )
        return f"exec {sys.executable} -c '{listen}' {self.socket}"

    def called(self) -> list[str]:
        """Give what was called, in its order."""
        return self._called.read_text(encoding="ascii").splitlines()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    made = Machine(tmp_path)
    monkeypatch.setenv("PATH", str(made.programs))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(engine, "_SOCKET", made.socket)
    monkeypatch.setattr(engine, "_PID_FILE", tmp_path / "docker.pid")
    monkeypatch.setattr(engine, "_STARTED_BY_ITSELF_S", 0.3)
    monkeypatch.setattr(engine, "_START_TIMEOUT_S", 20.0)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    # The answer to a ping is an engine's own business.
    monkeypatch.setattr("docker.DockerClient.ping", lambda _: True)
    began: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def remembered(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        began.append(process := popen(*arguments, **options))
        return process

    monkeypatch.setattr(subprocess, "Popen", remembered)
    yield made
    made.socket.unlink(missing_ok=True)
    for process in began:
        process.kill()
        process.wait()


def test_root_on_debian_gets_an_engine_installed_and_started(machine: Machine) -> None:
    machine.program("dpkg", "exit 0")
    daemon = machine.program("daemon", machine.dockerd())
    daemon.rename(hidden := daemon.with_name("hidden"))
    machine.program(
        "apt-get",
        f'case "$*" in *install*) cat {hidden} >{machine.programs}/dockerd;'
        f" chmod 755 {machine.programs}/dockerd;; esac",
    )
    said: list[str] = []
    engine.ensure_engine(machine.logs, said.append).close()
    assert ["installing docker.io, debootstrap, iptables (apt)", "starting dockerd"] == said
    apt = "apt-get -o DPkg::Lock::Timeout=120"
    install = f"{apt} install -y --no-install-recommends docker.io debootstrap iptables"
    assert ["dpkg --configure -a", f"{apt} update", install] == machine.called()[:3]
    # A second time there is nothing to do.
    engine.ensure_engine(machine.logs, said.append).close()
    assert 2 == len(said)


def test_an_installation_that_fails_is_told_with_its_log(machine: Machine) -> None:
    machine.program("dpkg", "exit 0")
    machine.program("apt-get", "echo 'no such package'; exit 100")
    log = machine.logs / "apt.log"
    with pytest.raises(InfraError, match=f"could not install docker.io debootstrap iptables: see {log}"):
        engine.ensure_engine(machine.logs, lambda _: None)
    assert "no such package" in log.read_text(encoding="utf-8")


def test_where_there_is_systemd_the_service_is_started(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    situation = replace(BARE_DEBIAN, is_installed=True, has_systemd=True)
    monkeypatch.setattr(engine, "look", lambda: situation)
    machine.program("systemctl", "exit 1")
    with pytest.raises(InfraError, match="The docker service did not start: `journalctl -u docker` says why"):
        engine.ensure_engine(machine.logs, lambda _: None)
    machine.program("dockerd", machine.dockerd())
    machine.program("systemctl", f"{machine.programs}/dockerd >/dev/null 2>&1 &")
    engine.ensure_engine(machine.logs, lambda _: None).close()
    assert "systemctl start docker" in machine.called()


def test_a_daemon_that_never_listens_is_not_waited_for_for_ever(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_START_TIMEOUT_S", 0.5)
    machine.program("dockerd", f"exec {sys.executable} -c 'import time; time.sleep(60)'")
    with pytest.raises(InfraError, match="dockerd did not start: it said nothing"):
        engine.start_daemon(machine.logs / "dockerd.log")
