"""Messages of the topic `readings`, made by other means than the product's, and the oracle's records of them.

Nothing of the product is imported but the oracle and, as data, the committed schemas and rules.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastavro

from pipeline.oracle import Outcome, Record, event_id, judge, load_rules

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.readings import Reading
    from tests.oracle.weather import Observed

__all__ = ["RULES", "crossings", "framed", "in_time", "outcome_of", "record", "record_of"]

RULES = load_rules(Path(__file__).parents[2] / "config" / "rules.yaml")
_SECOND = timedelta(seconds=1)


def in_time(observed: Observed, source: str, origin: str, **more: Any) -> Record:
    """Give the oracle's record of an observation that is appended a second later, unless `more` says else."""
    return Record(
        **{
            "station_id": observed.station_id,
            "source": source,
            "observed_at": observed.observed_at,
            "appended_at": observed.observed_at + _SECOND,
            "origin": origin,
            "temperature_c": observed.temperature_c,
            "humidity_pct": observed.humidity_pct,
            "pressure_hpa": observed.pressure_hpa,
            "wind_speed_ms": observed.wind_speed_ms,
            **more,
        }
    )


def record_of(reading: Reading, appended_at: datetime | None = None) -> Record:
    """Give the oracle's record of a reading; where nothing else is said it came a second later."""
    return Record(**reading.model_dump(), appended_at=appended_at or reading.observed_at + _SECOND)


def outcome_of(observed: Iterable[Observed], source: str, origin: str) -> Outcome:
    """Give what must come of observations that all are on time, by the committed rules."""
    return judge([in_time(one, source, origin) for one in observed], RULES)


def crossings(outcome: Outcome) -> set[tuple[str, datetime, str]]:
    """Give station, time and rule of each alert."""
    return {(alert.station_id, alert.observed_at, alert.rule_id) for alert in outcome.alerts}


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
