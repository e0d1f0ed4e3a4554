"""Judge records by the contract, all at once: what tables and topics hold when all has come through."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import TYPE_CHECKING

from pipeline.oracle import faults
from pipeline.oracle.history import told
from pipeline.oracle.policy import Policy
from pipeline.oracle.records import MEASURES, Poison, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.oracle.rules import Rule

__all__ = ["Alert", "Average", "DeadLetter", "Outcome", "Rejected", "StoredReading", "judge", "thousandths"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_THOUSAND = 1000


@dataclass(frozen=True, order=True)
class Alert:
    """One row of the alerts, and one id on their topic."""

    station_id: str
    observed_at: datetime
    rule_id: str
    source: str
    alert_id: str
    event_id: str
    revision: int
    severity: str
    origin: str
    metric: str
    value: float
    threshold: float
    unit: str
    message: str


@dataclass(frozen=True, order=True)
class Average:
    """One row of the averages: of the temperature of a station in [start, end)."""

    station_id: str
    window_start: datetime
    window_end: datetime
    temperature_c_mean: float
    temperature_c_min: float
    temperature_c_max: float
    readings: int
    origin: str


@dataclass(frozen=True)
class StoredReading:
    """One row of the readings."""

    station_id: str
    observed_at: datetime
    source: str
    event_id: str
    origin: str
    revision: int
    temperature_c: float | None
    humidity_pct: float | None
    pressure_hpa: float | None
    wind_speed_ms: float | None
    fetched_at: datetime
    quality: str | None
    on_time: bool


@dataclass(frozen=True)
class DeadLetter:
    """A message that is no reading; `reasons` are in the order of the contract's table."""

    reasons: tuple[str, ...]
    message: Record | Poison

    @property
    def reason(self) -> str:
        """The first reason."""
        return self.reasons[0]


@dataclass(frozen=True)
class Rejected:
    """A record of a source's that is kept apart."""

    reasons: tuple[str, ...]
    record: Record

    @property
    def reason(self) -> str:
        """The first reason."""
        return self.reasons[0]


@dataclass(frozen=True)
class Outcome:
    """All that must come out; see the package."""

    alerts: tuple[Alert, ...]
    averages: tuple[Average, ...]
    readings: tuple[StoredReading, ...]
    late: tuple[Record, ...]
    dead_lettered: tuple[DeadLetter, ...]
    rejected: tuple[Rejected, ...] = ()
    history: tuple[Record, ...] = ()
    published: tuple[Record, ...] = ()

    @property
    def latest(self) -> tuple[StoredReading, ...]:
        """The newest reading of each station and source."""
        newest = {(row.station_id, row.source): row for row in sorted(self.readings, key=_observed)}
        return tuple(newest[key] for key in sorted(newest))


def judge(records: Iterable[Record | Poison], rules: Sequence[Rule], policy: Policy | None = None) -> Outcome:
    """Tell what must come of the records. Their order decides nothing, but for those of a source's."""
    policy = policy or Policy()
    given = list(records)
    history = told((one for one in given if isinstance(one, Record) and one.via == "source"), policy)
    dead: list[DeadLetter] = []
    good: list[Record] = []
    for message in (
        *(one for one in given if isinstance(one, Poison) or one.via == "topic"),
        *history.published,
    ):
        wrong = ("poison",) if isinstance(message, Poison) else tuple(faults.of_message(message, policy))
        if wrong:
            dead.append(DeadLetter(wrong, message))
        elif isinstance(message, Record):
            good.append(message)
    good.sort(key=_version)
    return Outcome(
        alerts=_alerts(good, rules),
        averages=_averages((record for record in good if not _is_late(record, policy)), policy),
        readings=_readings(good, policy),
        late=_late(good, policy),
        dead_lettered=tuple(dead),
        rejected=tuple(Rejected(wrong, record) for record, wrong in history.rejected),
        history=tuple(sorted(history.kept, key=_key)),
        published=history.published,
    )


def thousandths(value: float) -> int:
    """Give whole thousandths of a temperature: the double times 1000, a double, halves to the even one."""
    return round(Fraction(float(Fraction(value) * _THOUSAND)))


