"""Waiting for a container: to run, to be healthy, to end.

What goes wrong is told with the end of the container's own log.
"""

import time
from typing import Any

from galewatch_docker.engine import Engine
from galewatch_docker.errors import StandInError

__all__ = ["await_exit", "await_health", "await_running", "log"]

_LOOK_EVERY = 0.2
_LOG_LINES = 40
_PROBES_SHOWN = 3
# The engine doubles its pause between restarts from 0.1 s: five of them are three seconds of failing.
_RESTARTS_BORNE = 5
# A process that dies at once is usually dead within this time; the official provider waits as long.
_SETTLE_SECONDS = 0.1


def log(engine: Engine, container: str, lines: int | None = None) -> str:
    """Give the last lines (all of them by default) of what the container printed."""
    tail: int | str = "all" if lines is None else lines
    printed: bytes = engine.api.logs(container, stdout=True, stderr=True, tail=tail)
    return printed.decode(errors="replace")


def await_running(engine: Engine, name: str, container: str, seconds: float) -> None:
    """Wait until the container runs.

    Raises:
        StandInError: it ended instead, or the time is up.
        StoppedError: Terraform was told to stop.
    """
    deadline = time.monotonic() + seconds
    engine.pause(_SETTLE_SECONDS)
    while True:
        state = _look(engine, name, container)["State"]
        if state["Status"] == "running":
            return
        if state["Status"] in {"exited", "dead"}:
            raise _ended(engine, name, container, state)
        if time.monotonic() > deadline:
            raise StandInError(
                f"Container {name} is not running after {seconds:g} s",
                f"It is {state['Status']!r}.{_shown(engine, container)}",
            )
        engine.pause(_LOOK_EVERY)


def await_health(engine: Engine, name: str, container: str, seconds: float) -> None:
    """Wait until the container's health check passes.

    Raises:
        StandInError: it ended, it keeps restarting, or the time is up. The detail holds the last health
            checks and the end of the log.
        StoppedError: Terraform was told to stop.
    """
    deadline = time.monotonic() + seconds
    while True:
        found = _look(engine, name, container)
        state = found["State"]
        health = state.get("Health") or {}
        if state["Status"] == "running" and health.get("Status") == "healthy":
            return
        if state["Status"] in {"exited", "dead"}:
            raise _ended(engine, name, container, state)
        if found["RestartCount"] >= _RESTARTS_BORNE:
            raise StandInError(
                f"Container {name} keeps ending: {found['RestartCount']} restarts, and never healthy",
                f"The last exit code is {state['ExitCode']}.{_shown(engine, container)}",
            )
        if time.monotonic() > deadline:
            status = health.get("Status", state["Status"])
            raise StandInError(
                f"Container {name} is not healthy after {seconds:g} s",
                f"It is {status!r}. {_probes(health)}{_shown(engine, container)}",
            )
        engine.pause(_LOOK_EVERY)


def await_exit(engine: Engine, name: str, container: str, seconds: float) -> int:
    """Wait for the end of the container; gives its exit code.

    Raises:
        StandInError: the time is up.
        StoppedError: Terraform was told to stop.
    """
    deadline = time.monotonic() + seconds
    while True:
        state = _look(engine, name, container)["State"]
        if state["Status"] in {"exited", "dead"}:
            return int(state["ExitCode"])
        if time.monotonic() > deadline:
            raise StandInError(
                f"Container {name} has not ended after {seconds:g} s",
                f"timeouts.create sets how long its end is awaited.{_shown(engine, container)}",
            )
        engine.pause(_LOOK_EVERY)


def _look(engine: Engine, name: str, container: str) -> dict[str, Any]:
    from docker.errors import NotFound  # noqa: PLC0415  # see engine.py

    try:
        found: dict[str, Any] = engine.api.inspect_container(container)
    except NotFound as error:
        raise StandInError(f"Container {name} was removed while it was being waited for") from error
    return found


def _ended(engine: Engine, name: str, container: str, state: dict[str, Any]) -> StandInError:
    reason = " (out of memory)" if state.get("OOMKilled") else ""
    return StandInError(
        f"Container {name} ended with exit code {state['ExitCode']}{reason} while it was being started",
        (state.get("Error") or "") + _shown(engine, container),
    )


def _probes(health: dict[str, Any]) -> str:
    probes = (health.get("Log") or [])[-_PROBES_SHOWN:]
    if not probes:
        return "No health check has run yet."
    shown = "\n".join(f"  exit code {probe['ExitCode']}: {probe['Output'].strip()}" for probe in probes)
    return f"The last health checks:\n{shown}"


def _shown(engine: Engine, container: str) -> str:
    from docker.errors import APIError  # noqa: PLC0415  # see engine.py

    try:
        printed = log(engine, container, _LOG_LINES).strip()
    except APIError as error:  # a log driver that cannot be read back
        return f"\nIts log cannot be read: {error.explanation}"
    return f"\nThe end of its log:\n{printed}" if printed else "\nIt printed nothing."
