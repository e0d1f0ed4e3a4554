"""What a configuration may not say: attributes that are not implemented, and values that cannot work.

Runs at validate and at plan time, so values may be unknown; what is unknown is looked at again when the apply
plans each resource for itself.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from tf.types import Unknown

from galewatch_docker import durations
from galewatch_docker.errors import StandInError
from galewatch_docker.schema import Field, Nested, Table

__all__ = ["problems"]

Problem = StandInError
_LOWEST: dict[str, int] = {"memory_swap": -1}
_PORTS = range(1, 65536)


def problems(table: Table, config: dict[str, Any]) -> Iterator[Problem]:
    """Yield every reason why this configuration of a resource (or of the provider) is refused."""
    yield from _unsupported(table.name, table.fields, table.blocks, config, ())
    for name, check in _VALUES.get(table.name, {}).items():
        value = config.get(name)
        if value is None or value is Unknown:
            continue
        if name in table.field:
            yield from _report(table.name, check(value), (name,))
            continue
        for block in value if isinstance(value, list) else [value]:
            if block is not Unknown:
                yield from _report(table.name, check(block), (name,))
    yield from _report(table.name, _combination(table.name, config), ())


def _unsupported(
    owner: str,
    fields: tuple[Field, ...],
    blocks: tuple[Nested, ...],
    config: dict[str, Any],
    path: tuple[str, ...],
) -> Iterator[Problem]:
    for field in fields:
        if not field.supported and _known(config, field.name) is not None:
            yield _refusal(owner, (*path, field.name))
    for block in blocks:
        value = config.get(block.name)
        if value is None or value is Unknown or value == []:
            continue
        if not block.supported:
            yield _refusal(owner, (*path, block.name))
            continue
        for inner in value if isinstance(value, list) else [value]:
            if inner is not Unknown:
                yield from _unsupported(owner, block.fields, block.blocks, inner, (*path, block.name))


def _refusal(owner: str, path: tuple[str, ...]) -> Problem:
    return StandInError(
        f"{owner}.{'.'.join(path)} is not supported by the offline stand-in for kreuzwerker/docker",
        "The official provider knows this attribute; the stand-in does not implement it, and ignores nothing "
        "in silence. Leave it out, or use the official provider from the Terraform registry.",
        path[:1],
    )


def _report(owner: str, complaints: Iterator[str], path: tuple[str, ...]) -> Iterator[Problem]:
    for complaint in complaints:
        yield StandInError(f"Invalid {'.'.join((owner, *path))}", complaint, path)


def _known(block: dict[str, Any], name: str) -> Any:
    value = block.get(name)
    return None if value is Unknown else value


def _one_of(*choices: str) -> Callable[[Any], Iterator[str]]:
    def check(value: Any) -> Iterator[str]:
        if value not in choices:
            yield f"{value!r} is none of {', '.join(choices)}."

    return check


def _pattern(pattern: str, meaning: str) -> Callable[[Any], Iterator[str]]:
    def check(value: Any) -> Iterator[str]:
        if not re.fullmatch(pattern, value):
            yield f"{value!r} is not {meaning}."

    return check


def _at_least(lowest: int) -> Callable[[Any], Iterator[str]]:
    def check(value: Any) -> Iterator[str]:
        if value < lowest:
            yield f"{value} is less than {lowest}."

    return check


def _cpus(value: str) -> Iterator[str]:
    try:
        if float(value) >= 0:
            return
    except ValueError:
        pass
    yield f"{value!r} is not a number of CPUs such as 0.5."


def _env(values: list[Any]) -> Iterator[str]:
    # The entries themselves may be secrets: none is shown.
    if any(value is not Unknown and "=" not in value for value in values):
        yield "An entry has no '=': each has to be KEY=VALUE."


def _command(values: list[Any]) -> Iterator[str]:
    if "" in values:
        yield "An entry is empty."


def _healthcheck(block: dict[str, Any]) -> Iterator[str]:
    if block.get("test") in (None, []):
        yield "test is missing."
    for name in ("interval", "timeout", "start_period", "start_interval"):
        yield from _duration(name, _known(block, name))
    retries = _known(block, "retries")
    if retries is not None and retries < 0:
        yield f"retries is {retries}, less than 0."


def _duration(name: str, value: str | None) -> Iterator[str]:
    try:
        if value is not None:
            durations.nanoseconds(value)
    except ValueError as error:
        yield f"{name}: {error}."


def _timeouts(block: dict[str, Any]) -> Iterator[str]:
    return _duration("create", _known(block, "create"))


def _ports(block: dict[str, Any]) -> Iterator[str]:
    for name in ("internal", "external"):
        port = _known(block, name)
        if port is not None and port not in _PORTS:
            yield f"{name} is {port}, which is no port from 1 to 65535."
    protocol = _known(block, "protocol")
    if protocol not in {None, "tcp", "udp", "sctp"}:
        yield f"protocol is {protocol!r}, none of tcp, udp, sctp."


def _upload(block: dict[str, Any]) -> Iterator[str]:
    file, permissions = _known(block, "file"), _known(block, "permissions")
    if file is not None and not file.startswith("/"):
        yield f"file is {file!r}; it has to be an absolute path in the container."
    if permissions is not None and not re.fullmatch("0[0-7]{3}", permissions):
        yield f"permissions of {file} is {permissions!r}; it has to be four octal digits such as 0644."
    given = [name for name in ("content", "content_base64", "source") if block.get(name) not in (None, "")]
    if len(given) != 1:
        found = " and ".join(given) if given else "none of them is set"
        yield f"{file} needs exactly one of content, content_base64 and source: {found}."


def _volumes(block: dict[str, Any]) -> Iterator[str]:
    if block.get("from_container") is not None:
        return
    if block.get("container_path") is None:
        yield "container_path is missing."
    if block.get("volume_name") is not None and block.get("host_path") is not None:
        yield "volume_name and host_path exclude each other."
    host_path = _known(block, "host_path")
    if host_path is not None and not host_path.startswith("/"):
        yield f"host_path is {host_path!r}; it has to be an absolute path."


def _mounts(block: dict[str, Any]) -> Iterator[str]:
    kind = _known(block, "type")
    if kind not in {None, "bind", "volume", "tmpfs"}:
        yield f"type is {kind!r}, none of bind, volume, tmpfs."
    for name in ("bind_options", "volume_options", "tmpfs_options"):
        if block.get(name) and kind is not None and not name.startswith(kind):
            yield f"{name} does not go with type {kind!r}."


def _combination(owner: str, config: dict[str, Any]) -> Iterator[str]:
    if owner != "docker_container":
        return
    if config.get("rm") is True and config.get("attach") is True:
        yield "attach and rm exclude each other: the container would be gone before its exit code is read."
    if config.get("attach") is True and config.get("must_run") is None:
        yield "attach waits for the end of the container: set must_run = false beside it."
    if config.get("attach") is True and config.get("wait") is True:
        yield "attach waits for the end of the container, wait for its health: set one of them."
    mode = _known(config, "network_mode")
    if config.get("networks_advanced") and mode not in {None, "", "bridge", "default"}:
        yield f"network_mode {mode!r} and networks_advanced exclude each other."


_VALUES: dict[str, dict[str, Callable[[Any], Iterator[str]]]] = {
    "docker_container": {
        "name": _pattern("[a-zA-Z0-9][a-zA-Z0-9_.-]+", "a container's name"),
        "restart": _one_of("no", "on-failure", "always", "unless-stopped"),
        "cpu_set": _pattern(r"\d+([,-]\d+)*", "a list of CPUs such as 0-1"),
        "cpus": _cpus,
        "env": _env,
        "command": _command,
        "healthcheck": _healthcheck,
        "ports": _ports,
        "upload": _upload,
        "volumes": _volumes,
        "mounts": _mounts,
        "timeouts": _timeouts,
        **{
            name: _at_least(_LOWEST.get(name, 0))
            for name in (
                "cpu_period",
                "cpu_quota",
                "cpu_shares",
                "destroy_grace_seconds",
                "max_retry_count",
                "memory",
                "memory_reservation",
                "memory_swap",
                "shm_size",
                "stop_timeout",
                "wait_timeout",
            )
        },
    },
    "docker_image": {"name": _pattern(r"\S+", "an image's name"), "timeouts": _timeouts},
    "docker_network": {"name": _pattern(r"\S+", "a network's name")},
    "docker_volume": {"name": _pattern("[a-zA-Z0-9][a-zA-Z0-9_.-]*", "a volume's name")},
    "provider docker": {
        "host": _pattern(r"(unix|tcp|http|https)://.+", "a unix://, tcp:// or http(s):// address"),
    },
}