def _is_late(record: Record, policy: Policy) -> bool:
    return record.appended_at - record.observed_at > policy.allowed_lateness


def _key(record: Record) -> tuple[str, datetime, str]:
    return record.station_id, record.observed_at, record.source


def _observed(row: StoredReading) -> datetime:
    return row.observed_at


def _version(record: Record) -> tuple[object, ...]:
    """Order the versions of an event; of two of one revision, what was fetched first is the first."""
    temperature = record.temperature_c
    value = 0 if temperature is None else thousandths(temperature)
    return record.revision, record.fetched_at, value, record.origin, record.appended_at


def _alerts(records: Iterable[Record], rules: Sequence[Rule]) -> tuple[Alert, ...]:
    """Every version may raise one; the last that did is the one that is shown."""
    rows: dict[tuple[str, datetime, str, str], Alert] = {}
    for record in records:
        for rule in rules:
            value = getattr(record, rule.field)
            key = (record.station_id, record.observed_at, rule.id, record.source)
            if value is None or not rule.crossed_by(value):
                continue
            if key in rows and rows[key].revision == record.revision:
                continue
            rows[key] = Alert(
                *key,
                alert_id=f"{record.event_id}/{rule.id}",
                event_id=record.event_id,
                revision=record.revision,
                severity=rule.severity,
                origin=record.origin,
                metric=rule.metric,
                value=value,
                threshold=rule.threshold,
                unit=rule.unit,
                message=rule.message,
            )
    return tuple(sorted(rows.values()))


def _averages(on_time: Iterable[Record], policy: Policy) -> tuple[Average, ...]:
    """Of each event the first version that came on time and has a temperature."""
    windows: defaultdict[tuple[str, datetime], dict[str, Record]] = defaultdict(dict)
    for record in on_time:
        if record.temperature_c is not None:
            start = _EPOCH + (record.observed_at - _EPOCH) // policy.window * policy.window
            windows[record.station_id, start].setdefault(record.event_id, record)
    return tuple(
        _average(station_id, start, start + policy.window, list(windows[station_id, start].values()))
        for station_id, start in sorted(windows)
    )


def _average(station_id: str, start: datetime, end: datetime, events: list[Record]) -> Average:
    values = [thousandths(record.temperature_c) for record in events if record.temperature_c is not None]
    # Each quotient is a double: the sum in degrees is one, and its part is one of that.
    total = float(Fraction(sum(values), _THOUSAND))
    return Average(
        station_id,
        start,
        end,
        temperature_c_mean=float(Fraction(total) / len(values)),
        temperature_c_min=float(Fraction(min(values), _THOUSAND)),
        temperature_c_max=float(Fraction(max(values), _THOUSAND)),
        readings=len(values),
        origin=max(record.origin for record in events),
    )


def _readings(records: Iterable[Record], policy: Policy) -> tuple[StoredReading, ...]:
    """The last revision of each observation; on time if any copy of it was."""
    last: dict[tuple[str, datetime, str], Record] = {}
    on_time: defaultdict[tuple[str, datetime, str], bool] = defaultdict(bool)
    for record in records:
        key = _key(record)
        if key not in last or last[key].revision < record.revision:
            last[key] = record
            on_time[key] = False
        on_time[key] |= not _is_late(record, policy)
    return tuple(
        StoredReading(
            *key,
            event_id=record.event_id,
            origin=record.origin,
            revision=record.revision,
            **{name: getattr(record, name) for name in MEASURES},
            fetched_at=record.fetched_at,
            quality=record.quality,
            on_time=on_time[key],
        )
        for key, record in sorted(last.items())
    )


def _late(records: Sequence[Record], policy: Policy) -> tuple[Record, ...]:
    """Every version of which no copy was on time, once."""
    versions = [(record.event_id, record.revision) for record in records]
    timely = {
        version for version, record in zip(versions, records, strict=True) if not _is_late(record, policy)
    }
    late: dict[tuple[str, int], Record] = {}
    for version, record in zip(versions, records, strict=True):
        if version not in timely:
            late.setdefault(version, record)
    return tuple(sorted(late.values(), key=lambda record: (*_key(record), record.revision)))
