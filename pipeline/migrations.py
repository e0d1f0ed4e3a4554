"""Migrations of the history: numbered SQL files, each applied once and in order."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg2

from pipeline.errors import HistoryError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection  # noqa: N812 - a class in spite of its name

__all__ = ["FOLDER", "Migration", "load_migrations", "migrate"]

FOLDER = Path(__file__).parent / "schemas" / "history"
"""The history's own migrations."""

# Any number will do; all who migrate a history take the same one.
_LOCK = 0x67616C65

_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    version    integer PRIMARY KEY,
    name       text NOT NULL,
    sha256     text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file such as 0001_readings.sql: its number, its name and its statements."""

    version: int
    name: str
    statements: str

    @property
    def sha256(self) -> str:
        """Give the digest that tells whether an applied file was changed afterwards."""
        return hashlib.sha256(self.statements.encode()).hexdigest()


def load_migrations(folder: Path = FOLDER) -> list[Migration]:
    """Read a folder's migrations; raises HistoryError if their numbers are not 1, 2, 3 and so on."""
    found = []
    for path in sorted(folder.glob("*.sql")):
        match = re.fullmatch(r"(\d{4})_(\w+)\.sql", path.name)
        if not match:
            raise HistoryError(f"{path.name}: a migration's name must be like 0001_what_it_does.sql")
        found.append(Migration(int(match[1]), match[2], path.read_text(encoding="utf-8")))
    for expected, migration in enumerate(found, start=1):
        if migration.version != expected:
            raise HistoryError(
                f"migration {migration.version:04}_{migration.name}: expected number {expected:04} here"
            )
    return found


def migrate(connection: Connection, migrations: list[Migration]) -> list[Migration]:
    """Apply what is missing, all in one transaction, and return it; two at once wait for each other.

    Raises HistoryError, and changes nothing, if an applied migration was changed, or if the database has one
    that is not known here (made by a newer Galewatch).
    """
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            cursor.execute(_TABLE)
            cursor.execute("SELECT version, sha256 FROM schema_migrations")
            applied: dict[int, str] = dict(cursor.fetchall())
            _check(applied, migrations)
            missing = [migration for migration in migrations if migration.version not in applied]
            for migration in missing:
                cursor.execute(migration.statements)
                cursor.execute(
                    "INSERT INTO schema_migrations (version, name, sha256) VALUES (%s, %s, %s)",
                    (migration.version, migration.name, migration.sha256),
                )
    except psycopg2.Error as error:
        raise HistoryError(f"a migration failed: {str(error).strip().splitlines()[0]}") from error
    return missing


def _check(applied: dict[int, str], migrations: list[Migration]) -> None:
    known = {migration.version: migration for migration in migrations}
    for version, sha256 in sorted(applied.items()):
        if version not in known:
            raise HistoryError(
                f"the history has migration {version:04}, which this Galewatch does not know: use a newer one"
            )
        if known[version].sha256 != sha256:
            raise HistoryError(
                f"migration {version:04}_{known[version].name} was changed after it had been applied: "
                "write a new one instead"
            )
