"""What Terraform cannot handle on the engine: failed jobs, strays of a cut-off run, sick containers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from docker.errors import APIError, NotFound

from pipeline.infra.errors import InfraError
from pipeline.infra.layout import ENVIRONMENT_LABEL, JOB_LABEL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import docker
    from docker.models.containers import Container

    from pipeline.infra.layout import Layout

__all__ = ["Leftovers", "state_ids"]

_LAST_LINES = 40
_SHOWN_CHARACTERS = 200


class Leftovers:
    """One environment's containers, networks and volumes as the engine sees them."""

    def __init__(self, layout: Layout, engine: docker.DockerClient, say: Callable[[str], None]) -> None:
        self._layout = layout
        self._engine = engine
        self._say = say

    def containers(self, label: str = "") -> list[Container]:
        """Give the environment's containers, running or not; with a further label if one is given."""
        filters = {"label": [self._label, *([label] if label else [])]}
        found: list[Container] = self._engine.containers.list(all=True, filters=filters, ignore_removed=True)
        return found

    def clear_failed_jobs(self) -> None:
        """Remove failed one-shot jobs: their exit code would fail every further plan."""
        for job in self.containers(JOB_LABEL):
            state = job.attrs["State"]
            if state["Status"] in {"exited", "dead"} and state["ExitCode"] != 0:
                self._say(
                    f"Removing {job.name}, which failed with exit code {state['ExitCode']}; it runs again."
                )
                _ignore_gone(job.remove, force=True)

    def clear_strays(self) -> None:
        """Remove what a cut-off run could not write down; raises InfraError for what is someone else's."""
        known = state_ids(self._layout.platform_state)
        containers = [container for container in self.containers() if container.id not in known]
        networks = [network for network in self._networks() if network.id not in known]
        if not containers and not networks:
            return
        names = ", ".join(item.name for item in [*containers, *networks])
        environment = self._layout.environment
        if not self._layout.apply_mark.exists():
            raise InfraError(
                f"The engine has an environment '{environment}' that this checkout did not make ({names}): "
                "run `make down` in the checkout that did, `make wipe` here to remove it, or use another ENV."
            )
        self._say(f"Removing what an interrupted run left: {names}.")
        self._remove(containers, networks)

    def sweep(self) -> list[str]:
        """Remove every container, network and volume of the environment, and give their names."""
        prefix = f"{self._layout.prefix}-"
        named = {
            container.id: container
            for container in self._engine.containers.list(all=True, ignore_removed=True)
            if container.name.startswith(prefix)
        }
        containers = list({container.id: container for container in self.containers()} | named)
        found = [self._engine.containers.get(identity) for identity in containers]
        networks = [
            network
            for network in self._engine.networks.list()
            if network.name == self._layout.prefix or network.name.startswith(prefix)
        ]
        volumes = [volume for volume in self._engine.volumes.list() if volume.name.startswith(prefix)]
        self._remove(found, networks)
        for volume in volumes:
            _ignore_gone(volume.remove, force=True)
        return [item.name for item in [*found, *networks, *volumes]]

    def sick(self) -> list[str]:
        """Tell of each container that is not well, with its last words: Terraform itself shows none."""
        lines = []
        for container in self.containers():
            state = container.attrs["State"]
            health = state.get("Health", {}).get("Status", "")
            if state["Status"] == "running":
                is_well = health in {"", "healthy"}
            else:
                is_well = JOB_LABEL in container.labels and state["ExitCode"] == 0
            if is_well:
                continue
            try:
                said = container.logs(tail=_LAST_LINES).decode(errors="replace").strip()
            except APIError as error:
                said = str(error)
            last = said.splitlines()[-1][:_SHOWN_CHARACTERS] if said else "nothing"
            lines.append(f"{container.name} is {health or state['Status']}; its last words: {last}")
        return lines

    @property
    def _label(self) -> str:
        return f"{ENVIRONMENT_LABEL}={self._layout.environment}"

    def _networks(self) -> list[Any]:
        found: list[Any] = self._engine.networks.list(filters={"label": self._label})
        return found

    @staticmethod
    def _remove(containers: list[Container], networks: list[Any]) -> None:
        for container in containers:
            _ignore_gone(container.remove, force=True)
        for network in networks:
            _ignore_gone(network.remove)


def state_ids(state: Path) -> set[str]:
    """Give the ids of all resources in a state file; raises InfraError where it is damaged."""
    try:
        document = json.loads(state.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return set()
    except (OSError, ValueError) as error:
        raise InfraError(
            f"The state {state} cannot be read ({error}): put {state.name}.backup beside it in its place."
        ) from error
    return {
        str(instance.get("attributes", {}).get("id"))
        for resource in document.get("resources", ())
        for instance in resource.get("instances", ())
    }


def _ignore_gone(remove: Callable[..., Any], **options: Any) -> None:
    try:
        remove(**options)
    except NotFound:
        return
