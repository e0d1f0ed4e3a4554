"""What a configuration may not say."""

from typing import Any

import pytest
from galewatch_docker.tables import PROVIDER, RESOURCES
from galewatch_docker.validate import problems
from tf.types import Unknown


def complaints(kind: str, **given: Any) -> str:
    table = PROVIDER if kind == "provider" else RESOURCES[kind]
    return "\n".join(f"{item.summary}: {item.detail}" for item in problems(table, given))


@pytest.mark.parametrize(
    ("kind", "given", "named"),
    [
        ("docker_container", {"gpus": "all"}, "docker_container.gpus"),
        ("docker_container", {"platform": "linux/arm64"}, "docker_container.platform"),
        ("docker_container", {"device_requests": [{}]}, "docker_container.device_requests"),
        (
            "docker_container",
            {"networks_advanced": [{"name": "n", "mac_address": "1"}]},
            "docker_container.networks_advanced.mac_address",
        ),
        (
            "docker_container",
            {"mounts": [{"type": "volume", "target": "/a", "volume_options": [{"subpath": "x"}]}]},
            "docker_container.mounts.volume_options.subpath",
        ),
        ("docker_container", {"timeouts": {"delete": "1m"}}, "docker_container.timeouts.delete"),
        ("docker_image", {"name": "a", "pull_triggers": ["x"]}, "docker_image.pull_triggers"),
        (
            "docker_image",
            {"name": "a", "build": [{"context": ".", "secrets": [{"id": "s"}]}]},
            "docker_image.build.secrets",
        ),
        ("docker_network", {"name": "n", "ingress": False}, "docker_network.ingress"),
        ("docker_volume", {"cluster": [{}]}, "docker_volume.cluster"),
        ("provider", {"ssh_opts": ["-v"]}, "provider docker.ssh_opts"),
    ],
)
def test_what_is_not_implemented_and_is_set_is_refused_by_name(
    kind: str, given: dict[str, Any], named: str
) -> None:
    assert f"{named} is not supported by the offline stand-in" in complaints(kind, **given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": "-a"}, "'-a' is not a container's name"),
        ({"restart": "sometimes"}, "'sometimes' is none of no, on-failure"),
        ({"cpus": "many"}, "'many' is not a number of CPUs"),
        ({"memory": -1}, "-1 is less than 0"),
        ({"memory_swap": -2}, "-2 is less than -1"),
        ({"env": ["A"]}, "An entry has no '='"),
        ({"ports": [{"internal": 0}]}, "internal is 0, which is no port"),
        ({"ports": [{"internal": 1, "protocol": "icmp"}]}, "protocol is 'icmp'"),
        ({"upload": [{"file": "a", "content": "x"}]}, "file is 'a'; it has to be an absolute path"),
        ({"upload": [{"file": "/a"}]}, "/a needs exactly one of content, content_base64 and source: none"),
        (
            {"upload": [{"file": "/a", "content": "x", "source": "y"}]},
            "/a needs exactly one of content, content_base64 and source: content and source",
        ),
        ({"upload": [{"file": "/a", "content": "x", "permissions": "777"}]}, "permissions of /a is '777'"),
        ({"healthcheck": [{"test": ["CMD", "a"], "interval": "1 s"}]}, "interval: '1 s' is no duration"),
        ({"healthcheck": [{"test": []}]}, "test is missing"),
        ({"volumes": [{"volume_name": "v"}]}, "container_path is missing"),
        ({"mounts": [{"type": "nfs", "target": "/a"}]}, "type is 'nfs'"),
        ({"attach": True}, "set must_run = false"),
        ({"attach": True, "must_run": False, "rm": True}, "attach and rm exclude each other"),
        ({"network_mode": "host", "networks_advanced": [{"name": "n"}]}, "exclude each other"),
    ],
)
def test_a_value_that_cannot_work_is_refused(given: dict[str, Any], said: str) -> None:
    assert said in complaints("docker_container", **given)


def test_an_environment_entry_is_never_shown() -> None:
    assert "hunter2" not in complaints("docker_container", env=["hunter2"])


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"name": Unknown, "restart": Unknown, "cpus": Unknown, "env": Unknown, "ports": Unknown},
        {"env": ["A=1", Unknown], "ports": [{"internal": Unknown, "external": Unknown}]},
        {"upload": [{"file": Unknown, "content": Unknown, "permissions": Unknown}]},
        {"healthcheck": [{"test": Unknown, "interval": Unknown, "retries": Unknown}]},
        {"volumes": [{"volume_name": Unknown, "container_path": Unknown}]},
        {"mounts": [{"type": Unknown, "bind_options": [{}]}], "networks_advanced": Unknown},
        {"attach": Unknown, "must_run": Unknown, "network_mode": Unknown},
    ],
)
def test_what_is_not_known_yet_is_left_for_later(given: dict[str, Any]) -> None:
    assert complaints("docker_container", **given) == ""


@pytest.mark.parametrize("host", ["ssh://me@there", "there:2375"])
def test_an_address_that_the_stand_in_cannot_speak_to_is_refused(host: str) -> None:
    assert f"{host!r} is not a unix://, tcp:// or http(s):// address" in complaints("provider", host=host)
