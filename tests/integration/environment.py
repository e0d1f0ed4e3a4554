"""What the services of one test run share: a network, the secrets, and a name.

The name labels everything, so that what a killed run leaves behind can be found.
"""

import secrets
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

import docker

from pipeline.infra.layout import ENVIRONMENT_LABEL, Layout
from pipeline.infra.leftovers import Leftovers
from pipeline.platform import load_platform

__all__ = ["LOOPBACK", "Environment"]

LOOPBACK = "127.0.0.1"


class Environment:
    """A network and secrets of their own; leaving it removes them and its volumes."""

    def __init__(self) -> None:
        self.name = f"t{secrets.token_hex(3)}"
        self.labels = {ENVIRONMENT_LABEL: self.name}
        self._engine = docker.from_env()
        self._folder = Path(tempfile.mkdtemp(prefix=f"galewatch-{self.name}-"))
        self.secrets = self._folder / "secrets"

    def __enter__(self) -> Self:
        """Make the network and the secrets."""
        # Readable for the containers' user; the folder above it is not, for anybody else here.
        self.secrets.mkdir(mode=0o755)
        for name in load_platform().secrets:
            self.set_password(name, secrets.token_hex(16))
        self.network = self._engine.networks.create(f"galewatch-{self.name}", labels=self.labels)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove everything that carries the name, a container that a test left behind too."""
        try:
            Leftovers(Layout(self.name), self._engine, print).sweep()
        finally:
            self._engine.close()
            shutil.rmtree(self._folder)

    def password(self, secret: str) -> str:
        """Return a secret by its name, such as ``kafka_admin``."""
        return (self.secrets / secret).read_text(encoding="utf-8")

    def set_password(self, secret: str, value: str) -> None:
        """Write a secret; a running container sees it at its next start."""
        path = self.secrets / secret
        path.write_text(value, encoding="utf-8")
        path.chmod(0o444)

    def volume(self, service: str) -> str:
        """Return the volume of a service, which outlives its containers but not the environment."""
        return str(self._engine.volumes.create(f"galewatch-{self.name}-{service}", labels=self.labels).name)
