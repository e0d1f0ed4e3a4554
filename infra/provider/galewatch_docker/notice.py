"""The one warning a run that says what this provider is.

Terraform starts a provider anew for the plan and for the apply of one command. The warning is given by the
first of them; a file named for the Terraform process keeps the others quiet.
"""

import os
import tempfile
from pathlib import Path

__all__ = ["DETAIL", "SUMMARY", "is_due"]

SUMMARY = "offline stand-in for kreuzwerker/docker"
DETAIL = (
    "This machine uses the stand-in from infra/provider, which covers the part of the official provider that "
    "this project needs. Its README lists what it covers and where it differs."
)
_STARTED = 19  # the field of /proc/<pid>/stat, counted after the command's name, that holds the start time


def is_due() -> bool:
    """Tell whether this Terraform process has not been warned yet; true where that cannot be told."""
    parent = str(os.getppid())
    started = _start_time(parent)
    if started is None:
        return True
    folder = Path(tempfile.gettempdir())
    prefix = f"galewatch-docker-{os.getuid()}-"
    for marker in folder.glob(f"{prefix}*"):
        pid, _, time = marker.name.removeprefix(prefix).partition("-")
        if _start_time(pid) != time:
            marker.unlink(missing_ok=True)
    try:
        (folder / f"{prefix}{parent}-{started}").touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        return False
    except OSError:
        return True
    return True


def _start_time(pid: str) -> str | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[_STARTED]
    except OSError:
        return None
