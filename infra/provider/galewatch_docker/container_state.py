"""From the engine's description of a container to the state of a `docker_container`."""

from collections.abc import Callable
from typing import Any

from tf.types import Unknown

from galewatch_docker.container_table import CONTAINER
from galewatch_docker.engine import MIB
from galewatch_docker.plan import without_unknowns

__all__ = ["created", "partial", "refreshed"]

_SHORT_ID = 12  # the digits of an id that `docker ps` prints

State = dict[str, Any]
Found = dict[str, Any]

# Optional attributes that the plan leaves open: the engine (or the image) decides.
_FILLED: dict[str, Callable[[Found], Any]] = {
    "command": lambda found: found["Config"].get("Cmd") or [],
    "entrypoint": lambda found: found["Config"].get("Entrypoint") or [],
    # The image's own variables are not ours: the official provider leaves them out as well.
    "env": lambda _: [],
    "hostname": lambda found: found["Config"].get("Hostname") or "",
    "init": lambda found: bool(found["HostConfig"].get("Init")),
    "ipc_mode": lambda found: found["HostConfig"].get("IpcMode") or "",
    "log_driver": lambda found: found["HostConfig"]["LogConfig"].get("Type") or "",
    "platform": lambda found: found.get("Platform") or "",
    "runtime": lambda found: found["HostConfig"].get("Runtime") or "",
    "security_opts": lambda found: found["HostConfig"].get("SecurityOpt") or [],
    "shm_size": lambda found: (found["HostConfig"].get("ShmSize") or 0) // MIB,
    "stop_signal": lambda found: found["Config"].get("StopSignal") or "",
    "stop_timeout": lambda found: found["Config"].get("StopTimeout") or 0,
}

# Attributes that `docker update` or a rename changes behind Terraform's back, and what the engine says now.
_DRIFTING: dict[str, Callable[[Found], Any]] = {
    "cpu_period": lambda found: found["HostConfig"].get("CpuPeriod") or 0,
    "cpu_quota": lambda found: found["HostConfig"].get("CpuQuota") or 0,
    "cpu_set": lambda found: found["HostConfig"].get("CpusetCpus") or "",
    "cpu_shares": lambda found: found["HostConfig"].get("CpuShares") or 0,
    "max_retry_count": lambda found: found["HostConfig"]["RestartPolicy"].get("MaximumRetryCount") or 0,
    "memory": lambda found: (found["HostConfig"].get("Memory") or 0) // MIB,
    "memory_reservation": lambda found: (found["HostConfig"].get("MemoryReservation") or 0) // MIB,
    "memory_swap": lambda found: _swap(found["HostConfig"].get("MemorySwap") or 0),
    "name": lambda found: found["Name"].lstrip("/"),
    "restart": lambda found: found["HostConfig"]["RestartPolicy"].get("Name") or "no",
}


def created(planned: State, found: Found, printed: str | None) -> State:
    """Give the state of a container that was just created: the plan, with what was open filled in."""
    state = dict(planned)
    for name, look in _FILLED.items():
        if state.get(name) is Unknown:
            state[name] = look(found)
    state["container_logs"] = printed
    state["ports"] = _published(state.get("ports"), found)
    state.update(_observed(found))
    result: State = without_unknowns(state)
    return result


def partial(planned: State, container: str) -> State:
    """Give the state of a container whose creation failed half-way."""
    state: State = without_unknowns(planned)
    return state | {"id": container}


def refreshed(state: State, found: Found) -> State:
    """Give the state as the engine has it now.

    A stopped container keeps its published ports, so that the plan shows one reason for its replacement.
    """
    now = state | _observed(found)
    for name, look in _DRIFTING.items():
        # Unset means "whatever the engine does"; a name is always set.
        if state.get(name) is not None:
            now[name] = look(found)
    if str(state.get("image", "")).startswith("sha256:"):
        now["image"] = found["Image"]
    now["networks_advanced"] = _networks(state.get("networks_advanced") or [], found)
    return now


def _observed(found: Found) -> State:
    settings, state = found.get("NetworkSettings") or {}, found["State"]
    stopped = state["Status"] in {"exited", "dead"}
    return {
        "id": found["Id"],
        "bridge": settings.get("Bridge") or "",
        "exit_code": state["ExitCode"] if stopped else None,
        "network_data": [
            {
                "gateway": network.get("Gateway") or "",
                "global_ipv6_address": network.get("GlobalIPv6Address") or "",
                "global_ipv6_prefix_length": network.get("GlobalIPv6PrefixLen") or 0,
                "ip_address": network.get("IPAddress") or "",
                "ip_prefix_length": network.get("IPPrefixLen") or 0,
                "ipv6_gateway": network.get("IPv6Gateway") or "",
                "mac_address": network.get("MacAddress") or "",
                "network_name": name,
            }
            for name, network in sorted((settings.get("Networks") or {}).items())
        ],
    }


def _published(ports: list[State] | None, found: Found) -> list[State]:
    """Fill in the host ports that the engine chose."""
    published = (found.get("NetworkSettings") or {}).get("Ports") or {}
    taken: set[str] = set()
    filled = []
    for port in ports or []:
        now = dict(port)
        if port.get("external") is Unknown:
            bindings = published.get(f"{port['internal']}/{port.get('protocol') or 'tcp'}") or []
            free = [binding["HostPort"] for binding in bindings if binding["HostPort"] not in taken]
            now["external"] = int(free[0]) if free else None
            taken.update(free[:1])
        filled.append(now)
    return filled


def _swap(value: int) -> int:
    return value // MIB if value > 0 else value


def _networks(known: list[State], found: Found) -> list[State]:
    """Give the blocks whose network is still joined, and one for each network that was joined by hand.

    Without any block the engine decides, and nothing is compared.
    """
    joined = _joined(found)
    kept = [block for block in known if any(_is(block["name"], other) for other in joined)]
    strange = [
        name for name, identifier in joined if not any(_is(b["name"], (name, identifier)) for b in known)
    ]
    empty = {field.name: None for field in CONTAINER.block["networks_advanced"].fields}
    return kept + [{**empty, "name": name} for name in strange if known]


def _joined(found: Found) -> list[tuple[str, str]]:
    networks = (found.get("NetworkSettings") or {}).get("Networks") or {}
    return [(name, network.get("NetworkID") or "") for name, network in networks.items()]


def _is(reference: str, network: tuple[str, str]) -> bool:
    name, identifier = network
    shortened = len(reference) >= _SHORT_ID and identifier.startswith(reference)
    return shortened or reference in {name, identifier}
