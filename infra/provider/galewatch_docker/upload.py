"""Files for a container, as the one tar that the engine unpacks at its root before it starts.

What comes from `source` is read here and goes nowhere else: not into the state, not into an error.
"""

import base64
import binascii
import io
import tarfile
from pathlib import Path
from typing import Any

from galewatch_docker.errors import StandInError

__all__ = ["archive"]


def archive(uploads: list[dict[str, Any]]) -> bytes | None:
    """Pack the `upload` blocks of a container; None when there are none.

    Owner is root and the time is zero, as the official provider has it.

    Raises:
        StandInError: a source cannot be read, or a content is not base64; it names the file.
    """
    if not uploads:
        return None
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for upload in sorted(uploads, key=lambda item: str(item["file"])):
            content = _content(upload)
            member = tarfile.TarInfo(upload["file"].lstrip("/"))
            member.size = len(content)
            member.mode = _mode(upload)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _mode(upload: dict[str, Any]) -> int:
    if upload.get("permissions"):
        return int(upload["permissions"], 8)
    return 0o744 if upload.get("executable") else 0o644


def _content(upload: dict[str, Any]) -> bytes:
    file = upload["file"]
    if upload.get("source"):
        try:
            # Relative to the directory that Terraform runs in, as the official provider has it.
            return Path(upload["source"]).expanduser().read_bytes()
        except OSError as error:
            raise StandInError(
                f"Cannot read {upload['source']}, the source of {file}",
                f"{error.strerror}. A relative path starts at {Path.cwd()}.",
                ("upload",),
            ) from error
    if upload.get("content_base64"):
        try:
            return base64.b64decode(upload["content_base64"], validate=True)
        except binascii.Error as error:
            raise StandInError(f"content_base64 of {file} is not base64", "", ("upload",)) from error
    return str(upload.get("content") or "").encode()
