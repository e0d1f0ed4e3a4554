"""A random walk: what a configuration says is applied, is there, is changed, drifts, and is gone in the end.

At each step the plan has to say what the change does to each resource, as provider_testing/world.py says it
by hand; after each apply the next plan is empty.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from provider_testing.world import Box, World, expected, worlds

from tests import profiles

if TYPE_CHECKING:
    from collections.abc import Callable

    import docker
    from docker.models.containers import Container
    from provider_testing.workspace import Workspace

pytest_plugins = ["provider_testing.fixtures"]
pytestmark = [pytest.mark.engine, pytest.mark.full]

NOTHING = World({}, frozenset(), {})
MIB = 1024 * 1024
# What hands do to a container, and what the next plan does about it.
HANDS = {
    "kill": "replace",
    "stop": "replace",
    "remove": "create",
    "limit": "update",
    "leave": "replace",
    "join": "replace",
}
Hand = tuple[str, int]


class Walker:
    """Walks with one workspace; knows what has been seen."""

    def __init__(self, workspace: Workspace, engine: docker.DockerClient, prefix: str, image: str) -> None:
        self.workspace = workspace
        self.engine = engine
        self.prefix = prefix
        self.image = image
        self.steps = 0
        self.examples = 0

    def walk(self, journey: list[tuple[World, Hand]]) -> None:
        """Go from nothing through each world, with a hand's work after each, and back to nothing."""
        at = NOTHING
        self.examples += 1
        try:
            for world, hand in journey:
                self.workspace.write(world.configuration(self.prefix, self.image))
                assert expected(at, world) == self.workspace.changes(), (at, world)
                self.workspace.apply()
                at = world
                self.look(world)
                assert {} == self.workspace.changes(), world
                self.repair(world, hand)
                self.steps += 1
        finally:
            self.workspace.destroy()
        assert [] == self.left()

    def look(self, world: World) -> None:
        """Ask the engine for some of what each container was to be."""
        for name, box in world.boxes.items():
            found = self.container(name).attrs
            assert {f"{key}={value}" for key, value in box.env} <= set(found["Config"]["Env"] or ())
            assert {f"l{index}": text for index, text in enumerate(box.labels)} == {
                key: value for key, value in found["Config"]["Labels"].items() if key.startswith("l")
            }
            assert (box.memory or 0) * MIB == found["HostConfig"]["Memory"]
            joined = {f"{self.prefix}-{network}" for network in box.networks} or {"bridge"}
            assert joined == set(found["NetworkSettings"]["Networks"])
            assert found["State"]["Running"]
            if box.upload is not None:
                content = self.container(name).exec_run(["cat", "/run/it"]).output.decode()
                assert box.upload == content

    def repair(self, world: World, hand: Hand) -> None:
        """Let a hand change one container, and the next apply change it back."""
        what, which = hand
        name = sorted(world.boxes)[which % len(world.boxes)]
        if not self.touch(world, name, what):
            return
        assert {f"docker_container.{name}": HANDS[what]} == self.workspace.changes(), (what, world)
        self.workspace.apply()
        self.look(world)
        assert {} == self.workspace.changes(), (what, world)

    def touch(self, world: World, name: str, what: str) -> bool:
        """Do it, where the container has what it takes; a container that need not run is not missed."""
        box, container = world.boxes[name], self.container(name)
        others = sorted(world.networks.keys() - box.networks)
        possible: dict[str, tuple[bool, Callable[[], Any]]] = {
            "kill": (True, container.kill),
            "stop": (True, lambda: container.stop(timeout=0)),
            "remove": (True, lambda: container.remove(force=True)),
            "limit": (box.memory is not None, lambda: container.update(mem_limit="24m", memswap_limit="24m")),
            "leave": (bool(box.networks), lambda: self.network(min(box.networks)).disconnect(container)),
            "join": (bool(box.networks and others), lambda: self.network(others[0]).connect(container)),
        }
        can, do = possible[what]
        if can:
            do()
        return can

    def container(self, name: str) -> Container:
        """Give a container."""
        return self.engine.containers.get(f"{self.prefix}-{name}")

    def network(self, name: str) -> Any:
        """Give a network."""
        return self.engine.networks.get(f"{self.prefix}-{name}")

    def left(self) -> list[str]:
        """Name all that is left of any world."""
        return [
            *(one.name for one in self.engine.containers.list(all=True, filters={"name": self.prefix})),
            *(one.name for one in self.engine.networks.list(names=[self.prefix])),
            *(one.name for one in self.engine.volumes.list(filters={"name": self.prefix})),
        ]


@pytest.fixture
def walker(workspace: Workspace, engine: docker.DockerClient, prefix: str, tiny_image: str) -> Walker:
    """Somebody at the start."""
    return Walker(workspace, engine, prefix, tiny_image)


def hands() -> st.SearchStrategy[Hand]:
    """Draw what a hand does, to which container."""
    return st.tuples(st.sampled_from(sorted(HANDS)), st.integers(0, 1))


def journeys() -> st.SearchStrategy[list[tuple[World, Hand]]]:
    """Draw worlds, and what a hand does in each."""
    return st.lists(st.tuples(worlds(), hands()), min_size=2, max_size=3)


ONE = Box(
    cap_drop=True,
    cpu_shares=256,
    env=(("A", '${a} %{b} "c"\n'), ("B", "")),
    healthy=True,
    labels=("$", "'"),
    memory=32,
    networks=frozenset({"n1"}),
    nofile=512,
    ports=2,
    restart="unless-stopped",
    upload="\\n",
    volumes=frozenset({"v1"}),
)
FIRST = World({"n1": False, "n2": True}, frozenset({"v1", "v2"}), {"one": ONE, "two": Box(tmpfs="size=1m")})
# One limit more, another policy, nobody else, a network less.
SECOND = World({"n1": False}, frozenset({"v1"}), {"one": replace(ONE, memory=16, restart="no", grace=2)})


def test_from_one_world_to_another(walker: Walker) -> None:
    """One walk that is the same each time: what is set most, changed in place and by replacement."""
    assert {
        "docker_container.one": "update",
        "docker_container.two": "delete",
        "docker_network.n2": "delete",
        "docker_volume.v2": "delete",
    } == expected(FIRST, SECOND)
    walker.walk([(FIRST, ("join", 0)), (SECOND, ("limit", 0))])


def test_a_random_walk(walker: Walker, record_property: Callable[[str, object], None]) -> None:
    """Not shrunk: an example is some twenty runs of Terraform, and tells a failure as it is."""
    a_third = profiles.CONTAINER.max_examples // 3

    @settings(profiles.CONTAINER, max_examples=a_third, phases=[Phase.explicit, Phase.reuse, Phase.generate])
    @given(journeys())
    def walk(journey: list[tuple[World, Hand]]) -> None:
        walker.walk(journey)

    walk()
    walked = {"machine": "offline provider", "examples": walker.examples, "steps": walker.steps}
    record_property("proven_states", walked)
