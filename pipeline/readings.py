"""A reading: what one station measured at one instant, as one source told it, in canonical units."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping  # noqa: TC003 - pydantic resolves the annotations at run time
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import ReadingError
from pipeline.units import METRICS, Metric

__all__ = [
    "FIELDS",
    "LIMITS",
    "ORIGINS",
    "SLUG",
    "Instant",
    "Origin",
    "Reading",
    "RejectedReading",
    "event_id",
    "implausible",
    "utc_text",
]

Origin = Literal["live", "replay", "synthetic", "selftest"]
"""Where a reading comes from: real weather, a recording, the synthetic climate, or the self-test."""

ORIGINS: tuple[Origin, ...] = get_args(Origin)

SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"

# The namespace of event ids. Never change it: every stored row is keyed by what it gives.
_NAMESPACE = uuid.UUID("6f1d3a0e-6a1c-5c0e-9d55-67616c657761")

FIELDS: dict[Metric, str] = {
    "temperature": "temperature_c",
    "humidity": "humidity_pct",
    "pressure": "pressure_hpa",
    "wind_speed": "wind_speed_ms",
}
"""The field (and column) of each metric; the unit is part of its name."""

LIMITS: dict[Metric, tuple[float, float]] = {
    # Somewhat outside of what was ever measured on land, -89.2 and 56.7 °C (WMO's archive of extremes).
    "temperature": (-100.0, 70.0),
    "humidity": (0.0, 100.0),
    # At sea level 870 to 1084.8 hPa; down to that at 5,500 m, for stations that do not reduce it.
    "pressure": (500.0, 1100.0),
    # The strongest gust was 113.3 m/s.
    "wind_speed": (0.0, 120.0),
}
"""The least and the greatest plausible value of each metric, both inclusive, in canonical units."""


def _utc_millis(value: datetime) -> datetime:
    """Bring an instant to UTC and whole milliseconds, which is what Avro and Cassandra keep."""
    if value.tzinfo is None:
        raise ValueError("the time has no zone")
    value = value.astimezone(UTC)
    return value.replace(microsecond=value.microsecond // 1000 * 1000)


# Flags are letters; a sentence would be no flag.
_QUALITY_LENGTH = 32

Instant = Annotated[datetime, AfterValidator(_utc_millis)]
Slug = Annotated[str, Field(pattern=SLUG, max_length=64)]


def utc_text(instant: datetime) -> str:
    """Write an instant as ISO 8601 with Z; milliseconds only where there are any."""
    instant = _utc_millis(instant)
    text = instant.strftime("%Y-%m-%dT%H:%M:%S")
    millis = instant.microsecond // 1000
    return f"{text}.{millis:03d}Z" if millis else f"{text}Z"


def event_id(station_id: str, observed_at: datetime, source: str) -> str:
    """Give the id of an observation: the same for every fetch, retry, revision and replay of it."""
    return str(uuid.uuid5(_NAMESPACE, f"{station_id}|{utc_text(observed_at)}|{source}"))


def implausible(metric: Metric, value: float) -> str | None:
    """Tell why `value` cannot be a measurement of `metric`, or None when it can."""
    low, high = LIMITS[metric]
    if not math.isfinite(value):
        return f"{FIELDS[metric]} is {value}, no finite number"
    if not low <= value <= high:
        return f"{FIELDS[metric]} is {value:g}, outside of {low:g} to {high:g}"
    return None


def _plausible(metric: Metric) -> AfterValidator:
    def check(value: float | None) -> float | None:
        reason = None if value is None else implausible(metric, value)
        if reason:
            raise ValueError(reason)
        return value

    return AfterValidator(check)


class Reading(BaseModel):
    """One observation. Times are UTC in whole milliseconds; None means "not measured".

    Values outside of `LIMITS` cannot be constructed: `Reading.parse` turns that into a ReadingError.
    `revision` counts the versions that the source gave of the same observation, from 1; `quality` is the
    source's own flag, in its own words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    station_id: Slug
    observed_at: Instant
    source: Slug
    origin: Origin
    revision: Annotated[int, Field(ge=1, lt=2**31)] = 1
    temperature_c: Annotated[float | None, _plausible("temperature")] = None
    humidity_pct: Annotated[float | None, _plausible("humidity")] = None
    pressure_hpa: Annotated[float | None, _plausible("pressure")] = None
    wind_speed_ms: Annotated[float | None, _plausible("wind_speed")] = None
    fetched_at: Instant
    quality: Annotated[str | None, Field(min_length=1, max_length=_QUALITY_LENGTH)] = None

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Reading:
        """Build a reading from plain values; raises ReadingError with the first reason against it."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            message = first["msg"].removeprefix("Value error, ")
            field = ".".join(str(step) for step in first["loc"])
            if not message.startswith(f"{field} "):
                message = f"{field}: {message}, got {first['input']!r}"
            raise ReadingError(message) from None

    @property
    def event_id(self) -> str:
        """The observation's id; see the function of the same name."""
        return event_id(self.station_id, self.observed_at, self.source)

    def value(self, metric: Metric) -> float | None:
        """Give the value of one metric in its canonical unit, or None."""
        found: float | None = getattr(self, FIELDS[metric])
        return found

    @property
    def measures(self) -> dict[str, float | None]:
        """The four measured values by field name."""
        return {FIELDS[metric]: self.value(metric) for metric in METRICS}

    def to_avro(self) -> dict[str, Any]:
        """Give the record of reading.v2.avsc; timestamp-millis as aware datetimes, as fastavro wants them."""
        return {"event_id": self.event_id, **self.model_dump()}

    @classmethod
    def from_avro(cls, record: Mapping[str, Any]) -> Reading:
        """Read a record of any version; raises ReadingError, also when its event id is not its own."""
        values = dict(record)
        given = values.pop("event_id", None)
        reading = cls.parse(values)
        if given != reading.event_id:
            raise ReadingError(f"event_id: is {given!r}, but the observation's id is {reading.event_id!r}")
        return reading


class RejectedReading(BaseModel):
    """What a source gave but cannot be a reading: kept with the reason and, as text, what was given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    station_id: str
    observed_at: Instant | None
    source: str
    reason: str
    raw: str
