"""The secrets of one environment: generated once, one 0600 file each, never overwritten and never printed.

config/platform.yaml says which there are. Terraform uploads the files by path (`upload.source`), so that
their content is in no state and in no plan.
"""

from __future__ import annotations

import base64
import os
import secrets
import string
import tempfile
from contextlib import suppress
from pathlib import Path

from pipeline.infra.errors import InfraError
from pipeline.platform import load_platform

__all__ = ["ensure_secrets"]

# Letters and digits only: the value has to pass through shell, JAAS, properties, YAML, CQL and URLs unharmed.
_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 32  # 190 bits
_FERNET_BYTES = 32

_DIRECTORY_MODE = 0o700
_FILE_MODE = 0o600


def ensure_secrets(directory: Path) -> list[str]:
    """Generate the secrets that are missing in `directory` and give their names; the others stay as they are.

    Modes that someone opened are closed again. Raises InfraError where a secret exists but is empty, for what
    was made with it would not open any more, or where the directory cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=_DIRECTORY_MODE)
        directory.chmod(_DIRECTORY_MODE)
        return [name for name in load_platform().secrets if _ensure(directory / name)]
    except OSError as error:
        raise InfraError(
            f"The secrets in {directory} cannot be written: {error.strerror}; fix its owner and mode."
        ) from error


def _ensure(path: Path) -> bool:
    if path.exists():
        if not path.read_text(encoding="ascii").strip():
            raise InfraError(
                f"The secret {path} is empty: restore it from a backup, or run `make wipe` "
                "to begin anew without the data."
            )
        path.chmod(_FILE_MODE)
        return False
    value = _fernet_key() if path.name == "airflow_fernet_key" else _password()
    _write_new(path, value)
    return True


def _password() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(_FERNET_BYTES)).decode("ascii")


def _write_new(path: Path, value: str) -> None:
    """Write whole or not at all, never over a file that is there: link() refuses, rename() replaces."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(value)
            file.flush()
            os.fsync(descriptor)
        with suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        temporary.unlink()
