"""A plan of the whole platform, as its JSON says it: what each container will be, before there is any."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.infra.layout import ENVIRONMENT_LABEL, JOB_LABEL, SERVICE_LABEL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["CONFIG_LABEL", "PlannedContainer", "PlannedImage", "PlannedPlatform"]

CONFIG_LABEL = "io.galewatch.config"

_MODULE = re.compile(r"module\.(\w+)(?:\[\"(\w+)\"\])?\.docker_\w+\.this")


@dataclass(frozen=True)
class PlannedContainer:
    """One container that the plan creates.

    `networks` and `image` come from the configuration: in the plan their ids are not known yet.
    """

    address: str
    values: Mapping[str, Any]
    networks: frozenset[str]
    image: str

    @property
    def name(self) -> str:
        """The container's name."""
        return str(self.values["name"])

    @property
    def labels(self) -> dict[str, str]:
        """Its labels."""
        return {item["label"]: item["value"] for item in self.values["labels"]}

    @property
    def is_job(self) -> bool:
        """Tell a one-shot job from a service."""
        return JOB_LABEL in self.labels

    @property
    def service(self) -> str:
        """What it is, without the environment."""
        return self.labels.get(SERVICE_LABEL, "")

    @property
    def environment(self) -> str:
        """Whose it is."""
        return self.labels.get(ENVIRONMENT_LABEL, "")


@dataclass(frozen=True)
class PlannedImage:
    """One image: its name in infra/images and its Dockerfile."""

    name: str
    dockerfile: Path

    def user(self) -> str:
        """Give the user of the last stage, who runs in the container; empty where the stage names none."""
        user = ""
        for line in self.dockerfile.read_text(encoding="utf-8").splitlines():
            word, _, rest = line.partition(" ")
            if word == "FROM":
                user = ""
            elif word == "USER":
                user = rest.strip()
        return user


@dataclass(frozen=True)
class PlannedPlatform:
    """Everything that one plan creates, and the whole document."""

    containers: tuple[PlannedContainer, ...]
    images: Mapping[str, PlannedImage]
    networks: Mapping[str, Mapping[str, Any]]
    document: Mapping[str, Any]

    @property
    def text(self) -> str:
        """The document as text."""
        return json.dumps(self.document)

    @property
    def by_service(self) -> dict[str, PlannedContainer]:
        """The containers by what they are."""
        return {container.service: container for container in self.containers}

    @classmethod
    def read(cls, document: Mapping[str, Any], root: Path) -> PlannedPlatform:
        """Read the answer of `terraform show -json` on a plan; `root` is where images are built from."""
        calls = document["configuration"]["root_module"]["module_calls"]
        containers, images, networks = [], {}, {}
        for change in document["resource_changes"]:
            values, address = change["change"]["after"], change["address"]
            if change["type"] == "docker_network":
                networks[change["name"]] = values
                continue
            found = _MODULE.fullmatch(address)
            assert found, f"{address} is in no module of its own"
            asked = calls[found[1]]["expressions"]
            if change["type"] == "docker_container":
                containers.append(
                    PlannedContainer(address, values, _networks(asked), _image(asked["image"]["references"]))
                )
            else:
                assert change["type"] == "docker_image", address
                (build,) = values["build"]
                images[found[1]] = PlannedImage(asked["name"]["constant_value"], root / build["dockerfile"])
        return cls(tuple(containers), images, networks, document)


def _networks(asked: Mapping[str, Any]) -> frozenset[str]:
    references = asked["networks"]["references"]
    return frozenset(name.split(".")[1] for name in references if name.startswith("docker_network."))


def _image(references: list[str]) -> str:
    return references[0].split(".")[1]
