"""docker_network and docker_volume, through the real Terraform, on a real engine."""

import docker
import pytest
from provider_testing.workspace import Workspace, label

pytest_plugins = ["provider_testing.fixtures"]
pytestmark = pytest.mark.engine


def network(key: str, prefix: str, more: str) -> str:
    return f'resource "docker_network" "{key}" {{\n  name = "{prefix}-{key}"\n{more}\n}}\n'


def volume(key: str, prefix: str, more: str) -> str:
    return f'resource "docker_volume" "{key}" {{\n  name = "{prefix}-{key}"\n{more}\n}}\n'


def test_removed_ones_are_created_and_changed_labels_replace(
    workspace: Workspace, engine: docker.DockerClient, prefix: str
) -> None:
    def configuration(value: str) -> str:
        kept, changed = label("a"), label(value)
        return (
            network("removed", prefix, kept)
            + network("changed", prefix, changed)
            + volume("removed", prefix, kept)
            + volume("changed", prefix, changed)
            + 'resource "docker_volume" "nameless" {}\n'
        )

    workspace.apply(configuration("a"))
    assert {} == workspace.changes()
    name = workspace.attributes("docker_volume.nameless")["name"]
    assert name == engine.volumes.get(name).name
    engine.networks.get(f"{prefix}-removed").remove()
    engine.volumes.get(f"{prefix}-removed").remove()
    workspace.write(configuration("b"))
    assert {
        "docker_network.removed": "create",
        "docker_network.changed": "replace",
        "docker_volume.removed": "create",
        "docker_volume.changed": "replace",
    } == workspace.changes()
    workspace.destroy()


def test_what_is_in_use_is_not_removed_and_its_user_is_named(
    workspace: Workspace, engine: docker.DockerClient, prefix: str, tiny_image: str
) -> None:
    workspace.apply(network("it", prefix, "") + volume("it", prefix, ""))
    mounted, joined = [f"{prefix}-it:/data"], f"{prefix}-it"
    engine.containers.run(
        tiny_image, name=f"{prefix}-user", network=joined, volumes=mounted, detach=True, init=True
    )
    result = workspace.run("destroy", "-auto-approve")
    assert result.code == 1
    assert f"Network {prefix}-it is in use by {prefix}-user" in result.text
    assert f"Volume {prefix}-it is in use by {prefix}-user" in result.text


def test_only_what_an_interrupted_run_left_behind_is_taken_over(
    workspace: Workspace, engine: docker.DockerClient, prefix: str, tiny_image: str
) -> None:
    ours, others = {"io.galewatch.environment": "a"}, {"io.galewatch.environment": "b"}
    for key, labels in (("left", ours), ("other", others), ("bare", {})):
        engine.networks.create(f"{prefix}-{key}", labels=labels)
        engine.volumes.create(f"{prefix}-{key}", labels=labels)
    mounted = {f"{prefix}-left": {"bind": "/data", "mode": "rw"}}
    engine.containers.run(tiny_image, ["sh", "-c", "echo kept > /data/x"], volumes=mounted, remove=True)
    result = workspace.apply_failing(
        "".join(
            network(key, prefix, label("a")) + volume(key, prefix, label("a"))
            for key in ("left", "other", "bare")
        )
    )
    assert engine.networks.get(f"{prefix}-left").id == workspace.attributes("docker_network.left")["id"]
    assert b"kept\n" == engine.containers.run(tiny_image, ["cat", "/data/x"], volumes=mounted, remove=True)
    for key in ("other", "bare"):
        assert f"The network name {prefix}-{key} is taken" in result.text
        assert f"Volume {prefix}-{key} exists already, with another labels" in result.text


def test_both_can_be_imported(workspace: Workspace, engine: docker.DockerClient, prefix: str) -> None:
    engine.networks.create(f"{prefix}-it", labels={"io.galewatch.environment": "a"})
    engine.volumes.create(f"{prefix}-it", labels={"io.galewatch.environment": "a"})
    imports = "".join(
        f'import {{\n  to = docker_{kind}.it\n  id = "{prefix}-it"\n}}\n' for kind in ("network", "volume")
    )
    result = workspace.apply(imports + network("it", prefix, label("a")) + volume("it", prefix, label("a")))
    assert "2 imported, 0 added, 0 changed, 0 destroyed" in result.text
