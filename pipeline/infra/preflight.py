"""What this machine must have before anything is begun; each lack is one sentence that says what to do.

`measure` looks, `problems` judges; the judging is pure.
"""

from __future__ import annotations

import platform as machine
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.infra import memory, ports
from pipeline.infra.errors import InfraError, PreflightError
from pipeline.infra.layout import ENVIRONMENT_LABEL
from pipeline.infra.terraform import MISSING_TERRAFORM, Terraform
from pipeline.platform import load_platform

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import docker
    from docker.models.containers import Container

    from pipeline.infra.layout import Layout

__all__ = ["Disk", "Facts", "PortUse", "check", "measure", "problems", "published_ports"]

# The running environment's total stays under 5 GiB; the rest is for building beside it.
_MEMORY_MIB: Final = 6 * 1024
# Images with their build stages take about 8 GiB, data and logs the rest.
_DISK_MIB: Final = 12 * 1024
# With the images built, only data grows.
_DISK_BUILT_MIB: Final = 2 * 1024
# What an environment that runs already may still want.
_MEMORY_SPARE_MIB: Final = 512
_TERRAFORM: Final = (1, 6)
# Docker 20.10: what the Terraform configuration was proven with.
_ENGINE_API: Final = (1, 41)
_PYTHON: Final = (3, 11)


@dataclass(frozen=True, slots=True)
class Disk:
    """Free space of one place."""

    purpose: str
    path: str
    free_mib: int


