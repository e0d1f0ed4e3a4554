"""From a planned `docker_container` to the body of the engine's "create a container"."""

from typing import Any

from tf.types import Unknown

from galewatch_docker import durations
from galewatch_docker.engine import MIB
from galewatch_docker.errors import StandInError

__all__ = ["body", "endpoint", "healthcheck", "labels", "networks", "restart_policy"]

_START_INTERVAL_SINCE = (1, 44)

# Attribute → key of the engine's HostConfig, where the value goes over as it is.
_HOST_AS_IS = {
    "cgroup_parent": "CgroupParent",
    "cgroupns_mode": "CgroupnsMode",
    "cpu_period": "CpuPeriod",
    "cpu_quota": "CpuQuota",
    "cpu_set": "CpusetCpus",
    "cpu_shares": "CpuShares",
    "dns": "Dns",
    "dns_opts": "DnsOptions",
    "dns_search": "DnsSearch",
    "group_add": "GroupAdd",
    "init": "Init",
    "ipc_mode": "IpcMode",
    "pid_mode": "PidMode",
    "privileged": "Privileged",
    "publish_all_ports": "PublishAllPorts",
    "read_only": "ReadonlyRootfs",
    "rm": "AutoRemove",
    "runtime": "Runtime",
    "security_opts": "SecurityOpt",
    "storage_opts": "StorageOpt",
    "sysctls": "Sysctls",
    "tmpfs": "Tmpfs",
    "userns_mode": "UsernsMode",
}
_CONFIG_AS_IS = {
    "command": "Cmd",
    "domainname": "Domainname",
    "entrypoint": "Entrypoint",
    "env": "Env",
    "hostname": "Hostname",
    "image": "Image",
    "stdin_open": "OpenStdin",
    "stop_signal": "StopSignal",
    "stop_timeout": "StopTimeout",
    "tty": "Tty",
    "user": "User",
    "working_dir": "WorkingDir",
}


def body(planned: dict[str, Any], api_version: tuple[int, ...]) -> dict[str, Any]:
    """Give the body of `POST /containers/create` for what was planned.

    Raises:
        StandInError: the engine is too old for what is asked.
    """
    config = _as_is(planned, _CONFIG_AS_IS)
    config["Labels"] = labels(planned)
    config["HostConfig"] = host = _as_is(planned, _HOST_AS_IS)
    if planned.get("healthcheck"):
        config["Healthcheck"] = healthcheck(planned["healthcheck"][0], api_version)
    host["RestartPolicy"] = restart_policy(planned)
    _limits(planned, host)
    _logging(planned, host)
    _ports(planned, config, host)
    _mounts(planned, config, host)
    for block in planned.get("capabilities") or []:
        host["CapAdd"], host["CapDrop"] = block.get("add") or [], block.get("drop") or []
    host["ExtraHosts"] = [f"{item['host']}:{item['ip']}" for item in planned.get("host") or []]
    host["Ulimits"] = [
        {"Name": item["name"], "Soft": item["soft"], "Hard": item["hard"]}
        for item in planned.get("ulimit") or []
    ]
    host["Devices"] = [
        {
            "PathOnHost": item["host_path"],
            "PathInContainer": item.get("container_path") or item["host_path"],
            "CgroupPermissions": item.get("permissions") or "rwm",
        }
        for item in planned.get("devices") or []
    ]
    attached = networks(planned)
    if attached:
        # The first network is joined at creation, the others before the start; so the container is never,
        # not even for a moment, on the default bridge.
        host["NetworkMode"] = attached[0]["name"]
        config["NetworkingConfig"] = {"EndpointsConfig": {attached[0]["name"]: endpoint(attached[0])}}
    elif planned.get("network_mode"):
        host["NetworkMode"] = planned["network_mode"]
    return config


def labels(planned: dict[str, Any]) -> dict[str, str]:
    """Give the `labels` blocks as one mapping."""
    return {item["label"]: item["value"] for item in planned.get("labels") or []}


def restart_policy(planned: dict[str, Any]) -> dict[str, Any]:
    """Give the engine's restart policy."""
    return {
        "Name": planned.get("restart") or "no",
        "MaximumRetryCount": planned.get("max_retry_count") or 0,
    }


