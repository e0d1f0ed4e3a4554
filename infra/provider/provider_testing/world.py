"""A small world of networks, volumes and containers: drawn, written for Terraform, compared with another.

What a change from one world to the next has to do is said here by hand, from the README and the official
provider's documentation, not by the stand-in's tables.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from provider_testing.workspace import block, label

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Box", "World", "expected", "worlds"]

# What the engine changes in a running container; a limit only while there is one before and after.
_LIMITS = {"cpu_shares", "memory"}
_IN_PLACE = {"restart"}
# What only the stand-in has to know.
_RECORDED = {"grace", "must_run"}


@dataclass(frozen=True)
class Box:
    """One container: what this project sets of one, and some more."""

    command: str = "exec sleep 1000"
    cap_drop: bool = False
    cpu_shares: int | None = None
    env: tuple[tuple[str, str], ...] = ()
    grace: int | None = None
    healthy: bool = False
    labels: tuple[str, ...] = ()
    memory: int | None = None
    must_run: bool | None = None
    networks: frozenset[str] = frozenset()
    nofile: int | None = None
    ports: int = 0
    restart: str | None = None
    tmpfs: str | None = None
    upload: str | None = None
    user: str | None = None
    volumes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class World:
    """Everything of one configuration; of a network it is drawn whether it is internal."""

    networks: Mapping[str, bool]
    volumes: frozenset[str]
    boxes: Mapping[str, Box]

    def configuration(self, prefix: str, image: str) -> str:
        """Write it for Terraform."""
        written = [
            f'resource "docker_network" "{name}" {{\n  name = "{prefix}-{name}"\n'
            f"  internal = {json.dumps(internal)}\n{label(prefix)}}}"
            for name, internal in sorted(self.networks.items())
        ]
        written += [
            f'resource "docker_volume" "{name}" {{\n  name = "{prefix}-{name}"\n}}'
            for name in sorted(self.volumes)
        ]
        written += [_container(name, box, prefix, image) for name, box in sorted(self.boxes.items())]
        return "\n".join(written)


def expected(before: World, after: World) -> dict[str, str]:
    """Say what a plan from one world to the next has to do with each resource."""
    said = _of_all("docker_network", before.networks, after.networks)
    said |= _of_all("docker_volume", dict.fromkeys(before.volumes), dict.fromkeys(after.volumes))
    replaced = {
        name for name, internal in after.networks.items() if before.networks.get(name) is not internal
    }
    for name in before.boxes.keys() | after.boxes.keys():
        old, new = before.boxes.get(name), after.boxes.get(name)
        verb = _of_box(old, new)
        # A network that is made anew has another id, and its containers are joined to ids.
        if old is not None and new is not None and new.networks & replaced:
            verb = "replace"
        if verb:
            said[f"docker_container.{name}"] = verb
    return said


def _of_all(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, str]:
    said = {f"{kind}.{name}": "create" for name in after.keys() - before.keys()}
    said |= {f"{kind}.{name}": "delete" for name in before.keys() - after.keys()}
    both = before.keys() & after.keys()
    return said | {f"{kind}.{name}": "replace" for name in both if before[name] != after[name]}


def _of_box(old: Box | None, new: Box | None) -> str | None:
    if old is None or new is None:
        return "delete" if new is None else "create"
    verbs = set()
    for field in dataclasses.fields(Box):
        one, other = getattr(old, field.name), getattr(new, field.name)
        if one == other:
            continue
        in_place = field.name in _IN_PLACE | _RECORDED or (field.name in _LIMITS and other is not None)
        # Unset and the default are the same to the engine, and are another state.
        verbs.add("update" if in_place else "replace")
    return "replace" if "replace" in verbs else "update" if verbs else None


def _container(name: str, box: Box, prefix: str, image: str) -> str:
    settings: dict[str, Any] = {
        "name": f"{prefix}-{name}",
        "image": image,
        "init": True,
        "command": ["sh", "-c", box.command],
        "env": [f"{key}={value}" for key, value in box.env] or None,
        "user": box.user,
        "memory": box.memory,
        "memory_swap": box.memory,
        "cpu_shares": box.cpu_shares,
        "restart": box.restart,
        "must_run": box.must_run,
        "destroy_grace_seconds": box.grace,
        "tmpfs": {"/scratch": box.tmpfs} if box.tmpfs else None,
        "wait": True if box.healthy else None,
    }
    lines = [f"  {key} = {json.dumps(value)}" for key, value in settings.items() if value is not None]
    lines.append(label(prefix))
    lines += [block("labels", label=f"l{index}", value=text) for index, text in enumerate(box.labels)]
    lines += [f"  networks_advanced {{\n    name = docker_network.{one}.id\n  }}" for one in box.networks]
    lines += [
        f'  volumes {{\n    volume_name = docker_volume.{one}.name\n    container_path = "/data/{one}"\n  }}'
        for one in sorted(box.volumes)
    ]
    lines += [block("ports", internal=8000 + index, ip="127.0.0.1") for index in range(box.ports)]
    if box.upload is not None:
        lines.append(block("upload", file="/run/it", content=box.upload, permissions="0444"))
    if box.cap_drop:
        lines.append('  capabilities {\n    drop = ["CAP_NET_RAW"]\n  }')
    if box.nofile is not None:
        lines.append(block("ulimit", name="nofile", soft=box.nofile, hard=box.nofile))
    if box.healthy:
        lines.append('  healthcheck {\n    test = ["CMD", "true"]\n    interval = "200ms"\n  }')
    text = "\n".join([f'resource "docker_container" "{name}" {{', *lines, "}"])
    # There is no expression inside of a string here.
    return text.replace("${", "$${").replace("%{", "%%{")


_TEXT = st.text("abc =$\"\\{}%\n'", max_size=6)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Draw a world of at most two of each."""
    networks = draw(st.dictionaries(st.sampled_from(["n1", "n2"]), st.booleans()))
    volumes = draw(st.frozensets(st.sampled_from(["v1", "v2"])))
    boxes = {}
    for name in sorted(draw(st.sets(st.sampled_from(["one", "two"]), min_size=1))):
        joined = draw(st.frozensets(st.sampled_from(sorted(networks)))) if networks else frozenset[str]()
        mounted = draw(st.frozensets(st.sampled_from(sorted(volumes)))) if volumes else frozenset[str]()
        env = st.dictionaries(st.sampled_from(["A", "B"]), _TEXT)
        boxes[name] = draw(
            st.builds(
                Box,
                cap_drop=st.booleans(),
                command=st.sampled_from(["exec sleep 1000", "exec sleep 2000"]),
                cpu_shares=st.sampled_from([None, 256, 512]),
                env=env.map(lambda drawn: tuple(sorted(drawn.items()))),
                grace=st.sampled_from([None, 1, 2]),
                healthy=st.booleans(),
                labels=st.lists(_TEXT, max_size=2).map(tuple),
                memory=st.sampled_from([None, 16, 32]),
                must_run=st.sampled_from([None, True]),
                networks=st.just(joined),
                nofile=st.sampled_from([None, 512]),
                ports=st.integers(0, 2),
                restart=st.sampled_from([None, "no", "unless-stopped"]),
                tmpfs=st.sampled_from([None, "size=1m", "size=2m"]),
                upload=st.none() | _TEXT.filter(bool),
                user=st.sampled_from([None, "10001"]),
                volumes=st.just(mounted),
            )
        )
    return World(networks, volumes, boxes)
