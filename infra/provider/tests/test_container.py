"""docker_container as it is made, and as it drifts: through the real Terraform, on a real engine."""

import json
from typing import Any

import docker
import pytest
from provider_testing.workspace import Workspace, block, label

pytest_plugins = ["provider_testing.fixtures"]
pytestmark = pytest.mark.engine

MIB = 1024 * 1024


def container(key: str, prefix: str, image: str, more: str = "", command: str = "exec sleep 1000") -> str:
    """Give the configuration of one container that runs a shell command."""
    return f"""
resource "docker_container" "{key}" {{
  name    = "{prefix}-{key}"
  image   = "{image}"
  init    = true
  command = ["sh", "-c", {json.dumps(command)}]
{more}
}}
"""


class Everything:
    """One container with all that this project sets, applied; what the engine and the state say of it."""

    def __init__(self, workspace: Workspace, engine: docker.DockerClient, prefix: str, image: str) -> None:
        (workspace.folder / "secret").write_text("hunter2")
        workspace.apply(EVERYTHING.replace("PREFIX", prefix).replace("IMAGE", image))
        self.second_plan = workspace.changes()
        self.container = engine.containers.get(f"{prefix}-all")
        found = self.container.attrs
        self.found, self.config, self.host = found, found["Config"], found["HostConfig"]
        self.attributes = workspace.attributes("docker_container.all")
        self.state = workspace.state()


EVERYTHING = """
resource "docker_network" "one" {
  name = "PREFIX-one"
  ipam_config {
    subnet = "10.213.7.0/24"
  }
}
resource "docker_network" "two" {
  name     = "PREFIX-two"
  internal = true
}
resource "docker_volume" "data" {
  name = "PREFIX-data"
}
resource "docker_container" "all" {
  name                  = "PREFIX-all"
  image                 = "IMAGE"
  entrypoint            = ["sh", "-c"]
  command               = ["test -s /run/galewatch/secrets/one && touch /tmp/up; exec sleep 1000"]
  env                   = ["B=2", "A=1"]
  hostname              = "host"
  user                  = "0:0"
  working_dir           = "/bin"
  init                  = true
  restart               = "unless-stopped"
  stop_timeout          = 3
  stop_signal           = "SIGINT"
  destroy_grace_seconds = 5
  memory                = 64
  memory_swap           = 64
  cpus                  = format("%.1f", 0.5)
  cpu_shares            = 512
  shm_size              = 32
  group_add             = ["10001"]
  dns                   = ["127.0.0.9"]
  security_opts         = ["no-new-privileges:true"]
  tmpfs                 = { "/scratch" = "size=1m" }
  sysctls               = { "net.ipv4.ip_unprivileged_port_start" = "80" }
  log_driver            = "json-file"
  log_opts              = { max-size = "1m" }
  wait                  = true
  wait_timeout          = 60
  healthcheck {
    test     = ["CMD", "test", "-e", "/tmp/up"]
    interval = "200ms"
    timeout  = "1m0s"
    retries  = 100
  }
  capabilities {
    drop = ["CAP_NET_RAW"]
    add  = ["CAP_NET_BIND_SERVICE"]
  }
  ulimit {
    name = "nofile"
    soft = 1024
    hard = 2048
  }
  host {
    host = "elsewhere"
    ip   = "10.0.0.1"
  }
  networks_advanced {
    name         = docker_network.one.id
    aliases      = ["it", "also"]
    ipv4_address = "10.213.7.77"
  }
  networks_advanced {
    name    = docker_network.two.name
    aliases = ["it"]
  }
  ports {
    internal = 80
    ip       = "127.0.0.1"
  }
  ports {
    internal = 80
    ip       = "127.0.0.1"
  }
  volumes {
    volume_name    = docker_volume.data.name
    container_path = "/data"
  }
  volumes {
    host_path      = "/etc/hostname"
    container_path = "/etc/the-hosts-name"
    read_only      = true
  }
  mounts {
    type   = "tmpfs"
    target = "/mounted"
    tmpfs_options {
      size_bytes = 1048576
    }
  }
  upload {
    file        = "/run/galewatch/secrets/one"
    source      = "secret"
    source_hash = filesha256("secret")
    permissions = "0444"
  }
  labels {
    label = "io.galewatch.environment"
    value = "PREFIX"
  }
}
"""


@pytest.fixture(scope="module")
def everything(
    module_workspace: Workspace, engine: docker.DockerClient, module_prefix: str, tiny_image: str
) -> Everything:
    """A running container with all that this project sets."""
    return Everything(module_workspace, engine, module_prefix, tiny_image)


