"""One phase of the latency bench: a load in an open loop, probes that watch for its rows, what came of it."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from benchmarks.numbers import Summary, summarise
from benchmarks.probe import Watch, watch
from benchmarks.sender import speak
from benchmarks.worker import Worker, pipe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.fleet import Load
    from benchmarks.probe import Found
    from pipeline.environment import Environment
    from pipeline.simulate.producer import Outcome

__all__ = ["Measured", "run"]

# The least time between two questions, and how many at once. Alerts are few (three a second) and seen in
# milliseconds; averages wait for a batch, seconds even.
_QUESTIONS: Final = {"alerts": (0.0015, 16), "averages": (0.025, 1)}
_PATIENCE_S: Final = 60.0
_START_S: Final = 60.0
_TICK_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Measured:
    """What a phase gave: the sender's outcome, and what was found of `<consumer> <kind>`."""

    began: float
    sent: Outcome
    found: Mapping[str, Found]

    def latency(self, kind: str) -> Summary:
        """Sum up produce → visible."""
        return summarise([one.took_s for one in self.found[kind].seen], self.found[kind].missing)

    def resolution(self, kind: str) -> Summary:
        """Sum up how far each of them may be off."""
        return summarise([one.resolution_s for one in self.found[kind].seen])

    def points(self, kind: str) -> list[tuple[float, float]]:
        """Give (seconds since the phase's start, latency in s) of each row."""
        return [(round(one.at - self.began, 4), round(one.took_s, 6)) for one in self.found[kind].seen]


def run(
    environment: Environment,
    load: Load,
    consumers: Mapping[str, tuple[str, str]],
    tick: Callable[[float], None],
) -> Measured:
    """Send the load and watch for it; `consumers` gives role and keyspace of each whose tables are watched.

    `tick` is called ten times a second with the seconds since the load began. Raises BenchError where one of
    the processes fails.
    """
    fleet = load.fleet()
    with ExitStack() as stack:
        listeners, probes = [], {}
        for consumer, (user, keyspace) in consumers.items():
            for kind, (pace, at_once) in _QUESTIONS.items():
                heard, tell = pipe()
                what = Watch(kind, environment.cassandra(user), keyspace, pace, at_once, _PATIENCE_S)
                name = f"{consumer} {kind}"
                probe = Worker(f"the probe of {name}", watch, what, heard, instrument=True)
                probes[name] = stack.enter_context(probe)
                listeners.append((kind, tell))
        for probe in probes.values():
            probe.take(_START_S)
        began = time.time()
        sender = stack.enter_context(
            Worker("the sender", speak, environment, fleet, load, listeners, instrument=True)
        )
        while not sender.has_answered(_TICK_S):
            tick(time.time() - began)
        outcome = sender.take(0)
        found = {name: probe.take(_PATIENCE_S + _START_S) for name, probe in probes.items()}
    return Measured(began, outcome, found)
