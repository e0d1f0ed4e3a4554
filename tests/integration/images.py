"""Which images the integration tests run: the project's own, and nothing from anywhere else."""

import os

import docker

__all__ = ["MissingImageError", "image"]


class MissingImageError(Exception):
    """The engine has no image of a service; the message says how to make it."""


def image(service: str) -> str:
    """Return the tag of a service's image, such as ``galewatch/kafka:0123456789ab``.

    The variable ``GALEWATCH_IMAGE_<SERVICE>`` (dashes become underscores) names one; without it, the engine's
    newest is taken. Nothing is ever pulled.

    Raises:
        MissingImageError: The engine does not have it.
    """
    variable = f"GALEWATCH_IMAGE_{service.upper().replace('-', '_')}"
    wanted = os.environ.get(variable)
    engine = docker.from_env()
    try:
        if wanted is not None:
            if not engine.images.list(name=wanted):
                raise MissingImageError(f"{variable} is {wanted!r}, which the engine does not have")
            return wanted
        found = engine.images.list(name=f"galewatch/{service}")
    finally:
        engine.close()
    if not found:
        raise MissingImageError(f"the engine has no image galewatch/{service}: `make images` builds it")
    newest = max(found, key=lambda candidate: str(candidate.attrs["Created"]))
    return str(newest.tags[0])