@dataclass(frozen=True, slots=True)
class PortUse:
    """A published port that someone else has; `holder` is empty where nobody can tell who."""

    name: str
    port: int
    holder: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was measured; `engine_api` is None where no engine answers (yet)."""

    terraform_binary: str
    terraform_version: tuple[int, ...] | None
    python_version: tuple[int, int]
    architecture: str
    memory_available_mib: int
    memory_ours_mib: int
    disks: tuple[Disk, ...]
    is_built: bool
    taken_ports: tuple[PortUse, ...]
    engine_api: tuple[int, ...] | None


def problems(facts: Facts, tfvars: str) -> list[str]:
    """Give one sentence for each thing that is missing; `tfvars` names the file where ports can be moved."""
    found = []
    if facts.terraform_version is None:
        found.append(MISSING_TERRAFORM.format(binary=facts.terraform_binary))
    elif facts.terraform_version < _TERRAFORM:
        found.append(
            f"{facts.terraform_binary} is version {_dotted(facts.terraform_version)}: install 1.6 or newer "
            "(developer.hashicorp.com/terraform/install or opentofu.org)."
        )
    if facts.python_version != _PYTHON:
        found.append(
            f"This is Python {_dotted(facts.python_version)}: delete .venv, install Python 3.11 "
            "(Debian 12: apt-get install python3) or name it in GALEWATCH_PYTHON, and run this again."
        )
    if facts.architecture != "x86_64":
        found.append(f"The processor is {facts.architecture}: use a machine with x86_64.")
    missing_mib = _MEMORY_MIB - facts.memory_ours_mib - facts.memory_available_mib
    if missing_mib > 0 and (not facts.memory_ours_mib or facts.memory_available_mib < _MEMORY_SPARE_MIB):
        found.append(
            f"Only {_gib(facts.memory_available_mib)} GiB of memory are available and the platform needs "
            f"{_gib(_MEMORY_MIB)}: stop other programs, or give the machine {_gib(missing_mib)} GiB more."
        )
    needed = _DISK_BUILT_MIB if facts.is_built else _DISK_MIB
    found += [
        f"Only {_gib(disk.free_mib)} GiB are free in {disk.path}, where {disk.purpose}, "
        f"and {_gib(needed)} are needed: free {_gib(needed - disk.free_mib)} GiB there."
        for disk in facts.disks
        if disk.free_mib < needed
    ]
    found += [
        f"Port {use.port} of 127.0.0.1, for {use.name}, is taken{f' by {use.holder}' if use.holder else ''}: "
        f"stop that program, or set port_offset in {tfvars}."
        for use in facts.taken_ports
    ]
    if facts.engine_api is not None and facts.engine_api < _ENGINE_API:
        found.append(
            f"The Docker engine speaks API {_dotted(facts.engine_api)} and {_dotted(_ENGINE_API)} is needed: "
            "install Docker 20.10 or newer."
        )
    return found


def check(
    layout: Layout, binary: str, engine: docker.DockerClient | None, *, with_ports: bool = True
) -> Facts:
    """Measure and judge; raises PreflightError with every problem."""
    _check_name(layout)
    facts = measure(layout, binary, engine)
    if not with_ports:
        facts = replace(facts, taken_ports=())
    if found := problems(facts, str(layout.variables_file.relative_to(layout.root))):
        raise PreflightError(found)
    return facts


def measure(layout: Layout, binary: str, engine: docker.DockerClient | None) -> Facts:
    """Look at this machine; `engine` is None while there is none."""
    ours: set[int] = set()
    memory_ours = 0.0
    docker_root, is_built, api = Path("/var/lib/docker"), False, None
    if engine is not None:
        label = f"{ENVIRONMENT_LABEL}={layout.environment}"
        containers = engine.containers.list(filters={"label": label}, ignore_removed=True)
        ours = {port for container in containers for port in _host_ports(container)}
        memory_ours = sum(memory.container_mib(container) or 0 for container in containers)
        docker_root = Path(engine.info().get("DockerRootDir") or docker_root)
        is_built = bool(engine.images.list(filters={"label": "io.galewatch.image=airflow"}))
        api = tuple(int(part) for part in engine.version()["ApiVersion"].split("."))
    return Facts(
        terraform_binary=binary,
        terraform_version=_terraform_version(binary, layout.platform_root),
        python_version=sys.version_info[:2],
        architecture=machine.machine(),
        memory_available_mib=_memory_available_mib(),
        memory_ours_mib=round(memory_ours),
        disks=_disks({docker_root: "Docker keeps images and data", layout.root: "this checkout is"}),
        is_built=is_built,
        taken_ports=tuple(
            PortUse(name, port, _port_holder(port, engine))
            for name, port in published_ports(layout).items()
            if port not in ours and not ports.is_free(port)
        ),
        engine_api=api,
    )


def published_ports(layout: Layout) -> dict[str, int]:
    """Give every port that the environment publishes on 127.0.0.1, by service."""
    offset, copies = _whole(layout, "port_offset", 0, 40_000), _whole(layout, "alerts_copies", 2, 3)
    published = {
        name: port + offset for name, port in load_platform(layout.root / "config").ports.model_dump().items()
    }
    first = published["driver_alerts"]
    return published | {f"driver_alerts_{index}": first + index for index in range(1, copies)}


def _whole(layout: Layout, name: str, default: int, most: int) -> int:
    """Give a number of the tfvars file; what Terraform would refuse is refused here in its words."""
    value = layout.variables().get(name, default)
    if not str(value).isascii() or not str(value).isdigit() or int(value) > most:
        file = layout.variables_file.relative_to(layout.root)
        raise InfraError(f"{name} in {file} must be a whole number up to {most}, not {value!r}.")
    return int(value)


def _check_name(layout: Layout) -> None:
    """Refuse a tfvars file of another environment: its containers with the state of this one."""
    said = layout.variables().get("environment")
    if said != layout.environment:
        file = layout.variables_file.relative_to(layout.root)
        raise InfraError(
            f'{file} must say environment = "{layout.environment}", '
            f"{f'not {said!r}' if said is not None else 'which it does not'}."
        )


def _port_holder(port: int, engine: docker.DockerClient | None) -> str:
    if engine is not None:
        for container in engine.containers.list(ignore_removed=True):
            if port in _host_ports(container):
                return f"the container {container.name}"
    return ports.holder_of(port) or ""


def _host_ports(container: Container) -> set[int]:
    table = container.attrs.get("NetworkSettings", {}).get("Ports") or {}
    return {int(binding["HostPort"]) for bindings in table.values() for binding in bindings or ()}


def _terraform_version(binary: str, folder: Path) -> tuple[int, ...] | None:
    try:
        return Terraform(folder, binary=binary, timeout_s=20).version()[1]
    except InfraError:
        return None


def _memory_available_mib() -> int:
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) // 1024
    return _MEMORY_MIB  # a kernel that does not tell is not a reason to refuse


def _disks(purposes: Mapping[Path, str]) -> tuple[Disk, ...]:
    found = []
    for path, purpose in purposes.items():
        existing = next(folder for folder in (path, *path.parents) if folder.exists())
        found.append(Disk(purpose, str(path), shutil.disk_usage(existing).free // 2**20))
    return tuple(found)


def _dotted(version: Sequence[int]) -> str:
    return ".".join(str(part) for part in version)


def _gib(mib: int) -> str:
    return f"{mib / 1024:.1f}".removesuffix(".0")
