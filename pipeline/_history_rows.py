"""The history's rows: the statements that write and read them, and readings turned into rows and back."""

from __future__ import annotations

import uuid
from datetime import UTC
from typing import TYPE_CHECKING, Any

from psycopg2.extras import execute_values

from pipeline.readings import FIELDS, Reading

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from psycopg2.extensions import cursor as Cursor  # noqa: N812 - a class in spite of its name

    from pipeline.loads import Load
    from pipeline.readings import RejectedReading

__all__ = [
    "MARK",
    "MEASURED",
    "SELECT",
    "UNPUBLISHED",
    "UPSERT",
    "WAITING",
    "from_row",
    "rounds",
    "store_rejected",
    "to_row",
]

_KEY = "station_id, observed_at, source"
# What a revision differs in.
_TOLD = (*FIELDS.values(), "quality")
_VALUES = ", ".join(_TOLD)

# An answer that was fetched before the stored one says nothing new: so a load that is repeated late changes
# nothing.
UPSERT = f"""
INSERT INTO readings AS stored ({_KEY}, origin, event_id, {_VALUES}, fetched_at, load_id,
                                ingested_at, streamed)
VALUES %s
ON CONFLICT ({_KEY}) DO UPDATE
SET ({_VALUES}) = ({", ".join(f"EXCLUDED.{name}" for name in _TOLD)}),
    origin = EXCLUDED.origin,
    revision = stored.revision + 1,
    fetched_at = EXCLUDED.fetched_at,
    load_id = EXCLUDED.load_id,
    ingested_at = EXCLUDED.ingested_at,
    streamed = stored.streamed OR EXCLUDED.streamed
WHERE ({", ".join(f"stored.{name}" for name in _TOLD)})
      IS DISTINCT FROM ({", ".join(f"EXCLUDED.{name}" for name in _TOLD)})
  AND EXCLUDED.fetched_at >= stored.fetched_at
RETURNING revision, streamed
"""  # noqa: S608 - made of constants of this module

UNPUBLISHED = f"""
SELECT {_KEY}, origin, revision, {_VALUES}, fetched_at
FROM readings
WHERE streamed AND published_revision IS DISTINCT FROM revision
ORDER BY observed_at, station_id, source
LIMIT %s
FOR UPDATE SKIP LOCKED
"""  # noqa: S608 - the same

WAITING = """
SELECT count(*) FROM readings WHERE streamed AND published_revision IS DISTINCT FROM revision
"""

MARK = """
UPDATE readings SET published_revision = revision, published_at = clock_timestamp()
FROM (VALUES %s) AS acknowledged (station_id, observed_at, source)
WHERE (readings.station_id, readings.observed_at, readings.source)
    = (acknowledged.station_id, acknowledged.observed_at, acknowledged.source)
"""

SELECT = f"""
SELECT {_KEY}, origin, revision, {_VALUES}, fetched_at, load_id::text, ingested_at, streamed, published_at
FROM readings
WHERE (%(station)s::text IS NULL OR station_id = %(station)s)
  AND (%(since)s::timestamptz IS NULL OR observed_at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR observed_at < %(until)s)
ORDER BY observed_at DESC, station_id, source
LIMIT %(limit)s
"""  # noqa: S608 - the same

# By the primary key, whose order this is.
MEASURED = {
    metric: f"""
SELECT observed_at, {column} FROM readings
WHERE station_id = %s AND observed_at >= %s AND observed_at < %s AND {column} IS NOT NULL
ORDER BY observed_at, source
"""  # noqa: S608 - the same
    for metric, column in FIELDS.items()
}

_REJECTION_NAMESPACE = uuid.UUID("0b7d5f0a-3c0b-5a53-8a54-67616c657761")


def rounds(readings: Sequence[Reading]) -> list[list[Reading]]:
    """Split readings so that no round holds a key twice: one statement cannot write a row twice.

    Each round is in key order, so that two loads at once take their locks in the same order and never
    deadlock.
    """
    made: list[dict[str, Reading]] = []
    for reading in readings:
        key = reading.event_id
        turn = next((rows for rows in made if key not in rows), None)
        if turn is None:
            turn = {}
            made.append(turn)
        turn[key] = reading
    return [sorted(rows.values(), key=lambda r: (r.station_id, r.observed_at, r.source)) for rows in made]


def to_row(reading: Reading, load_id: str, horizon: timedelta, now: datetime) -> tuple[Any, ...]:
    """Give the values of UPSERT; what was observed less than `horizon` before its fetch is streamed."""
    return (
        reading.station_id,
        reading.observed_at,
        reading.source,
        reading.origin,
        reading.event_id,
        *reading.measures.values(),
        reading.quality,
        reading.fetched_at,
        load_id,
        now,
        reading.fetched_at - reading.observed_at < horizon,
    )


def from_row(row: Sequence[Any]) -> Reading:
    """Give the reading of a row of UNPUBLISHED, or of the first columns of SELECT."""
    station_id, observed_at, source, origin, revision, *values, fetched_at = row
    # Checked when it was stored; a limit that was narrowed since must not block the outbox.
    return Reading.model_construct(
        station_id=station_id,
        observed_at=observed_at.astimezone(UTC),
        source=source,
        origin=origin,
        revision=revision,
        **dict(zip(_TOLD, values, strict=True)),
        fetched_at=fetched_at.astimezone(UTC),
    )


def store_rejected(cursor: Cursor, rejected: Sequence[RejectedReading], load: Load, now: datetime) -> int:
    """Insert rejected records and return how many were new; one that is there already stays as it is."""
    if not rejected:
        return 0
    rows = {
        str(uuid.uuid5(_REJECTION_NAMESPACE, record.model_dump_json())): (
            record.source,
            record.station_id,
            record.observed_at,
            record.reason,
            record.raw,
            load.load_id,
            load.fetched_at,
            now,
        )
        for record in rejected
    }
    stored = execute_values(
        cursor,
        "INSERT INTO rejected_readings "
        "(rejection_id, source, station_id, observed_at, reason, raw, load_id, fetched_at, ingested_at) "
        "VALUES %s ON CONFLICT (rejection_id) DO NOTHING RETURNING 1",
        [(rejection_id, *values) for rejection_id, values in sorted(rows.items())],
        fetch=True,
    )
    return len(stored)