def networks(planned: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the `networks_advanced` blocks in an order that does not depend on the set's."""
    return sorted(planned.get("networks_advanced") or [], key=lambda item: str(item["name"]))


def endpoint(block: dict[str, Any]) -> dict[str, Any]:
    """Give the engine's endpoint settings of one `networks_advanced` block."""
    addresses = {
        key: block[name]
        for name, key in (("ipv4_address", "IPv4Address"), ("ipv6_address", "IPv6Address"))
        if block.get(name)
    }
    return {"Aliases": sorted(block.get("aliases") or []), "IPAMConfig": addresses or None}


def healthcheck(block: dict[str, Any], api_version: tuple[int, ...]) -> dict[str, Any]:
    """Give the engine's form of a `healthcheck` block; durations are nanoseconds there."""
    start_interval = durations.nanoseconds(block.get("start_interval") or "")
    if start_interval and api_version < _START_INTERVAL_SINCE:
        raise StandInError(
            "docker_container.healthcheck.start_interval needs Docker engine 25 or newer",
            f"This engine speaks API {'.'.join(map(str, api_version))}, start_interval came with 1.44.",
            ("healthcheck",),
        )
    check = {
        "Test": block["test"],
        "Interval": durations.nanoseconds(block.get("interval") or ""),
        "Timeout": durations.nanoseconds(block.get("timeout") or ""),
        "StartPeriod": durations.nanoseconds(block.get("start_period") or ""),
        "Retries": block.get("retries") or 0,
    }
    return check | ({"StartInterval": start_interval} if start_interval else {})


def _as_is(planned: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {key: planned[name] for name, key in names.items() if planned.get(name) not in (None, Unknown)}


def _limits(planned: dict[str, Any], host: dict[str, Any]) -> None:
    sizes = {"memory": "Memory", "memory_reservation": "MemoryReservation", "shm_size": "ShmSize"}
    for name, key in sizes.items():
        if planned.get(name) not in (None, Unknown):
            host[key] = planned[name] * MIB
    swap = planned.get("memory_swap")
    if swap is not None:
        host["MemorySwap"] = swap * MIB if swap > 0 else swap
    if planned.get("cpus"):
        host["NanoCpus"] = round(float(planned["cpus"]) * 1e9)


def _logging(planned: dict[str, Any], host: dict[str, Any]) -> None:
    driver, options = planned.get("log_driver"), planned.get("log_opts")
    if driver not in (None, Unknown) or options:
        host["LogConfig"] = {"Type": "" if driver in (None, Unknown) else driver, "Config": options or {}}


def _ports(planned: dict[str, Any], config: dict[str, Any], host: dict[str, Any]) -> None:
    bindings: dict[str, list[dict[str, str]]] = {}
    for port in planned.get("ports") or []:
        external = port.get("external")
        bindings.setdefault(f"{port['internal']}/{port.get('protocol') or 'tcp'}", []).append(
            {
                "HostIp": port.get("ip") or "0.0.0.0",  # noqa: S104  # the official default
                "HostPort": "" if external in (None, Unknown) else str(external),
            },
        )
    config["ExposedPorts"] = {port: {} for port in bindings}
    host["PortBindings"] = bindings


def _mounts(planned: dict[str, Any], config: dict[str, Any], host: dict[str, Any]) -> None:
    config["Volumes"], host["Binds"], host["VolumesFrom"] = {}, [], []
    for volume in planned.get("volumes") or []:
        mode = "ro" if volume.get("read_only") else "rw"
        source = volume.get("volume_name") or volume.get("host_path")
        if volume.get("from_container"):
            host["VolumesFrom"].append(f"{volume['from_container']}:{mode}")
        elif source:
            host["Binds"].append(f"{source}:{volume['container_path']}:{mode}")
        else:
            config["Volumes"][volume["container_path"]] = {}
    host["Mounts"] = [_mount(mount) for mount in planned.get("mounts") or []]


def _mount(block: dict[str, Any]) -> dict[str, Any]:
    mount: dict[str, Any] = {
        "Type": block["type"],
        "Target": block["target"],
        "Source": block.get("source") or "",
        "ReadOnly": bool(block.get("read_only")),
    }
    for options in block.get("bind_options") or []:
        mount["BindOptions"] = {"Propagation": options.get("propagation") or ""}
    for options in block.get("tmpfs_options") or []:
        size, mode = options.get("size_bytes") or 0, options.get("mode") or 0
        mount["TmpfsOptions"] = {"SizeBytes": size, "Mode": mode}
    for options in block.get("volume_options") or []:
        mount["VolumeOptions"] = {"NoCopy": bool(options.get("no_copy")), "Labels": labels(options)}
        if options.get("driver_name") or options.get("driver_options"):
            mount["VolumeOptions"]["DriverConfig"] = {
                "Name": options.get("driver_name") or "",
                "Options": options.get("driver_options") or {},
            }
    return mount
