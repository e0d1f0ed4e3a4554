"""Building an image through the engine's classic builder, with the end of the build's log where it fails."""

import queue
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from galewatch_docker.engine import Engine
from galewatch_docker.errors import StandInError

__all__ = ["build_image"]

_LOG_LINES = 60
_LOOK_EVERY = 0.25


def build_image(engine: Engine, name: str, block: dict[str, Any], seconds: float) -> None:
    """Build and tag the image that a `build` block describes.

    `context` is relative to the directory that Terraform runs in, `dockerfile` to the context. The context's
    `.dockerignore` is honoured.

    Raises:
        StandInError: the context is missing, a step failed, or the time is up.
        StoppedError: Terraform was told to stop; the engine ends a build whose client is gone.
    """
    context = Path(block["context"]).expanduser()
    dockerfile = block.get("dockerfile") or "Dockerfile"
    if not context.is_dir():
        raise StandInError(
            f"Cannot build image {name}: its context {block['context']} is no directory",
            f"A relative path starts at {Path.cwd()}.",
            ("build",),
        )
    if not (context / dockerfile).is_file():
        raise StandInError(
            f"Cannot build image {name}: there is no {dockerfile} in its context {block['context']}",
            f"The context is {context.resolve()}.",
            ("build",),
        )
    _follow(engine, name, _events(engine, _options(name, context, dockerfile, block)), seconds)
    for tag in block.get("tag") or []:
        engine.api.tag(name, *_repository_and_tag(tag))


def _options(name: str, context: Path, dockerfile: str, block: dict[str, Any]) -> dict[str, Any]:
    return {
        "path": str(context.resolve()),
        "dockerfile": dockerfile,
        "tag": name,
        "buildargs": block.get("build_args") or {},
        "labels": (block.get("label") or {}) | (block.get("labels") or {}),
        "target": block.get("target") or "",
        "nocache": bool(block.get("no_cache")),
        "pull": bool(block.get("pull_parent")),
        "rm": block.get("remove") is not False,
        # A failed step's container helps nobody here, and "destroy leaves nothing" includes it.
        "forcerm": block.get("force_remove") is not False,
        "network_mode": block.get("network_mode"),
        "extra_hosts": dict(entry.split(":", 1) for entry in block.get("extra_hosts") or []) or None,
        "shmsize": block.get("shm_size"),
        "cache_from": block.get("cache_from"),
        "decode": True,
    }


def _events(engine: Engine, options: dict[str, Any]) -> Iterator[dict[str, Any] | None]:
    """Yield the build's messages, and None at least every quarter of a second in between."""
    arrived: queue.Queue[Any] = queue.Queue()
    end = object()

    def receive() -> None:
        try:
            for event in engine.api.build(**options):
                arrived.put(event)
        except Exception as error:  # noqa: BLE001  # raised again where the build is waited for
            arrived.put(error)
        arrived.put(end)

    # A step may be silent for minutes: a thread of its own reads, so that an interrupt is still seen.
    threading.Thread(target=receive, daemon=True).start()
    while True:
        try:
            event = arrived.get(timeout=_LOOK_EVERY)
        except queue.Empty:
            yield None
            continue
        if event is end:
            return
        if isinstance(event, Exception):
            raise event
        yield event


def _follow(engine: Engine, name: str, events: Iterator[dict[str, Any] | None], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    lines: deque[str] = deque(maxlen=_LOG_LINES)
    step = "before its first step"
    for event in events:
        engine.pause(0)
        if time.monotonic() > deadline:
            raise StandInError(
                f"Building image {name} takes longer than {seconds:g} s ({step})",
                f"timeouts.create sets the limit.{_shown(lines)}",
                ("build",),
            )
        for line in str((event or {}).get("stream") or "").splitlines():
            if line.strip():
                lines.append(line)
            if line.startswith("Step "):
                step = f"at {line.strip()}"
        if event and "error" in event:
            detail = f"{event['error']}{_shown(lines)}"
            raise StandInError(f"Building image {name} failed {step}", detail, ("build",))


def _shown(lines: deque[str]) -> str:
    return "\nThe end of its log:\n" + "\n".join(lines) if lines else ""


def _repository_and_tag(name: str) -> tuple[str, str]:
    repository, colon, tag = name.rpartition(":")
    return (repository, tag) if colon and "/" not in tag else (name, "latest")
