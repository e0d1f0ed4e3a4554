"""The tables of the provider block, of `docker_image`, `docker_network` and `docker_volume`."""

from galewatch_docker.container_table import CONTAINER
from galewatch_docker.schema import (
    Change,
    Field,
    Nested,
    Table,
    both,
    computed,
    optional,
    required,
    unsupported,
)

__all__ = ["IMAGE", "NETWORK", "PROVIDER", "RESOURCES", "VOLUME"]

_LABELS = Nested("labels", "set", (required("label"), required("value")))

_BUILD = Nested(
    "build",
    "set",
    (
        unsupported("additional_contexts", "list"),
        optional("build_args", "map"),
        unsupported("build_id"),
        unsupported("build_log_file"),
        unsupported("builder"),
        optional("cache_from", "list"),
        unsupported("cache_to", "list"),
        unsupported("cgroup_parent"),
        required("context"),
        unsupported("cpu_period", "number"),
        unsupported("cpu_quota", "number"),
        unsupported("cpu_set_cpus"),
        unsupported("cpu_set_mems"),
        unsupported("cpu_shares", "number"),
        optional("dockerfile", default="Dockerfile"),
        optional("extra_hosts", "list"),
        optional("force_remove", "bool"),
        unsupported("isolation"),
        optional("label", "map"),
        optional("labels", "map"),
        unsupported("memory", "number"),
        unsupported("memory_swap", "number"),
        optional("network_mode"),
        optional("no_cache", "bool"),
        unsupported("platform"),
        unsupported("provenance"),
        optional("pull_parent", "bool"),
        unsupported("remote_context"),
        optional("remove", "bool", default=True),
        unsupported("sbom"),
        unsupported("security_opt", "list"),
        unsupported("session_id"),
        optional("shm_size", "number"),
        unsupported("squash", "bool"),
        unsupported("suppress_output", "bool"),
        optional("tag", "list"),
        optional("target"),
        # Always true here: the classic builder is the only one that the engine's API offers without BuildKit.
        optional("use_legacy_builder", "bool"),
        unsupported("version"),
    ),
    (
        Nested(
            "auth_config",
            "list",
            (
                optional("auth"),
                optional("email"),
                required("host_name"),
                optional("identity_token"),
                optional("password"),
                optional("registry_token"),
                optional("server_address"),
                optional("user_name"),
            ),
            supported=False,
        ),
        Nested("secrets", "list", (optional("env"), required("id"), optional("src")), supported=False),
        Nested(
            "ulimit",
            "list",
            (required("hard", "number"), required("name"), required("soft", "number")),
            supported=False,
        ),
    ),
    max_items=1,
)

IMAGE = Table(
    "docker_image",
    0,
    (
        optional("force_remove", "bool", change=Change.RECORD),
        computed("id"),
        computed("image_id"),
        optional("keep_locally", "bool", change=Change.RECORD),
        required("name"),
        unsupported("platform"),
        unsupported("pull_triggers", "set"),
        computed("repo_digest"),
        optional("triggers", "map"),
    ),
    (
        _BUILD,
        Nested(
            "timeouts",
            "single",
            (optional("create"), unsupported("delete"), unsupported("update")),
            change=Change.RECORD,
        ),
    ),
)
"""`docker_image`."""

NETWORK = Table(
    "docker_network",
    1,
    (
        optional("attachable", "bool"),
        both("driver"),
        both("id", supported=False),
        unsupported("ingress", "bool"),
        both("internal", "bool"),
        optional("ipam_driver", default="default"),
        optional("ipam_options", "map"),
        optional("ipv6", "bool"),
        required("name"),
        both("options", "map"),
        computed("scope"),
    ),
    (
        Nested(
            "ipam_config",
            "set",
            (optional("aux_address", "map"), optional("gateway"), optional("ip_range"), optional("subnet")),
        ),
        _LABELS,
    ),
)
"""`docker_network`."""

VOLUME = Table(
    "docker_volume",
    1,
    (
        both("driver"),
        optional("driver_opts", "map"),
        both("id", supported=False),
        computed("mountpoint"),
        both("name"),
    ),
    (
        Nested(
            "cluster",
            "list",
            (
                optional("availability"),
                optional("group"),
                computed("id"),
                optional("limit_bytes"),
                optional("required_bytes"),
                optional("scope"),
                optional("sharing"),
                optional("topology_preferred"),
                optional("topology_required"),
                optional("type"),
            ),
            max_items=1,
            supported=False,
        ),
        _LABELS,
    ),
)
"""`docker_volume`."""

_SECRET = Field("password", "string", optional=True, sensitive=True)

PROVIDER = Table(
    "provider docker",
    0,
    (
        unsupported("ca_material"),
        unsupported("cert_material"),
        unsupported("cert_path"),
        unsupported("context"),
        optional("disable_docker_daemon_check", "bool"),
        optional("host"),
        unsupported("key_material"),
        unsupported("ssh_opts", "list"),
    ),
    (
        Nested(
            "registry_auth",
            "set",
            (
                required("address"),
                optional("auth_disabled", "bool"),
                optional("config_file"),
                optional("config_file_content"),
                _SECRET,
                optional("username"),
            ),
            supported=False,
        ),
    ),
)
"""The provider block."""

RESOURCES = {table.name: table for table in (CONTAINER, IMAGE, NETWORK, VOLUME)}
"""Every resource type by name."""
