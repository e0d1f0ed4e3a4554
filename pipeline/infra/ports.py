"""Who holds a TCP port of this machine's loopback address."""

from __future__ import annotations

import errno
import socket
from contextlib import suppress
from pathlib import Path

__all__ = ["holder_of", "is_free"]

_LISTEN = "0A"


def is_free(port: int) -> bool:
    """Tell whether a service could bind `port` on 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a port whose last connections are still fading away is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return error.errno != errno.EADDRINUSE
    return True


def holder_of(port: int) -> str | None:
    """Name the process that listens on `port`, as `nginx (process 812)`; None where /proc does not tell."""
    inodes = _listening_inodes(port)
    for folder in Path("/proc").glob("[0-9]*/fd"):
        with suppress(OSError):
            for link in folder.iterdir():
                with suppress(OSError):
                    if str(link.readlink()) in inodes:
                        name = (folder.parent / "comm").read_text(encoding="utf-8").strip()
                        return f"{name} (process {folder.parent.name})"
    return None


def _listening_inodes(port: int) -> set[str]:
    found = set()
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in Path(f"/proc/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                    found.add(f"socket:[{fields[9]}]")
    return found
