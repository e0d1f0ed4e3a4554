"""Messages of the topic `readings`, made by other means than the product's, and what must become of them.

Nothing of the product is imported but, as data, the committed schemas.
"""

from __future__ import annotations

import io
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import fastavro

if TYPE_CHECKING:
    from tests.oracle.weather import Observed

__all__ = ["event_id", "framed", "record"]

# The namespace of all event ids ever stored. A product that gives other ids loses what it knows.
_NAMESPACE = uuid.UUID("6f1d3a0e-6a1c-5c0e-9d55-67616c657761")


def event_id(station_id: str, observed_at: datetime, source: str) -> str:
    """Give the id of an observation, whose time has whole milliseconds."""
    text = observed_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(uuid.uuid5(_NAMESPACE, f"{station_id}|{text.replace('.000Z', 'Z')}|{source}"))


def record(observed: Observed, source: str, **more: Any) -> dict[str, Any]:
    """Give the record of an observation; a schema takes of `more` what it has."""
    return {
        "event_id": event_id(observed.station_id, observed.observed_at, source),
        "station_id": observed.station_id,
        "observed_at": observed.observed_at,
        "source": source,
        "origin": "synthetic",
        "revision": 1,
        "temperature_c": observed.temperature_c,
        "humidity_pct": observed.humidity_pct,
        "pressure_hpa": observed.pressure_hpa,
        "wind_speed_ms": observed.wind_speed_ms,
        "fetched_at": datetime.now(UTC),
        **more,
    }


def framed(schema_id: int, schema: Any, value: dict[str, Any]) -> bytes:
    """Write a record in Confluent's framing: a zero, the schema's id in four bytes, the Avro body."""
    body = io.BytesIO()
    fastavro.schemaless_writer(body, fastavro.parse_schema(schema), value)
    return b"\x00" + schema_id.to_bytes(4) + body.getvalue()
