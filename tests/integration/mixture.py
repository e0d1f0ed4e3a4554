"""Readings among everything that has to be told apart from them, and what the oracle makes of it."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import fastavro

from pipeline.oracle import Alert, Average, Outcome, Poison, Record, StoredReading, judge, load_rules
from pipeline.schemas import avro_schema
from tests.integration.spark_cluster import CONFIG
from tests.integration.streaming import (
    PLATFORM,
    expect,
    framed,
    headers,
    read_all,
    reading,
    schema_ids,
    send,
    weather,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.readings import Reading
    from tests.integration.streaming import Platform

__all__ = ["Mixture"]

_READING, _AVERAGE, _ALERT = (
    [field.name for field in fields(kind) if field.name != "alert_id"]
    for kind in (StoredReading, Average, Alert)
)
_TABLES = {
    "readings_by_station": _READING,
    "averages_by_station": _AVERAGE,
    "alerts_by_station": _ALERT,
    "alerts_by_day": _ALERT,
}


class _Message(NamedTuple):
    """One message; poison is no reading."""

    key: str
    value: bytes | None
    reading: Reading | None


class Mixture:
    """A feed of stations of its own, in two halves.

    `count` readings by both versions of the schema, one in ten of them twice, a few late ones, a few revised
    ones and poison, all shuffled.
    """

    def __init__(self, platform: Platform, prefix: str, count: int, *, seed: int) -> None:
        self._platform = platform
        self._dice = random.Random(seed)  # noqa: S311 - weather
        self._readings = _readings(prefix, count, seed)
        self.stations = sorted({one.station_id for one in self._readings})
        self._sent: list[Record | Poison] = []
        messages = self._messages(schema_ids(platform)["readings-value"])
        self._halves = messages[: len(messages) // 2], messages[len(messages) // 2 :]

    @property
    def rows(self) -> int:
        """How many readings there must be in the end."""
        return len({one.event_id for one in self._readings})

    def rows_so_far(self) -> int:
        """Count the readings of the feed that are in their table."""
        return len(self._platform.rows("readings_by_station", *self.stations))

    def send(self, half: int) -> list[tuple[int, int]]:
        """Send one half, the first (0) or the second (1); give the place of each message."""
        messages, now = self._halves[half], datetime.now(UTC)
        places = send(self._platform, [(one.key, one.value) for one in messages])
        for (partition, offset), one in zip(places, messages, strict=True):
            if one.reading is None:
                self._sent.append(Poison("it is none", partition, offset, now))
            else:
                self._sent.append(Record(**one.reading.to_avro(), appended_at=now))
        return places

    def expect(self, platform: Platform | None = None) -> str:
        """Wait until every table and topic holds just what it must; says how much that is."""
        platform = platform or self._platform
        outcome = judge(self._sent, load_rules(CONFIG / "rules.yaml"))
        for table, rows in _rows(outcome).items():
            expect(
                rows,
                lambda table=table: _sorted(  # type: ignore[misc]
                    tuple(_utc(row[name]) for name in _TABLES[table])
                    for row in platform.rows(table, *self.stations)
                ),
            )
        expect({alert.alert_id for alert in outcome.alerts}, lambda: set(self._alerts()))
        letters = {(one.message.partition, one.message.offset) for one in outcome.dead_lettered}
        expect(letters, lambda: set(self._dead_letters()))
        return (
            f"exact: {len(outcome.readings)} readings, {len(outcome.averages)} averages, "
            f"{len(outcome.alerts)} alerts, {len(letters)} dead letters"
        )

    def duplicates(self) -> int:
        """Count what is more than once on the topics `alerts` and `readings.dlq`.

        On the first everything is, for both copies of the alerts driver send all of it.
        """
        alerts, letters = self._alerts(), self._dead_letters()
        return alerts.total() - len(alerts) + letters.total() - len(letters)

    def _messages(self, ids: Sequence[int]) -> list[_Message]:
        schemas = [fastavro.parse_schema(avro_schema(f"reading.v{version}.avsc")) for version in (1, 2)]
        messages = []
        for one in [*self._readings, *self._dice.sample(self._readings, len(self._readings) // 10)]:
            version = self._dice.randrange(2)
            value = framed(one.to_avro(), ids[version], schemas[version])
            messages.append(_Message(one.station_id, value, one))
        poison = (None, b"", b"\x01no frame", framed(self._readings[0].to_avro(), ids[0])[:-1])
        messages += [_Message(self._dice.choice(self.stations), value, None) for value in poison]
        self._dice.shuffle(messages)
        return messages

    def _alerts(self) -> Counter[str]:
        return Counter(
            headers(message)["alert_id"]
            for message in read_all(self._platform, "alerts")
            if (message.key() or b"").decode() in self.stations
        )

    def _dead_letters(self) -> Counter[tuple[int, int]]:
        found: Counter[tuple[int, int]] = Counter()
        for message in read_all(self._platform, "readings.dlq"):
            told = headers(message)
            if (message.key() or b"").decode() in self.stations:
                found[int(told["partition"]), int(told["offset"])] += 1
        return found


def _readings(prefix: str, count: int, seed: int) -> list[Reading]:
    on_time = weather(prefix, count, stations=8, seed=seed)
    lateness = PLATFORM.streaming.allowed_lateness_seconds
    late = [reading(f"{prefix}-{at}", lateness + 60 + at, temperature_c=40.0 + at) for at in range(3)]
    revised = [
        reading(f"{prefix}-{at}", 0, revision=2, temperature_c=39.0 + at, humidity_pct=7.0) for at in range(3)
    ]
    return [*on_time, *late, *revised]


def _rows(outcome: Outcome) -> dict[str, list[tuple[Any, ...]]]:
    """Give what each table must hold."""
    kept = {
        "readings_by_station": outcome.readings,
        "averages_by_station": outcome.averages,
        "alerts_by_station": outcome.alerts,
        "alerts_by_day": outcome.alerts,
    }
    return {
        table: _sorted(tuple(getattr(row, name) for name in _TABLES[table]) for row in rows)
        for table, rows in kept.items()
    }


def _sorted(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=repr)


def _utc(value: Any) -> Any:
    """Give the zone to a time of Cassandra's driver, which has none."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value
