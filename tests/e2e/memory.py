"""What the services of an environment hold in memory.

A JVM takes all of the heap that it was allowed before it collects, so what it has tells nothing: it holds
what a full collection leaves of its heap, and what it has beside it.
"""

from __future__ import annotations

import os
import re
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipeline.infra.layout import ENVIRONMENT_LABEL, JOB_LABEL, SERVICE_LABEL
from tests.e2e.stack import until

if TYPE_CHECKING:
    from tests.e2e.stack import Stack

__all__ = ["held"]

_ATTACHED_WITHIN_S: Final = 20.0
# Longer than a process lives that looks after a container's health, reads a DAG's file or runs a task.
_STAYS_AFTER_S: Final = 60.0
# A part of a heap, whichever collector it is: the KiB used, and where it begins and ends.
_PART: Final = re.compile(
    r"(?:heap|generation|PSYoungGen|ParOldGen) +total \d+K, used (\d+)K \[0x(\w+),(?: 0x\w+,)? 0x(\w+)\)"
)
_MAPPED: Final = re.compile(r"^([0-9a-f]+)-[0-9a-f]+ (?:.*\n)+?Anonymous: +(\d+) kB$", re.MULTILINE)


def held(stack: Stack) -> dict[str, float]:
    """Give the MiB that each service of an environment holds, after a full collection of each JVM.

    That is what the processes hold that have been there for a minute.

    Cassandra writes its tables to disk before. For root, where the engine's processes are this machine's.
    """
    label = {"label": f"{ENVIRONMENT_LABEL}={stack.name}"}
    holding = {}
    for container in stack.engine.containers.list(filters=label):
        if JOB_LABEL in container.labels:
            continue
        service = container.labels[SERVICE_LABEL]
        if service == "cassandra":
            code, said = container.exec_run(["/opt/galewatch/nodetool", "flush"])
            assert code == 0, said.decode(errors="replace")
        holding[service] = sum(map(_held, _processes(container)))
    return holding


def _processes(container: Any) -> list[int]:
    """Give the processes of a container that stay; of those that come and go none is held."""
    parents = {
        int(pid): int(parent)
        for pid, parent, age_s in container.top(ps_args="-eo pid,ppid,etimes")["Processes"]
        if int(age_s) > _STAYS_AFTER_S
    }

    def is_of_it(pid: int) -> bool:
        return pid == container.attrs["State"]["Pid"] or (pid in parents and is_of_it(parents[pid]))

    return [pid for pid in parents if is_of_it(pid)]


def _held(pid: int) -> float:
    try:
        mapped = _anonymous(pid)
    except (FileNotFoundError, ProcessLookupError):
        # Ended in between.
        return 0.0
    if Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip() != "java":
        return sum(mapped.values()) / 1024
    asked(pid, "GC.run")
    parts = [(int(used), int(low, 16), int(high, 16)) for used, low, high in _PART.findall(_heap(pid))]
    beside = sum(kib for at, kib in mapped.items() if not any(low <= at < high for _, low, high in parts))
    return (sum(used for used, _, _ in parts) + beside) / 1024


def _heap(pid: int) -> str:
    heap = asked(pid, "GC.heap_info")
    assert _PART.search(heap), heap
    return heap


def _anonymous(pid: int) -> dict[int, int]:
    """Give the KiB of a process that are of no file, by the address where they are mapped."""
    maps = Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8")
    return {int(at, 16): int(kib) for at, kib in _MAPPED.findall(maps)}


def asked(pid: int, command: str) -> str:
    """Give the answer of a JVM to a command of jcmd, which no image has: by HotSpot's own protocol."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    within = re.findall(r"^NSpid:.*\t(\d+)$", status, re.MULTILINE)[0]
    folder = Path("/proc", str(pid), "root", "tmp")
    door = folder / f".java_pid{within}"
    if not door.is_socket():
        # The JVM that finds such a file when it is told to quit opens the door instead.
        knock = folder / f".attach_pid{within}"
        knock.touch()
        try:
            os.kill(pid, signal.SIGQUIT)
            until(f"the JVM {pid} listens", door.is_socket, within_s=_ATTACHED_WITHIN_S, every_s=0.05)
        finally:
            knock.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(door))
        connection.sendall(b"1\0jcmd\0" + command.encode() + b"\0\0\0")
        with connection.makefile() as answer:
            code, told = answer.readline().strip(), answer.read()
    assert code == "0", told
    return told
