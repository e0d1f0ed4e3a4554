"""How to get a Docker engine: decisions over a described machine, and a look at real sockets."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pipeline.infra import engine
from pipeline.infra.engine import Action, Answer, Situation, decide, engine_address, look
from pipeline.infra.errors import InfraError

BARE_DEBIAN = Situation(
    answer=Answer.NOTHING, address="", is_root=True, is_debian=True, is_installed=False, has_systemd=False
)

if TYPE_CHECKING:
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
