"""Secrets: made once, closed to others, never overwritten."""

from __future__ import annotations

import base64
import re
import threading
from typing import TYPE_CHECKING

import pytest

from pipeline.infra.errors import InfraError
from pipeline.infra.secrets import ensure_secrets
from pipeline.platform import load_platform

if TYPE_CHECKING:
    from pathlib import Path

SECRET_NAMES = load_platform().secrets


def contents(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text(encoding="ascii") for file in folder.iterdir()}


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_every_secret_is_made_and_closed_to_others(tmp_path: Path) -> None:
    folder = tmp_path / "secrets" / "dev"
    assert ensure_secrets(folder) == list(SECRET_NAMES)
    assert sorted(contents(folder)) == sorted(SECRET_NAMES)
    assert mode(folder) == 0o700
    assert {mode(file) for file in folder.iterdir()} == {0o600}


def test_secrets_are_long_plain_and_all_different(tmp_path: Path) -> None:
    ensure_secrets(tmp_path)
    values = contents(tmp_path)
    key = values.pop("airflow_fernet_key")
    assert len(base64.urlsafe_b64decode(key)) == 32
    assert all(re.fullmatch(r"[A-Za-z0-9]{32}", value) for value in values.values())
    assert len(set(values.values())) == len(values)


def test_what_is_there_is_never_overwritten_and_what_is_missing_is_added(tmp_path: Path) -> None:
    ensure_secrets(tmp_path)
    before = contents(tmp_path)
    (tmp_path / "kafka_admin").unlink()
    assert ensure_secrets(tmp_path) == ["kafka_admin"]
    after = contents(tmp_path)
    assert after.pop("kafka_admin") != before.pop("kafka_admin")
    assert after == before


def test_a_secret_that_was_opened_is_closed_again(tmp_path: Path) -> None:
    ensure_secrets(tmp_path)
    (tmp_path / "kafka_admin").chmod(0o644)
    tmp_path.chmod(0o755)
    assert ensure_secrets(tmp_path) == []
    assert (mode(tmp_path / "kafka_admin"), mode(tmp_path)) == (0o600, 0o700)


def test_two_at_once_agree_on_one_value(tmp_path: Path) -> None:
    made: list[list[str]] = []
    threads = [threading.Thread(target=lambda: made.append(ensure_secrets(tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert sorted(contents(tmp_path)) == sorted(SECRET_NAMES)
    assert ensure_secrets(tmp_path) == []


def test_an_empty_secret_is_refused_and_named(tmp_path: Path) -> None:
    ensure_secrets(tmp_path)
    (tmp_path / "cassandra_admin").write_text("", encoding="ascii")
    with pytest.raises(InfraError, match="cassandra_admin is empty"):
        ensure_secrets(tmp_path)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="ascii")
    with pytest.raises(InfraError, match="cannot be written"):
        ensure_secrets(tmp_path / "file" / "dev")
