"""The log of one service's containers."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pipeline.infra.errors import InfraError
from pipeline.infra.layout import ENVIRONMENT_LABEL, SERVICE_LABEL

if TYPE_CHECKING:
    import docker

    from pipeline.infra.layout import Layout

__all__ = ["show"]


def show(engine: docker.DockerClient, layout: Layout, service: str, *, follow: bool, tail: int) -> None:
    """Print the last `tail` lines, and with `follow` what comes; raises InfraError for a wrong name."""
    containers = {
        container.labels.get(SERVICE_LABEL, container.name): container
        for container in engine.containers.list(
            all=True, filters={"label": f"{ENVIRONMENT_LABEL}={layout.environment}"}, ignore_removed=True
        )
    }
    if service not in containers:
        names = ", ".join(sorted(containers)) or "none, for nothing runs; `make up` starts it"
        raise InfraError(f"S must name a service, not '{service}'. There are: {names}.")
    lines = containers[service].logs(stream=True, follow=follow, tail=tail)
    for chunk in lines:
        sys.stdout.write(chunk.decode(errors="replace"))
        sys.stdout.flush()