def test_a_second_plan_is_empty(everything: Everything) -> None:
    assert {} == everything.second_plan


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("Entrypoint", ["sh", "-c"]),
        ("Hostname", "host"),
        ("User", "0:0"),
        ("WorkingDir", "/bin"),
        ("StopSignal", "SIGINT"),
        ("StopTimeout", 3),
    ],
)
def test_the_engine_has_the_process_as_configured(everything: Everything, key: str, expected: Any) -> None:
    assert expected == everything.config[key]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("Init", True),
        ("Memory", 64 * MIB),
        ("MemorySwap", 64 * MIB),
        ("NanoCpus", 500_000_000),
        ("CpuShares", 512),
        ("ShmSize", 32 * MIB),
        ("CapAdd", ["CAP_NET_BIND_SERVICE"]),
        ("CapDrop", ["CAP_NET_RAW"]),
        ("GroupAdd", ["10001"]),
        ("Dns", ["127.0.0.9"]),
        ("SecurityOpt", ["no-new-privileges:true"]),
        ("Tmpfs", {"/scratch": "size=1m"}),
        ("Sysctls", {"net.ipv4.ip_unprivileged_port_start": "80"}),
        ("ExtraHosts", ["elsewhere:10.0.0.1"]),
        ("LogConfig", {"Type": "json-file", "Config": {"max-size": "1m"}}),
        ("RestartPolicy", {"Name": "unless-stopped", "MaximumRetryCount": 0}),
        ("Ulimits", [{"Name": "nofile", "Hard": 2048, "Soft": 1024}]),
    ],
)
def test_the_engine_has_the_limits_as_configured(everything: Everything, key: str, expected: Any) -> None:
    assert expected == everything.host[key]


def test_the_engine_has_environment_labels_and_health_check(
    everything: Everything, module_prefix: str
) -> None:
    assert {"A=1", "B=2"} <= set(everything.config["Env"])
    assert {"io.galewatch.environment": module_prefix} == everything.config["Labels"]
    check = everything.config["Healthcheck"]
    assert (200_000_000, 60_000_000_000, 100) == (check["Interval"], check["Timeout"], check["Retries"])
    assert "healthy" == everything.found["State"]["Health"]["Status"]


def test_the_container_is_on_its_networks_only(
    everything: Everything, engine: docker.DockerClient, module_prefix: str
) -> None:
    joined = everything.found["NetworkSettings"]["Networks"].values()
    wanted = {engine.networks.get(f"{module_prefix}-{name}").id for name in ("one", "two")}
    assert wanted == {network["NetworkID"] for network in joined}
    assert "10.213.7.77" in {network["IPAddress"] for network in joined}
    assert all("it" in network["Aliases"] for network in joined)
    assert "10.213.7.77" in {item["ip_address"] for item in everything.attributes["network_data"]}


def test_host_ports_that_the_engine_chose_are_known_afterwards(everything: Everything) -> None:
    bindings = everything.found["NetworkSettings"]["Ports"]["80/tcp"]
    published = {int(binding["HostPort"]) for binding in bindings}
    assert published == {port["external"] for port in everything.attributes["ports"]}
    assert len(published) == 2


def test_volumes_and_mounts_are_where_they_belong(everything: Everything, module_prefix: str) -> None:
    mounts = {mount["Destination"]: mount for mount in everything.found["Mounts"]}
    assert f"{module_prefix}-data" == mounts["/data"]["Name"]
    assert not mounts["/etc/the-hosts-name"]["RW"]
    assert "tmpfs" == mounts["/mounted"]["Type"]


def test_an_upload_is_there_before_the_start_and_never_in_the_state(everything: Everything) -> None:
    show = ["sh", "-c", "stat -c '%a %u:%g' /run/galewatch/secrets/one; cat /run/galewatch/secrets/one"]
    assert b"444 0:0\nhunter2" == everything.container.exec_run(show).output
    assert "hunter2" not in everything.state


def test_another_content_of_an_upload_replaces_the_container(
    everything: Everything, module_workspace: Workspace
) -> None:
    del everything
    (module_workspace.folder / "secret").write_text("hunter3")
    assert {"docker_container.all": "replace"} == module_workspace.changes()
    (module_workspace.folder / "secret").write_text("hunter2")


def test_destroy_leaves_nothing(everything: Everything, module_workspace: Workspace) -> None:
    # The last of those that share the container.
    engine, prefix = everything.container.client, everything.container.name.removesuffix("-all")
    module_workspace.destroy()
    assert [] == engine.containers.list(all=True, filters={"name": prefix})
    assert [] == engine.networks.list(names=[prefix]) + engine.volumes.list(filters={"name": prefix})


