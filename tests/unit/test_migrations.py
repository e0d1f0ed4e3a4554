"""Migration files: their numbers and names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.errors import HistoryError
from pipeline.migrations import load_migrations

if TYPE_CHECKING:
    from pathlib import Path


def test_the_historys_own_migrations_begin_with_the_readings() -> None:
    first = load_migrations()[0]
    assert (1, "readings_and_outbox") == (first.version, first.name)


def test_a_gap_in_the_numbers_is_named(tmp_path: Path) -> None:
    (tmp_path / "0001_a.sql").write_text("SELECT 1")
    (tmp_path / "0003_c.sql").write_text("SELECT 1")
    with pytest.raises(HistoryError, match=r"migration 0003_c: expected number 0002 here"):
        load_migrations(tmp_path)


def test_a_file_without_a_number_is_named(tmp_path: Path) -> None:
    (tmp_path / "readings.sql").write_text("SELECT 1")
    with pytest.raises(HistoryError, match=r"^readings\.sql: "):
        load_migrations(tmp_path)


def test_the_digest_tells_a_changed_file(tmp_path: Path) -> None:
    path = tmp_path / "0001_a.sql"
    path.write_text("SELECT 1")
    (before,) = load_migrations(tmp_path)
    path.write_text("SELECT 2")
    (after,) = load_migrations(tmp_path)
    assert before.sha256 != after.sha256
