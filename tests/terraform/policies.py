"""What no plan of the platform may break: each policy looks at a plan and names everything that breaks it.

A policy is a function from a planned platform to sentences, none where it holds. POLICIES has them all by
name; test_policies.py runs them on real plans, and each on plans that are bad on purpose.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from pipeline.platform import load_platform
from tests.terraform.planned import CONFIG_LABEL

if TYPE_CHECKING:
    from tests.terraform.planned import PlannedContainer, PlannedPlatform

__all__ = ["POLICIES"]

Policy = Callable[["PlannedPlatform"], Iterator[str]]

# Who speaks to ZooKeeper, where the brokers' credentials are.
_COORDINATION: Final = {"zookeeper", "kafka"}
# Whoever reaches the engine's socket is root on this machine; the folders lead to it.
_SOCKET: Final = PurePosixPath("/var/run/docker.sock")
_ENGINES: Final = ("docker.sock", "containerd", "podman")
_ROOTS: Final = {"", "0", "root"}
_SECRET_NAME: Final = re.compile(r"PASSWORD|PASSWD|SECRET|TOKEN|CREDENTIAL|PRIVATE|API_?KEY")


def ports_on_loopback_only(plan: PlannedPlatform) -> Iterator[str]:
    """Nothing is published to another machine, and no port is published twice."""
    taken: dict[int, str] = {}
    for container in plan.containers:
        if container.values.get("publish_all_ports"):
            yield f"{container.name} publishes all ports"
        for port in container.values["ports"]:
            if port["ip"] != "127.0.0.1":
                yield f"{container.name} publishes {port['external']} on {port['ip'] or 'every address'}"
            if port["external"] in taken:
                yield f"{container.name} publishes {port['external']}, as {taken[port['external']]} does"
            taken[port["external"]] = container.name


def memory_limited_without_swap(plan: PlannedPlatform) -> Iterator[str]:
    """One that leaks ends alone."""
    for container in plan.containers:
        memory, swap = container.values["memory"], container.values["memory_swap"]
        if not memory:
            yield f"{container.name} has no memory limit"
        elif memory != swap:
            yield f"{container.name} may swap: memory {memory}, with swap {swap}"


def services_have_a_health_check_and_are_waited_for(plan: PlannedPlatform) -> Iterator[str]:
    """What depends on a service starts when it answers."""
    for container in plan.containers:
        if container.is_job:
            continue
        checks = [check["test"] for check in container.values["healthcheck"]]
        if not checks or not checks[0] or checks[0] == ["NONE"]:
            yield f"{container.name} has no health check"
        if not container.values["wait"]:
            yield f"{container.name} is not waited for"


def jobs_run_once_and_services_again(plan: PlannedPlatform) -> Iterator[str]:
    """A service is started again by the engine; a job ends inside the apply, and its log is told."""
    for container in plan.containers:
        values = container.values
        if not container.is_job:
            if values["restart"] != "unless-stopped":
                yield f"{container.name} is not started again: restart is {values['restart']}"
        elif (values["restart"], values["attach"], values["must_run"], values["logs"]) != (
            "no",
            True,
            False,
            True,
        ):
            yield f"{container.name} is a job that does not run once to its end"
        elif values["ports"]:
            yield f"{container.name} is a job and publishes ports"


def nobody_is_privileged(plan: PlannedPlatform) -> Iterator[str]:
    """No container has rights on this machine, nor sees its processes, networks or devices."""
    for container in plan.containers:
        values = container.values
        if values["privileged"]:
            yield f"{container.name} is privileged"
        if any(block["add"] for block in values["capabilities"]):
            yield f"{container.name} adds capabilities"
        if values["devices"] or values["device_requests"]:
            yield f"{container.name} has devices"
        for mode in ("network_mode", "pid_mode", "ipc_mode", "userns_mode", "cgroupns_mode"):
            if (values.get(mode) or "").partition(":")[0] in {"host", "container"}:
                yield f"{container.name} shares: {mode} is {values[mode]}"


def no_new_privileges(plan: PlannedPlatform) -> Iterator[str]:
    """A file with the set-user-id bit lends nothing, and no profile is switched off."""
    for container in plan.containers:
        options = container.values.get("security_opts") or []
        if "no-new-privileges:true" not in options:
            yield f"{container.name} may gain privileges"
        if any("unconfined" in option for option in options):
            yield f"{container.name} is unconfined"


def no_engine_socket(plan: PlannedPlatform) -> Iterator[str]:
    """No folder of this machine is writable in a container, and none that leads to the engine is there."""
    for container in plan.containers:
        for path, is_read_only in _host_paths(container):
            folder = PurePosixPath(path)
            if folder == _SOCKET or folder in _SOCKET.parents or any(name in path for name in _ENGINES):
                yield f"{container.name} reaches the engine through {path}"
            elif path in {"/run", "/proc", "/sys", "/dev", "/etc", "/root", "/home", "/var/lib/docker"}:
                yield f"{container.name} sees {path} of this machine"
            elif not is_read_only:
                yield f"{container.name} may write to {path} of this machine"


def nobody_is_root(plan: PlannedPlatform) -> Iterator[str]:
    """Each image ends as a user of its own, and no container asks for another."""
    for container in plan.containers:
        user = container.values.get("user")
        image = plan.images[container.image]
        if user is not None and user.partition(":")[0] in _ROOTS:
            yield f"{container.name} runs as user {user!r}"
        elif user is None and image.user().partition(":")[0] in _ROOTS:
            yield f"{container.name} runs image {image.name}, which ends as root"


def coordination_is_apart(plan: PlannedPlatform) -> Iterator[str]:
    """ZooKeeper meets nobody but the broker, and nothing outside."""
    if plan.networks["coordination"]["internal"] is not True:
        yield "the coordination network reaches outside"
    for container in plan.containers:
        if "coordination" in container.networks and container.service not in _COORDINATION:
            yield f"{container.name} is on the coordination network"
        if container.service == "zookeeper":
            if container.networks != {"coordination"}:
                yield f"{container.name} is on {', '.join(sorted(container.networks))}"
            if container.values["ports"]:
                yield f"{container.name} publishes a port"
        elif "main" not in container.networks:
            yield f"{container.name} is not on the network of everybody"


def everything_is_labelled_and_named(plan: PlannedPlatform) -> Iterator[str]:
    """`make down`, `wipe` and `status` find everything by name and label, and changes are seen by one."""
    environment = plan.document["variables"]["environment"]["value"]
    for name, network in plan.networks.items():
        if [(label["label"], label["value"]) for label in network["labels"]] != [
            ("io.galewatch.environment", environment)
        ]:
            yield f"the network {name} is not labelled as of {environment}"
    for container in plan.containers:
        if container.environment != environment:
            yield f"{container.address} is labelled as of {container.environment or 'nobody'}"
        if container.name != f"galewatch-{environment}-{container.service}":
            yield f"{container.address} is {container.name} and labelled {container.service or 'nothing'}"
        if not re.fullmatch(r"[0-9a-f]{40}", container.labels.get(CONFIG_LABEL, "")):
            yield f"{container.name} has no label that changes with its configuration"


def no_secret_in_plan_or_environment(plan: PlannedPlatform) -> Iterator[str]:
    """Secrets are files: what the engine tells of a container, and what Terraform remembers, has none."""
    for container in plan.containers:
        for entry in container.values.get("env") or []:
            name = entry.partition("=")[0]
            if _SECRET_NAME.search(name) and not name.endswith("_FILE"):
                yield f"{container.name} has {name} in its environment"
        for upload in container.values["upload"]:
            if (
                upload["source"] is None
                or upload["content"] is not None
                or upload["content_base64"] is not None
            ):
                yield f"{container.name} has the content of {upload['file']} in the plan"
            if upload["permissions"] != "0444":
                yield f"{container.name} may do more than read {upload['file']}"


def logs_are_bounded(plan: PlannedPlatform) -> Iterator[str]:
    """No service fills the disk by talking."""
    for container in plan.containers:
        options = container.values.get("log_opts") or {}
        if container.values.get("log_driver") != "json-file" or not {"max-size", "max-file"} <= set(options):
            yield f"{container.name} keeps its log without limit"


def data_is_in_volumes_of_the_storage(plan: PlannedPlatform) -> Iterator[str]:
    """Each volume that storage/ keeps is used, and nothing is kept anywhere else."""
    environment = plan.document["variables"]["environment"]["value"]
    kept = {f"galewatch-{environment}-{name}" for name in load_platform().volumes}
    used = set()
    for container in plan.containers:
        for volume in container.values["volumes"]:
            if volume["volume_name"] is None and volume["host_path"] is None:
                yield f"{container.name} keeps {volume['container_path']} in a volume without a name"
            elif volume["volume_name"] is not None and volume["volume_name"] not in kept:
                yield f"{container.name} uses {volume['volume_name']}, which storage/ does not keep"
            used.add(volume["volume_name"])
        if container.values["destroy_grace_seconds"] in {None, 0} and not container.is_job:
            yield f"{container.name} is killed at once"
    for name in sorted(kept - used):
        yield f"nobody uses {name}"


def _host_paths(container: PlannedContainer) -> Iterator[tuple[str, bool]]:
    """Give each path of this machine that the container sees, and whether it may only read there."""
    for volume in container.values["volumes"]:
        if volume["host_path"] is not None:
            yield volume["host_path"].rstrip("/") or "/", volume["read_only"] is True
    for mount in container.values["mounts"]:
        if mount["type"] == "bind":
            yield mount["source"].rstrip("/") or "/", mount["read_only"] is True


POLICIES: Final[dict[str, Policy]] = {
    policy.__name__: policy
    for policy in (
        coordination_is_apart,
        data_is_in_volumes_of_the_storage,
        everything_is_labelled_and_named,
        jobs_run_once_and_services_again,
        logs_are_bounded,
        memory_limited_without_swap,
        no_engine_socket,
        no_new_privileges,
        no_secret_in_plan_or_environment,
        nobody_is_privileged,
        nobody_is_root,
        ports_on_loopback_only,
        services_have_a_health_check_and_are_waited_for,
    )
}
