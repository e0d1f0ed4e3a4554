"""`docker_image`: build or pull, read, delete, import."""

import re
from typing import Any

from docker.errors import ImageNotFound
from tf.types import Unknown

from galewatch_docker import durations
from galewatch_docker.build import build_image
from galewatch_docker.engine import Engine, engine_errors
from galewatch_docker.errors import StandInError
from galewatch_docker.plan import without_unknowns

__all__ = ["create", "delete", "import_", "local_image", "read"]

State = dict[str, Any]
_CREATE_SECONDS = 20 * 60  # the official SDK's own limit
_IN_USE_SECONDS = 5
_CONTENT_TAG = re.compile(r".+:[0-9A-Za-z_.-]*[0-9a-f]{12,64}")


def create(engine: Engine, planned: State) -> State:
    """Build the image, or make sure that it is there.

    A tag that ends in 12 or more hexadecimal digits names its content: where it exists already, nothing is
    built (unless `triggers` or `no_cache` ask for it).

    Raises:
        StandInError: the build or the pull failed.
    """
    name = planned["name"]
    with engine_errors(f"Cannot create image {name}"):
        for block in planned.get("build") or []:
            if not _is_built(engine, planned, block):
                given = (planned.get("timeouts") or {}).get("create")
                seconds = durations.seconds(given) if given not in (None, Unknown) else _CREATE_SECONDS
                build_image(engine, name, block, seconds)
        return _described(planned, local_image(engine, name))


def read(engine: Engine, state: State) -> State | None:
    """Look at the image; None when its name is gone."""
    with engine_errors(f"Cannot read image {state['name']}"):
        try:
            return _described(state, engine.api.inspect_image(state["name"]))
        except ImageNotFound:
            return None


def delete(engine: Engine, state: State) -> None:
    """Remove the image, unless it is to be kept; one that is gone already is fine."""
    if state.get("keep_locally"):
        return
    name = state["name"]
    with engine_errors(f"Cannot remove image {name}"):
        # Containers that used it may be on their way out.
        refusal = engine.retry_while_in_use(
            lambda: engine.api.remove_image(name, force=bool(state.get("force_remove"))),
            _IN_USE_SECONDS,
        )
        if refusal is not None:
            users = engine.api.containers(all=True, filters={"ancestor": name})
            names = ", ".join(sorted(user["Names"][0].lstrip("/") for user in users))
            raise StandInError(f"Image {name} is in use by {names or 'a container'}", refusal)


def import_(engine: Engine, identifier: str) -> State:
    """Find an image by name."""
    with engine_errors(f"Cannot import image {identifier}"):
        found = engine.api.inspect_image(identifier)
    return {"name": identifier, "image_id": found["Id"]}


def local_image(engine: Engine, name: str) -> dict[str, Any]:
    """Describe an image of the engine's own; a name that it does not have is pulled.

    Raises:
        StandInError: it is neither there nor to be had.
    """
    try:
        found: dict[str, Any] = engine.api.inspect_image(name)
    except ImageNotFound:
        _pull(engine, name)
        found = engine.api.inspect_image(name)
    return found


def _pull(engine: Engine, name: str) -> None:
    if name.startswith("sha256:"):
        summary = f"The engine has no image {name}"
        raise StandInError(summary, "It was removed since it was planned: plan again.", ("image",))
    repository, _, digest = name.partition("@")
    head, colon, tag = repository.rpartition(":")
    if not colon or "/" in tag:
        head, tag = repository, "latest"
    with engine_errors(f"The engine has no image {name}, and cannot pull it"):
        for event in engine.api.pull(head, tag=digest or tag, stream=True, decode=True):
            engine.pause(0)
            if "error" in event:
                raise StandInError(f"The engine has no image {name}, and cannot pull it", event["error"])


def _is_built(engine: Engine, planned: State, block: State) -> bool:
    if not _CONTENT_TAG.fullmatch(planned["name"]) or planned.get("triggers") or block.get("no_cache"):
        return False
    try:
        engine.api.inspect_image(planned["name"])
    except ImageNotFound:
        return False
    return True


def _described(state: State, found: dict[str, Any]) -> State:
    digests = found.get("RepoDigests") or []
    described: State = without_unknowns(state)
    return described | {
        "id": found["Id"] + state["name"],
        "image_id": found["Id"],
        "repo_digest": digests[0] if digests else "",
    }
