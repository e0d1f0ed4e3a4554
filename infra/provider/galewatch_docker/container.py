"""`docker_container`: create, read, update, delete, import."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from docker.errors import APIError, NotFound
from tf.types import Unknown
from tf.utils import Diagnostics

from galewatch_docker import container_config, container_state, container_wait, durations, upload
from galewatch_docker.engine import MIB, Engine, engine_errors
from galewatch_docker.errors import PartlyCreatedError, StandInError
from galewatch_docker.image import local_image

__all__ = ["Made", "create", "delete", "import_", "read", "update"]

ENVIRONMENT_LABEL = "io.galewatch.environment"
"""The label by which a container that an interrupted run left behind is known as ours."""

State = dict[str, Any]
_CREATE_SECONDS = 20 * 60  # the official SDK's own limit
_REMOVAL_SECONDS = 30


@dataclass(frozen=True)
class Made:
    """The containers that this process has made, and a lock for each name.

    Without the lock, of two resources of one name the second could take the first's container for a left-over
    before its id is known.
    """

    identifiers: set[str] = field(default_factory=set)
    _locks: dict[str, threading.Lock] = field(default_factory=dict)

    def lock(self, name: str) -> threading.Lock:
        """Give the one lock of this name."""
        return self._locks.setdefault(name, threading.Lock())


def create(engine: Engine, planned: State, diagnostics: Diagnostics, made: Made) -> State:
    """Create the container, start it, and wait for what the plan says it waits for.

    Args:
        engine: where.
        planned: the plan.
        diagnostics: takes a warning when a left-over is replaced.
        made: what this process has made; such a container is never taken for a left-over.

    Raises:
        StandInError: nothing was made.
        PartlyCreatedError: the container exists; Terraform has to taint it.
    """
    name = planned["name"]
    files = upload.archive(planned.get("upload") or [])
    with engine_errors(f"Cannot create container {name}"):
        image = local_image(engine, planned["image"])
        _need_healthcheck(planned, image)
        with made.lock(name):
            container = _make(engine, planned, diagnostics, made)
            made.identifiers.add(container)
    try:
        with engine_errors(f"Cannot start container {name}"):
            _start(engine, planned, container, files)
            return _settle(engine, planned, container)
    except StandInError as error:
        raise PartlyCreatedError(error, container_state.partial(planned, container)) from error


def read(engine: Engine, state: State) -> State | None:
    """Look at the container; None when it is gone."""
    with engine_errors(f"Cannot read container {state['name']}"):
        try:
            found = engine.api.inspect_container(state["id"])
        except NotFound:
            return None
        return container_state.refreshed(state, found)


def update(engine: Engine, planned: State) -> State:
    """Change limits and restart policy in place."""
    limits: dict[str, Any] = {
        "cpu_period": planned.get("cpu_period"),
        "cpu_quota": planned.get("cpu_quota"),
        "cpu_shares": planned.get("cpu_shares"),
        "cpuset_cpus": planned.get("cpu_set"),
        "mem_limit": _mebibytes(planned.get("memory")),
        "mem_reservation": _mebibytes(planned.get("memory_reservation")),
        "memswap_limit": _mebibytes(planned.get("memory_swap")),
    }
    policy = container_config.restart_policy(planned)
    with engine_errors(f"Cannot update container {planned['name']}"):
        engine.api.update_container(
            planned["id"],
            restart_policy=policy,
            **{key: value for key, value in limits.items() if value is not None},
        )
    return planned


def delete(engine: Engine, state: State) -> None:
    """Stop the container within its grace and remove it; one that is gone already is fine."""
    with engine_errors(f"Cannot remove container {state['name']}"):
        grace = 0 if state.get("attach") else state.get("destroy_grace_seconds") or 0
        volumes = state.get("remove_volumes") is not False
        _remove(engine, state["name"], state["id"], grace, volumes=volumes)


def import_(engine: Engine, identifier: str) -> State:
    """Find a container by name or id; the read that follows fills in what can be read back."""
    with engine_errors(f"Cannot import container {identifier}"):
        found = engine.api.inspect_container(identifier)
    return {"id": found["Id"], "name": found["Name"].lstrip("/"), "image": found["Image"]}


def _mebibytes(value: int | None) -> int | None:
    return value * MIB if value is not None and value > 0 else value


def _need_healthcheck(planned: State, image: dict[str, Any]) -> None:
    if not planned.get("wait"):
        return
    given = planned.get("healthcheck") or []
    test = given[0]["test"] if given else ((image.get("Config") or {}).get("Healthcheck") or {}).get("Test")
    if not test or test == ["NONE"]:
        raise StandInError(
            f"Container {planned['name']} has no health check to wait for",
            "wait = true needs a healthcheck block, or an image with a HEALTHCHECK.",
            ("wait",),
        )


def _make(engine: Engine, planned: State, diagnostics: Diagnostics, made: Made) -> str:
    config = container_config.body(planned, engine.version)
    name = planned["name"]
    try:
        return str(engine.api.create_container_from_config(config, name)["Id"])
    except APIError as error:
        if error.status_code != 409:  # noqa: PLR2004  # HTTP's "conflict"
            raise
        _clear_the_name(engine, planned, diagnostics, made)
    return str(engine.api.create_container_from_config(config, name)["Id"])


def _clear_the_name(engine: Engine, planned: State, diagnostics: Diagnostics, made: Made) -> None:
    name = planned["name"]
    try:
        found = engine.api.inspect_container(name)
    except NotFound:  # it went away in between
        return
    environment = (found["Config"].get("Labels") or {}).get(ENVIRONMENT_LABEL)
    ours = environment is not None and environment == container_config.labels(planned).get(ENVIRONMENT_LABEL)
    if not ours or found["Id"] in made.identifiers:
        raise StandInError(
            f"The container name {name} is taken",
            f"Container {found['Id'][:12]} has it and is not in this state. Remove it "
            f"(docker rm -f {name}), import it, or choose another name.",
            ("name",),
        )
    _remove(engine, name, found["Id"], planned.get("destroy_grace_seconds") or 0, volumes=True)
    diagnostics.add_warning(
        f"Container {name} was left behind by an interrupted run and was replaced",
        f"It was not in the state, but its label {ENVIRONMENT_LABEL}={environment} is that of the plan.",
    )


def _start(engine: Engine, planned: State, container: str, files: bytes | None) -> None:
    for block in container_config.networks(planned)[1:]:
        with engine_errors(f"Cannot join container {planned['name']} to network {block['name']}"):
            engine.api.connect_container_to_network(
                container,
                block["name"],
                aliases=sorted(block.get("aliases") or []),
                ipv4_address=block.get("ipv4_address"),
                ipv6_address=block.get("ipv6_address"),
            )
    if files is not None:
        with engine_errors(f"Cannot upload files to container {planned['name']}"):
            engine.api.put_archive(container, "/", files)
    if planned.get("start") is not False:
        engine.api.start(container)


def _settle(engine: Engine, planned: State, container: str) -> State:
    name, printed = planned["name"], None
    if planned.get("start") is not False:
        if planned.get("attach"):
            container_wait.await_exit(engine, name, container, _creation_seconds(planned))
            if planned.get("logs"):
                printed = container_wait.log(engine, container)
        else:
            if planned.get("must_run") is not False:
                limit = planned.get("container_read_refresh_timeout_milliseconds") or 15000
                container_wait.await_running(engine, name, container, limit / 1000)
            if planned.get("wait"):
                limit = planned.get("wait_timeout") or 60
                container_wait.await_health(engine, name, container, limit)
    found = engine.api.inspect_container(container)
    if planned.get("attach") and planned.get("must_run") is not False:
        summary = f"Container {name} has ended (exit code {found['State']['ExitCode']}), but must_run is true"
        raise StandInError(summary, "", ("must_run",))
    return container_state.created(planned, found, printed)


def _creation_seconds(planned: State) -> float:
    given = (planned.get("timeouts") or {}).get("create")
    return durations.seconds(given) if given not in (None, Unknown) else _CREATE_SECONDS


def _remove(engine: Engine, name: str, container: str, grace: int, *, volumes: bool) -> None:
    def quietly(call: Callable[[], Any]) -> None:
        try:
            call()
        except NotFound:
            pass
        except APIError as error:
            if "is already in progress" not in str(error.explanation):
                raise

    if grace > 0:
        quietly(lambda: engine.api.stop(container, timeout=grace))
    quietly(lambda: engine.api.remove_container(container, v=volumes, force=True))
    for _ in range(_REMOVAL_SECONDS * 10):
        try:
            engine.api.inspect_container(container)
        except NotFound:
            return
        engine.pause(0.1)
    raise StandInError(f"Container {name} is still there {_REMOVAL_SECONDS} s after its removal")
