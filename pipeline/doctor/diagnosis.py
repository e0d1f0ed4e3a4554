"""The diagnosis: each hop judged, and the first one that is broken by itself. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pipeline.doctor.judge_ingest import AIRFLOW, HISTORY, OUTBOX, WEATHER, airflow, history, outbox, weather
from pipeline.doctor.judge_stream import KAFKA, REGISTRY, SERVING, SPARK, kafka, registry, serving, spark

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.doctor.hop import Hop
    from pipeline.doctor.seen import Seen

__all__ = ["PATH", "Diagnosis", "diagnose"]

# In the order in which a reading passes them.
_JUDGES: Final = (weather, airflow, history, outbox, registry, kafka, spark, serving)
PATH: Final = (WEATHER, AIRFLOW, HISTORY, OUTBOX, REGISTRY, KAFKA, SPARK, SERVING)

_NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    # Airflow keeps its own state in PostgreSQL as well, and so does the registry.
    AIRFLOW: (WEATHER, HISTORY),
    OUTBOX: (AIRFLOW, HISTORY, REGISTRY, KAFKA),
    REGISTRY: (HISTORY,),
    # Also what the queries have done is read from Cassandra.
    SPARK: (REGISTRY, KAFKA, SERVING),
}
"""What a hop cannot work without: where one of those is broken, it is not the cause."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The hops in the order of the path."""

    hops: tuple[Hop, ...]

    @property
    def first_broken(self) -> Hop | None:
        """The first hop that is broken and not because of another."""
        return next((hop for hop in self.hops if hop.state == "broken"), None)

    @property
    def sentence(self) -> str:
        """What to tell: the first broken hop with its likely cause, or that the path is whole."""
        first = self.first_broken
        if first is not None:
            return f"{first.name}: {first.cause}"
        warnings = sum(hop.state == "warning" for hop in self.hops)
        return "The path is whole" + (f", with {warnings} worth a look." if warnings else ".")


def diagnose(seen: Seen) -> Diagnosis:
    """Judge every hop by what was seen of all of them."""
    hops = {hop.name: hop for hop in (judge(seen) for judge in _JUDGES)}
    broken = {name for name, hop in hops.items() if hop.state == "broken"}
    return Diagnosis(tuple(_attributed(hops[name], broken) for name in PATH))


def _attributed(hop: Hop, broken: set[str]) -> Hop:
    """Call a broken hop affected where one that it needs is broken."""
    culprits = [name for name in PATH if name in _all_needs(hop.name) and name in broken]
    if hop.state != "broken" or not culprits:
        return hop
    return replace(hop, state="affected", cause=f"because of {culprits[0]}: {hop.cause}")


def _all_needs(name: str) -> set[str]:
    needed = set(_NEEDS.get(name, ()))
    return needed.union(*(_all_needs(one) for one in needed))
