"""What test runs that were killed left on the engine, found by name and age, and removed.

A run names each of its environments `t` and six hexadecimal digits, and labels everything with that name. One
that ends removes all of it, whatever its tests did; one that is killed cannot.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import docker
from docker.errors import APIError

from pipeline.infra.layout import ENVIRONMENT_LABEL, Layout
from pipeline.infra.leftovers import Leftovers

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

__all__ = ["OLD", "remove_old_environments", "sweep_before"]

# A complete run takes less than half an hour, several times that on a very busy machine. What is younger may
# be another run's.
OLD = timedelta(hours=3)

_TEST_ENVIRONMENT = re.compile(r"t[0-9a-f]{6}")
_TEMPORARY = Path(tempfile.gettempdir())
# The engine writes nanoseconds; Python reads microseconds.
_FRACTION = re.compile(r"(\.\d{6})\d+")


def sweep_before(session: pytest.Session) -> None:
    """Remove old environments where a test of the session needs the engine and is to be run."""
    if session.config.option.collectonly:
        return
    if not any(item.get_closest_marker("engine") for item in session.items):
        return
    terminal = session.config.get_terminal_writer()
    engine = docker.from_env()
    try:
        remove_old_environments(engine, datetime.now(UTC), terminal.line)
    finally:
        engine.close()


def remove_old_environments(
    engine: docker.DockerClient, now: datetime, say: Callable[[str], None], only: str = ""
) -> list[str]:
    """Remove every test environment of which all is older than OLD, and give the names of what went.

    `only` names the one environment that is looked at. One that cannot be removed (the engine is busy, a
    container that is none of its own uses its volume) stays for the next run.
    """
    youngest: dict[str, datetime] = {}
    for name, made in [*_things(engine), *_folders()]:
        if _TEST_ENVIRONMENT.fullmatch(name) and only in {"", name}:
            youngest[name] = max(made, youngest.get(name, made))
    removed = []
    for name, made in sorted(youngest.items()):
        if now - made > OLD:
            try:
                removed += Leftovers(Layout(name), engine, say).sweep()
            except APIError as error:
                say(f"{name}, left by a test run that was killed, cannot be removed: {error.explanation}")
            for folder in _TEMPORARY.glob(f"galewatch-{name}-*"):
                shutil.rmtree(folder, ignore_errors=True)
    return removed


def _things(engine: docker.DockerClient) -> list[tuple[str, datetime]]:
    """Give the environment and the birth of each labelled container, network and volume."""
    filters = {"label": ENVIRONMENT_LABEL}
    found: list[tuple[dict[str, str], str]] = [
        *(
            (container.labels, container.attrs["Created"])
            for container in engine.containers.list(all=True, filters=filters, ignore_removed=True)
        ),
        *(
            (network.attrs["Labels"], network.attrs["Created"])
            for network in engine.networks.list(filters=filters)
        ),
        *(
            (volume.attrs["Labels"], volume.attrs["CreatedAt"])
            for volume in engine.volumes.list(filters=filters)
        ),
    ]
    return [(labels[ENVIRONMENT_LABEL], _time(made)) for labels, made in found]


def _folders() -> list[tuple[str, datetime]]:
    """Give the environment and the last change of each folder of secrets."""
    return [
        (folder.name.split("-")[1], datetime.fromtimestamp(folder.stat().st_mtime, UTC))
        for folder in _TEMPORARY.glob("galewatch-t*-*")
    ]


def _time(text: str) -> datetime:
    return datetime.fromisoformat(_FRACTION.sub(r"\1", text)).astimezone(UTC)
