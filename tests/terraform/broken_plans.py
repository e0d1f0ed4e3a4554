"""Plans that are bad on purpose: for each policy, edits of a good plan and what the policy says of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tests.terraform.planned import CONFIG_LABEL

__all__ = ["BROKEN"]

Edit = Callable[[dict[str, Any]], None]


def _container(document: dict[str, Any], service: str) -> dict[str, Any]:
    """Give the values of a container, to be changed."""
    (found,) = (
        change["change"]["after"]
        for change in document["resource_changes"]
        if change["change"]["after"].get("name") == f"galewatch-dev-{service}"
        and change["type"] == "docker_container"
    )
    values: dict[str, Any] = found
    return values


def _values(service: str, **values: Any) -> Edit:
    """Give a container other values."""

    def edit(document: dict[str, Any]) -> None:
        _container(document, service).update(values)

    return edit


def _block(service: str, block: str, **values: Any) -> Edit:
    """Change each block of a kind."""

    def edit(document: dict[str, Any]) -> None:
        blocks = _container(document, service)[block]
        assert blocks
        for one in blocks:
            one.update(values)

    return edit


def _folder(path: str, *, read_only: bool) -> Edit:
    """Mount a folder of this machine."""
    volume = {"host_path": path, "container_path": "/x", "read_only": read_only, "volume_name": None}
    return _values("spark-master", volumes=[volume])


def _networks(module: str, *references: str) -> Edit:
    """Put a module's container on other networks."""

    def edit(document: dict[str, Any]) -> None:
        call = document["configuration"]["root_module"]["module_calls"][module]
        call["expressions"]["networks"] = {"references": [f"docker_network.{name}.id" for name in references]}

    return edit


def _network(name: str, **values: Any) -> Edit:
    """Give a network other values."""

    def edit(document: dict[str, Any]) -> None:
        for change in document["resource_changes"]:
            if change["address"] == f"docker_network.{name}":
                change["change"]["after"].update(values)

    return edit


def _dockerfile(module: str, dockerfile: str) -> Edit:
    """Build an image from another file."""

    def edit(document: dict[str, Any]) -> None:
        for change in document["resource_changes"]:
            if change["address"] == f"module.{module}.docker_image.this":
                change["change"]["after"]["build"][0]["dockerfile"] = dockerfile

    return edit


def _label(service: str, label: str, value: str) -> Edit:
    """Change one label."""

    def edit(document: dict[str, Any]) -> None:
        for one in _container(document, service)["labels"]:
            if one["label"] == label:
                one["value"] = value

    return edit


_BIND: Final = {"type": "bind", "source": "/var/run", "target": "/x", "read_only": True}

BROKEN: Final[dict[str, list[tuple[str, Edit]]]] = {
    "ports_on_loopback_only": [
        ("publishes 19092 on 0.0.0.0", _block("kafka", "ports", ip="0.0.0.0")),  # noqa: S104 - what must not be
        ("publishes 19092 on every address", _block("kafka", "ports", ip=None)),
        ("as galewatch-dev-", _block("kafka", "ports", external=18080)),
        ("publishes all ports", _values("kafka", publish_all_ports=True)),
    ],
    "memory_limited_without_swap": [
        ("has no memory limit", _values("kafka", memory=None)),
        ("may swap: memory 256", _values("job-kafka", memory_swap=1024)),
    ],
    "services_have_a_health_check_and_are_waited_for": [
        ("no health check", _values("kafka", healthcheck=[])),
        ("no health check", _block("kafka", "healthcheck", test=["NONE"])),
        ("is not waited for", _values("kafka", wait=False)),
    ],
    "jobs_run_once_and_services_again": [
        ("restart is no", _values("kafka", restart="no")),
        ("does not run once", _values("job-kafka", restart="always")),
        ("a job and", _values("job-kafka", ports=[{"external": 1, "ip": "127.0.0.1"}])),
    ],
    "nobody_is_privileged": [
        ("is privileged", _values("kafka", privileged=True)),
        ("adds", _values("kafka", capabilities=[{"add": ["CAP_NET_ADMIN"], "drop": []}])),
        ("has devices", _values("kafka", devices=[{"host_path": "/dev/kvm"}])),
        ("pid_mode is host", _values("kafka", pid_mode="host")),
        ("network_mode is container:x", _values("kafka", network_mode="container:x")),
    ],
    "no_new_privileges": [
        ("may gain privileges", _values("kafka", security_opts=[])),
        ("is unconfined", _values("kafka", security_opts=["no-new-privileges:true", "seccomp=unconfined"])),
    ],
    "no_engine_socket": [
        ("reaches the engine", _folder("/var/run/docker.sock", read_only=True)),
        ("reaches the engine through /var/run", _folder("/var/run/", read_only=True)),
        ("reaches the engine through /", _folder("/", read_only=True)),
        ("reaches the engine", _folder("/run/containerd/containerd.sock", read_only=True)),
        ("sees /etc of this machine", _folder("/etc", read_only=True)),
        ("may write to /srv/data", _folder("/srv/data", read_only=False)),
        ("reaches the engine through /var/run", _values("kafka", mounts=[_BIND])),
    ],
    "nobody_is_root": [
        ("runs as user '0:0'", _values("kafka", user="0:0")),
        ("runs as user 'root'", _values("kafka", user="root")),
        ("image kafka, which ends as root", _dockerfile("image_kafka", "infra/images/builder/Dockerfile")),
    ],
    "coordination_is_apart": [
        ("postgres is on the coordination", _networks("postgres", "main", "coordination")),
        ("zookeeper is on coordination, main", _networks("zookeeper", "main", "coordination")),
        ("postgres is not on the network of everybody", _networks("postgres")),
        ("publishes a port", _values("zookeeper", ports=[{"external": 2181, "ip": "127.0.0.1"}])),
        ("reaches outside", _network("coordination", internal=False)),
    ],
    "everything_is_labelled_and_named": [
        ("network main is not labelled", _network("main", labels=[])),
        ("labelled as of x", _label("kafka", "io.galewatch.environment", "x")),
        ("labelled x", _label("kafka", "io.galewatch.service", "x")),
        ("no label that changes", _label("kafka", CONFIG_LABEL, "")),
    ],
    "no_secret_in_plan_or_environment": [
        ("KAFKA_PASSWORD in its", _values("kafka", env=["KAFKA_PASSWORD=x"])),
        ("has the content of /run", _block("kafka", "upload", content="x")),
        ("has the content of /run", _block("kafka", "upload", source=None)),
        ("may do more than read", _block("kafka", "upload", permissions="0666")),
    ],
    "logs_are_bounded": [
        ("without limit", _values("kafka", log_opts={"max-size": "10m"})),
        ("without limit", _values("kafka", log_driver="local")),
    ],
    "data_is_in_volumes_of_the_storage": [
        ("storage/ does not keep", _block("kafka", "volumes", volume_name="x")),
        ("without a name", _block("kafka", "volumes", volume_name=None)),
        ("nobody uses galewatch-dev-kafka", _values("kafka", volumes=[])),
        ("is killed at once", _values("kafka", destroy_grace_seconds=None)),
    ],
}
