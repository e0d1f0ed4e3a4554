"""The fleets that the benches send: devices that no run before had, in real time or as a backlog. Pure."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from pipeline.simulate.fleet import Fleet

if TYPE_CHECKING:
    from pipeline.readings import Reading

__all__ = ["Backlog", "Load", "NewFleet", "first_device"]

_RUNS: Final = 10**6
_DEVICES_A_RUN: Final = 10**5
# What a backlog spans: nothing may be older than the allowed lateness (4 hours) when it is appended, or it is
# kept out of the averages; and sending takes its time.
_SPAN_SECONDS: Final = 3 * 3600
_LEAST_DEVICES: Final = 100


def first_device(now: float | None = None) -> int:
    """Give the number of a run's first device: a block of numbers for each second of eleven days.

    The averages of devices that spoke before would hold more readings than this run sent.
    """
    return (int(time.time() if now is None else now) % _RUNS + 1) * _DEVICES_A_RUN


@dataclass(frozen=True, slots=True)
class NewFleet(Fleet):
    """A fleet whose first device has the number `first` instead of 1."""

    first: int = 1

    def reading(self, number: int, start: datetime) -> Reading:
        """Give the reading of a number, as the fleet does."""
        # By name: the decorator makes another class of this one, which super() would not know.
        reading = Fleet.reading(self, number, start)
        return reading.model_copy(update={"station_id": f"sim-{self.first + number % self.devices}"})


@dataclass(frozen=True, slots=True)
class Load:
    """How much is sent in real time: `rate` readings a second for `seconds`, `hot_percent` of them alert."""

    rate: float
    seconds: float
    hot_percent: float
    devices: int

    @property
    def total(self) -> int:
        """Readings in all."""
        return max(1, round(self.rate * self.seconds))

    @property
    def every(self) -> int:
        """Averages are watched for each so many readings: about one a second.

        One more than the rate: of as many devices as readings a second, each has its turn.
        """
        return round(self.rate) + 1

    def fleet(self) -> NewFleet:
        """Give a fleet of devices that were never heard before."""
        return NewFleet(self.devices, self.rate, self.hot_percent, first_device())


@dataclass(frozen=True, slots=True)
class Backlog:
    """What a fleet said from `start` on: one reading a second from each device."""

    fleet: NewFleet
    start: datetime
    events: int

    @classmethod
    def ending(cls, now: datetime, events: int, hot_percent: float) -> Backlog:
        """Give so many readings that end now and begin at most three hours ago."""
        devices = max(_LEAST_DEVICES, -(-events // _SPAN_SECONDS))
        fleet = NewFleet(devices, float(devices), hot_percent, first_device(now.timestamp()))
        return cls(fleet, now - timedelta(seconds=events / devices), events)

    def readings(self) -> list[Reading]:
        """Give all readings, in the order in which they were said."""
        return [self.fleet.reading(number, self.start) for number in range(self.events)]
