"""The four resource types behind one face, so that the protocol's side knows none of them by name."""

from collections.abc import Callable  # noqa: TC003  # the local annotations are clearer with it
from dataclasses import dataclass, field
from typing import Any

from tf.utils import Diagnostics

from galewatch_docker import container, image, network, volume
from galewatch_docker.engine import Engine

__all__ = ["Resources"]

State = dict[str, Any]


@dataclass(frozen=True)
class Resources:
    """What can be done with each resource type on one engine."""

    engine: Engine
    _made: container.Made = field(default_factory=container.Made)

    def create(self, kind: str, planned: State, diagnostics: Diagnostics) -> State:
        """Make it; see the modules for the errors."""
        if kind == "docker_container":
            return container.create(self.engine, planned, diagnostics, self._made)
        makers: dict[str, Callable[[Engine, State], State]] = {
            "docker_image": image.create,
            "docker_network": network.create,
            "docker_volume": volume.create,
        }
        return makers[kind](self.engine, planned)

    def read(self, kind: str, state: State) -> State | None:
        """Look at it; None when it is gone."""
        readers: dict[str, Callable[[Engine, State], State | None]] = {
            "docker_container": container.read,
            "docker_image": image.read,
            "docker_network": network.read,
            "docker_volume": volume.read,
        }
        return readers[kind](self.engine, state)

    def update(self, kind: str, planned: State, changed: tuple[str, ...]) -> State:
        """Change in place what the engine has to know of; the rest is the state's business."""
        if kind == "docker_container" and changed:
            return container.update(self.engine, planned)
        return planned

    def delete(self, kind: str, state: State) -> None:
        """Remove it."""
        removers: dict[str, Callable[[Engine, State], None]] = {
            "docker_container": container.delete,
            "docker_image": image.delete,
            "docker_network": network.delete,
            "docker_volume": volume.delete,
        }
        removers[kind](self.engine, state)

    def import_(self, kind: str, identifier: str) -> State:
        """Find it by name or id."""
        finders: dict[str, Callable[[Engine, str], State]] = {
            "docker_container": container.import_,
            "docker_image": image.import_,
            "docker_network": network.import_,
            "docker_volume": volume.import_,
        }
        return finders[kind](self.engine, identifier)
