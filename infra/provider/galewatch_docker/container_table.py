"""The table of `docker_container`: the official schema, and what the stand-in makes of each entry."""

from galewatch_docker.schema import Change, Nested, Table, both, computed, optional, required, unsupported

__all__ = ["CONTAINER"]

_LABELS = (required("label"), required("value"))
_RATE = (required("path"), required("rate", "number"))

_FIELDS = (
    optional("attach", "bool", change=Change.RECORD),
    computed("bridge"),
    optional("cgroup_parent"),
    optional("cgroupns_mode"),
    both("command", "list"),
    computed("container_logs"),
    optional("container_read_refresh_timeout_milliseconds", "number", default=15000, change=Change.RECORD),
    optional("cpu_period", "number", change=Change.LIMIT),
    optional("cpu_quota", "number", change=Change.LIMIT),
    optional("cpu_set", change=Change.LIMIT),
    optional("cpu_shares", "number", change=Change.LIMIT),
    optional("cpus"),
    optional("destroy_grace_seconds", "number", change=Change.RECORD),
    optional("dns", "set"),
    optional("dns_opts", "set"),
    optional("dns_search", "set"),
    optional("domainname"),
    both("entrypoint", "list"),
    both("env", "set"),
    computed("exit_code", "number"),
    unsupported("gpus"),
    optional("group_add", "set"),
    both("hostname"),
    # An artefact of the official SDK: settable by the schema, by nothing else.
    both("id", supported=False),
    required("image"),
    both("init", "bool"),
    both("ipc_mode"),
    both("log_driver"),
    optional("log_opts", "map"),
    optional("logs", "bool", change=Change.RECORD),
    optional("max_retry_count", "number", change=Change.UPDATE),
    optional("memory", "number", change=Change.LIMIT),
    optional("memory_reservation", "number", change=Change.LIMIT),
    optional("memory_swap", "number", change=Change.LIMIT),
    optional("must_run", "bool", default=True, change=Change.RECORD),
    required("name"),
    computed("network_data", "network_data"),
    optional("network_mode", default="bridge"),
    optional("pid_mode"),
    both("platform", supported=False),
    optional("privileged", "bool"),
    optional("publish_all_ports", "bool"),
    optional("read_only", "bool"),
    optional("remove_volumes", "bool", default=True, change=Change.RECORD),
    optional("restart", default="no", change=Change.UPDATE),
    optional("rm", "bool"),
    both("runtime"),
    both("security_opts", "set"),
    both("shm_size", "number"),
    optional("start", "bool", default=True),
    optional("stdin_open", "bool"),
    both("stop_signal"),
    both("stop_timeout", "number"),
    optional("storage_opts", "map"),
    optional("sysctls", "map"),
    optional("tmpfs", "map"),
    optional("tty", "bool"),
    optional("user"),
    optional("userns_mode"),
    optional("wait", "bool", change=Change.RECORD),
    optional("wait_timeout", "number", default=60, change=Change.RECORD),
    optional("working_dir"),
)

_MOUNTS = Nested(
    "mounts",
    "set",
    (optional("read_only", "bool"), optional("source"), required("target"), required("type")),
    (
        Nested("bind_options", "list", (optional("propagation"),), max_items=1),
        Nested(
            "tmpfs_options",
            "list",
            (optional("mode", "number"), optional("size_bytes", "number")),
            max_items=1,
        ),
        Nested(
            "volume_options",
            "list",
            (
                optional("driver_name"),
                optional("driver_options", "map"),
                optional("no_copy", "bool"),
                unsupported("subpath"),
            ),
            (Nested("labels", "set", _LABELS),),
            max_items=1,
        ),
    ),
)

_BLOCKS = (
    Nested("capabilities", "set", (optional("add", "set"), optional("drop", "set")), max_items=1),
    Nested("device_read_bps", "set", _RATE, supported=False),
    Nested("device_read_iops", "set", _RATE, supported=False),
    Nested(
        "device_requests",
        "set",
        (
            optional("capabilities", "set"),
            optional("count", "number"),
            optional("device_ids", "set"),
            optional("driver"),
            optional("options", "map"),
        ),
        supported=False,
    ),
    Nested("device_write_bps", "set", _RATE, supported=False),
    Nested("device_write_iops", "set", _RATE, supported=False),
    Nested("devices", "set", (optional("container_path"), required("host_path"), optional("permissions"))),
    Nested(
        "healthcheck",
        "list",
        (
            optional("interval"),
            optional("retries", "number"),
            optional("start_interval"),
            optional("start_period"),
            optional("test", "list"),
            optional("timeout"),
        ),
        max_items=1,
    ),
    Nested("host", "set", (required("host"), required("ip"))),
    Nested("labels", "set", _LABELS),
    _MOUNTS,
    Nested(
        "networks_advanced",
        "set",
        (
            optional("aliases", "set"),
            unsupported("driver_opts", "set"),
            unsupported("gw_priority", "number"),
            optional("ipv4_address"),
            optional("ipv6_address"),
            unsupported("link_local_ips", "set"),
            unsupported("mac_address"),
            required("name"),
        ),
    ),
    Nested(
        "ports",
        "list",
        (
            both("external", "number"),
            required("internal", "number"),
            optional("ip", default="0.0.0.0"),  # noqa: S104  # the official default; the project always sets ip
            optional("protocol", default="tcp"),
        ),
    ),
    Nested(
        "timeouts",
        "single",
        (optional("create"), unsupported("delete"), unsupported("update")),
        change=Change.RECORD,
    ),
    Nested("ulimit", "set", (required("hard", "number"), required("name"), required("soft", "number"))),
    Nested(
        "upload",
        "set",
        (
            optional("content"),
            optional("content_base64"),
            optional("executable", "bool"),
            required("file"),
            optional("permissions"),
            optional("source"),
            optional("source_hash"),
        ),
    ),
    Nested(
        "volumes",
        "set",
        (
            optional("container_path"),
            optional("from_container"),
            optional("host_path"),
            optional("read_only", "bool"),
            unsupported("selinux_relabel"),
            optional("volume_name"),
        ),
    ),
)

CONTAINER = Table("docker_container", 2, _FIELDS, _BLOCKS)
"""`docker_container`. Unlike the official provider, `healthcheck`, `init`, `rm`, `start` and `tmpfs` force
replacement: there a change of them reaches the state but not the container."""
