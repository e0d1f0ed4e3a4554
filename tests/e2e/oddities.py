"""Odd readings and poison: at every limit, repeated, late, early, revised, or no readings at all."""

from __future__ import annotations

import math
import struct
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.oracle.messages import framed, record
from tests.oracle.weather import Observed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.topics import Registered

__all__ = ["UNASSIGNED_ID", "Poison", "Told", "odd", "poison"]

# No registry of a test comes so far.
UNASSIGNED_ID = 2_000_000_011

_SECOND = timedelta(seconds=1)
_MILLISECOND = timedelta(milliseconds=1)
# Exactly the rule's threshold of 100 °F, which no float of °C is.
_HEAT_C = 37.77777777777778


class Told(NamedTuple):
    """One version of an observation, how often it is sent, and whether by the device's second program."""

    observed: Observed
    revision: int = 1
    quality: str | None = None
    times: int = 1
    second: bool = False


class Poison(NamedTuple):
    """A message that can be no reading: its key, its bytes, and a part of the reason why."""

    key: str
    value: bytes | None
    reason: str


def odd(prefix: str, now: datetime, start: datetime) -> Iterator[Told]:
    """Give good readings that a rule, a window or a clock may get wrong; `start` begins a window."""
    yield from _at_the_lines(f"{prefix}-lines", start)
    yield from _at_the_clock(prefix, now, start)
    yield from _in_versions(prefix, start)
    for step in range(10):
        at = start + step * 10 * _SECOND
        yield Told(Observed(f"{prefix}-twice", at, 20.1 + step), times=2 + step % 2)
        # Of one station and instant, told by two sources: two events.
        yield Told(Observed(f"{prefix}-both", at, 35.0 + step))
        yield Told(Observed(f"{prefix}-both", at, 36.0 + step, 50.0), quality="V", second=True)


def _at_the_lines(station: str, start: datetime) -> Iterator[Told]:
    values: list[tuple[float | None, ...]] = [
        *((value, None, None, None) for line in (_HEAT_C, 0.0, -30.0) for value in _around(line)),
        (-0.0, None, None, None),
        *((None, value, None, None) for value in (*_around(10.0), 0.0, 100.0)),
        *((None, None, value, None) for value in (*_around(980.0), 500.0, 1100.0)),
        *((None, None, None, value) for line in (17.2, 24.5) for value in _around(line)),
        (-100.0, None, None, 0.0),
        (70.0, None, None, 120.0),
        (None, None, None, None),
        # Halves of a thousandth, and sums that floats get wrong.
        *((value, None, None, None) for value in (0.0005, 0.0015, 0.1, 0.2, 0.3, -0.0005)),
    ]
    for step, (temperature, humidity, pressure, wind) in enumerate(values):
        yield Told(Observed(station, start + step * _SECOND, temperature, humidity, pressure, wind))


def _around(line: float) -> tuple[float, float, float]:
    return math.nextafter(line, -math.inf), line, math.nextafter(line, math.inf)


def _at_the_clock(prefix: str, now: datetime, start: datetime) -> Iterator[Told]:
    window, lateness = timedelta(minutes=5), timedelta(hours=4)
    for at in (start, start + window - _MILLISECOND, start + window, start + window + _MILLISECOND):
        yield Told(Observed(f"{prefix}-edges", at, 12.5))
    yield Told(Observed(f"{prefix}-late", now - lateness - _SECOND, 44.4))
    yield Told(Observed(f"{prefix}-late", now - timedelta(hours=20), -33.3))
    yield Told(Observed(f"{prefix}-late", now - timedelta(days=2), 3.3))
    # As late as allowed, but for the time until the last of it is sent.
    yield Told(Observed(f"{prefix}-late", now - lateness + timedelta(minutes=10), 41.0))
    yield Told(Observed(f"{prefix}-early", now + timedelta(minutes=4), 40.0))


def _in_versions(prefix: str, start: datetime) -> Iterator[Told]:
    for step in range(12):
        at = start + step * 10 * _SECOND
        yield Told(Observed(f"{prefix}-revised", at, 36.0 + step / 10, 40.0))
        if step % 2:
            # Over the line, then below it again.
            yield Told(Observed(f"{prefix}-revised", at, 38.5 + step / 10), revision=2, quality="V")
        if step % 4 == 3:
            yield Told(Observed(f"{prefix}-revised", at, None, 9.0), revision=3)


def poison(prefix: str, now: datetime, reading: Registered, alert: Registered) -> list[Poison]:
    """Give messages that are no readings, each kind of its own; `reading` is the newest schema."""
    key = f"{prefix}-poison"
    schema_id, schema = reading

    def good(second: int, temperature: float | None = 20.0, **more: Any) -> bytes:
        observed = Observed(key, now - timedelta(seconds=30 + second), temperature)
        return framed(schema_id, schema, {**record(observed, key, quality=None), **more})

    def measured(field: str, value: float) -> bytes:
        return good(60, **{field: value})

    header = b"\x00" + schema_id.to_bytes(4)
    early = record(Observed(key, now + timedelta(minutes=15), 45.0), key, quality=None)
    return [
        Poison(key, None, "no value"),
        Poison(key, b"", "short"),
        Poison(key, good(1)[:4], "short"),
        Poison(key, header, "cannot be decoded"),
        Poison(key, b"\x01" + good(2)[1:], "magic byte"),
        Poison(key, b'{"temperature_c": 45}', "magic byte"),
        Poison(key, b"\x00" + UNASSIGNED_ID.to_bytes(4) + good(3)[5:], str(UNASSIGNED_ID)),
        Poison(key, b"\x00" + alert.schema_id.to_bytes(4) + good(4)[5:], "not to readings-value"),
        Poison(key, good(5)[:40], "cannot be decoded"),
        Poison(key, good(6)[:-1], "cannot be decoded"),
        Poison(key, good(7) + b"\x00", "left over"),
        # Text where a number is due: the temperature's branch of its union is one that there is not.
        Poison(key, good(8).replace(_encoded(20.0), b"\x04\x0820.0"), "cannot be decoded"),
        Poison(key, good(9).replace(_encoded(20.0), b"\x01" + _encoded(20.0)[1:]), "cannot be decoded"),
        Poison(key, framed(schema_id, schema, early), "in the future"),
        *(
            Poison(key, measured(field, value), field)
            for field, least, greatest in (
                ("temperature_c", -100.0, 70.0),
                ("humidity_pct", 0.0, 100.0),
                ("pressure_hpa", 500.0, 1100.0),
                ("wind_speed_ms", 0.0, 120.0),
            )
            for value in (
                math.nan,
                math.inf,
                -math.inf,
                math.nextafter(least, -math.inf),
                math.nextafter(greatest, math.inf),
            )
        ),
        Poison(key, good(10, event_id="none"), "event_id"),
        Poison(key, good(11, station_id="No Name"), "station_id"),
        Poison(key, good(12, source=""), "source"),
        Poison(key, good(13, origin="guessed"), "origin"),
        Poison(key, good(14, revision=0), "revision"),
        Poison(
            key, good(15, observed_at=datetime(1899, 12, 31, 23, 59, 59, tzinfo=now.tzinfo)), "observed_at"
        ),
        Poison(key, good(16, fetched_at=now + timedelta(days=2)), "fetched_at"),
    ]


def _encoded(temperature: float) -> bytes:
    """Give how Avro writes a temperature: the branch of the union, and the double."""
    return b"\x02" + struct.pack("<d", temperature)