def test_drift_is_seen_where_it_is_and_nowhere_else(
    workspace: Workspace, engine: docker.DockerClient, prefix: str, tiny_image: str
) -> None:
    port = block("ports", internal=80, ip="127.0.0.1")
    network = f'resource "docker_network" "n" {{\n  name = "{prefix}-n"\n}}\n'
    network += network.replace('"n"', '"other"').replace(f"{prefix}-n", f"{prefix}-other")
    on_it = "  networks_advanced {\n    name = docker_network.n.id\n  }\n"
    limits = "  memory = 64\n  memory_swap = 64\n"
    workspace.apply(
        network
        + container("removed", prefix, tiny_image)
        + container("stopped", prefix, tiny_image, port)
        + container("idle", prefix, tiny_image, "  must_run = false\n")
        + container("limited", prefix, tiny_image, limits)
        + container("left", prefix, tiny_image, on_it)
        + container("joined", prefix, tiny_image, on_it)
        + container("neighbour", prefix, tiny_image)
    )
    found = {
        item.name.removeprefix(f"{prefix}-"): item
        for item in engine.containers.list(filters={"name": prefix})
    }
    found["removed"].remove(force=True)
    found["stopped"].kill()
    found["idle"].kill()
    found["limited"].update(mem_limit="48m", memswap_limit="48m")
    engine.networks.get(f"{prefix}-n").disconnect(found["left"])
    engine.networks.get(f"{prefix}-other").connect(found["joined"])
    assert {
        "docker_container.removed": "create",
        "docker_container.stopped": "replace",
        "docker_container.limited": "update",
        "docker_container.left": "replace",
        "docker_container.joined": "replace",
    } == workspace.changes()

    workspace.apply()
    assert {} == workspace.changes()
    assert "running" == engine.containers.get(f"{prefix}-stopped").status
    for kept in ("limited", "neighbour"):
        assert found[kept].id == engine.containers.get(f"{prefix}-{kept}").id
    assert 64 * MIB == engine.containers.get(f"{prefix}-limited").attrs["HostConfig"]["Memory"]


def test_limits_and_restart_policy_are_changed_in_place(
    workspace: Workspace, engine: docker.DockerClient, prefix: str, tiny_image: str
) -> None:
    limits = '  memory = {0}\n  memory_swap = {0}\n  restart = "{1}"\n'
    workspace.apply(container("it", prefix, tiny_image, limits.format(64, "no")))
    before = engine.containers.get(f"{prefix}-it").id
    result = workspace.apply(container("it", prefix, tiny_image, limits.format(32, "unless-stopped")))
    assert "0 added, 1 changed, 0 destroyed" in result.text
    now = engine.containers.get(f"{prefix}-it")
    assert (before, 32 * MIB) == (now.id, now.attrs["HostConfig"]["Memory"])
    assert "unless-stopped" == now.attrs["HostConfig"]["RestartPolicy"]["Name"]


def test_many_containers_are_made_at_a_time(workspace: Workspace, prefix: str, tiny_image: str) -> None:
    check = '  healthcheck {\n    test = ["CMD", "test", "-e", "/tmp/up"]\n    interval = "200ms"\n  }\n'
    one = container(
        "it", prefix, tiny_image, f"  count = 12\n  wait = true\n{check}", "touch /tmp/up; sleep 99"
    )
    workspace.apply(one.replace(f'"{prefix}-it"', f'"{prefix}-${{count.index}}"'), "-parallelism=12")
    workspace.destroy()


def test_a_leftover_of_the_same_environment_is_replaced_with_a_warning(
    workspace: Workspace, engine: docker.DockerClient, prefix: str, tiny_image: str
) -> None:
    labels = {"io.galewatch.environment": prefix}
    leftover = engine.containers.run(tiny_image, name=f"{prefix}-it", detach=True, labels=labels, init=True)
    result = workspace.apply(container("it", prefix, tiny_image, label(prefix)))
    assert "was left behind by an interrupted run and was replaced" in result.text
    assert leftover.id != engine.containers.get(f"{prefix}-it").id


def test_a_grace_lets_the_container_finish_its_work(
    workspace: Workspace, engine: docker.DockerClient, prefix: str, tiny_image: str
) -> None:
    folder = workspace.folder / "shared"
    folder.mkdir()
    grace = "  destroy_grace_seconds = 20\n"
    shared = block("volumes", host_path=str(folder), container_path="/shared")
    work = "trap 'sleep 0.5; touch /shared/flushed; exit' TERM; while :; do sleep 0.1; done"
    workspace.apply(
        container("working", prefix, tiny_image, grace + shared, work) + container("gone", prefix, tiny_image)
    )
    engine.containers.get(f"{prefix}-gone").remove(force=True)
    # Without a refresh the one that is gone already is destroyed as well, which has to be fine.
    result = workspace.run("destroy", "-auto-approve", "-refresh=false")
    assert result.code == 0, result
    assert (folder / "flushed").exists()
    assert [] == engine.containers.list(all=True, filters={"name": prefix})


def test_a_container_can_be_imported(
    workspace: Workspace, engine: docker.DockerClient, prefix: str, tiny_image: str
) -> None:
    existing = engine.containers.run(tiny_image, name=f"{prefix}-it", detach=True, init=True)
    workspace.write(container("it", prefix, tiny_image))
    assert workspace.run("import", "docker_container.it", f"{prefix}-it").code == 0
    attributes = workspace.attributes("docker_container.it")
    assert (existing.id, f"{prefix}-it") == (attributes["id"], attributes["name"])
