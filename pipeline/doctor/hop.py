"""A hop as it was judged, and the words that the judges share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline.doctor.seen import Failed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from pipeline.doctor.seen import ContainerSeen, Seen

__all__ = ["Hop", "State", "age", "judged", "plural", "span", "stopped", "unanswered", "unwell"]

State = Literal["ok", "warning", "broken", "affected"]
"""`warning` is worth a look and stops nothing; `affected` is broken because of another hop."""

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR


@dataclass(frozen=True, slots=True)
class Hop:
    """One hop of the path: what is there (`facts`), and what is wrong with it, if anything (`cause`)."""

    name: str
    state: State
    facts: str
    cause: str = ""


def judged(name: str, facts: str, broken: Iterable[str], warnings: Iterable[str] = ()) -> Hop:
    """Give a hop that is broken, or worth a warning, for the first of the given reasons."""
    for state, reasons in (("broken", broken), ("warning", warnings)):
        for reason in reasons:
            return Hop(name, "broken" if state == "broken" else "warning", facts, reason)
    return Hop(name, "ok", facts)


def unanswered(name: str, failed: Failed, seen: Seen, *services: str) -> Hop:
    """Give a hop that does not answer: because of its containers, or else as its probe says."""
    return judged(name, "no answer", [*stopped(seen, *services), *unwell(seen, *services), failed.reason])


def stopped(seen: Seen, *services: str) -> list[str]:
    """Say which containers of these services do not run; a name that ends with `-` means all so begun."""
    return [_words(one) for one in _containers(seen, services) if not one.runs]


def unwell(seen: Seen, *services: str) -> list[str]:
    """Say which of these containers run, and are not healthy.

    The engine asks seldom, and calls a service unhealthy for a while after it is back, so where the service
    itself answers this is a warning.
    """
    return [_words(one) for one in _containers(seen, services) if one.runs and not one.is_healthy]


def _containers(seen: Seen, names: tuple[str, ...]) -> list[ContainerSeen]:
    if isinstance(seen.containers, Failed):
        return []
    return [one for one in seen.containers if _is_of(one.service, names)]


def _words(container: ContainerSeen) -> str:
    if container.runs:
        how = f"runs, but is {'still ' if container.health == 'starting' else ''}{container.health}"
    elif container.state == "exited":
        how = f"has ended (exit code {container.exit_code})"
    else:
        how = f"is {container.state}"
    return f"the container {container.service} {how}: `make logs S={container.service}` may say why"


def _is_of(service: str, names: tuple[str, ...]) -> bool:
    return any(service.startswith(name) if name.endswith("-") else service == name for name in names)


def age(instant: datetime | None, now: datetime) -> str:
    """Say how long ago something was."""
    return "never" if instant is None else f"{span((now - instant).total_seconds())} ago"


def span(seconds: float) -> str:
    """Say a span of time by its two greatest units at most."""
    seconds = max(0, round(seconds))
    if seconds < 2 * _MINUTE:
        return f"{seconds} s"
    if seconds < 2 * _HOUR:
        return f"{seconds // _MINUTE} min"
    if seconds < 2 * _DAY:
        return f"{seconds // _HOUR} h {seconds % _HOUR // _MINUTE:02} min"
    return f"{seconds // _DAY} d {seconds % _DAY // _HOUR} h"


def plural(count: int, noun: str, nouns: str | None = None) -> str:
    """Count something, with its thousands apart."""
    return f"{count:,} {noun if count == 1 else nouns or f'{noun}s'}"
