"""`docker_volume`: create, read, delete, import."""

from typing import Any

from docker.errors import NotFound
from tf.types import Unknown

from galewatch_docker.engine import Engine, engine_errors
from galewatch_docker.errors import StandInError
from galewatch_docker.plan import without_unknowns

__all__ = ["create", "delete", "import_", "read"]

State = dict[str, Any]
_IN_USE_SECONDS = 10


def create(engine: Engine, planned: State) -> State:
    """Create the volume, or take over one of the same name, driver, options and labels with all its data.

    Raises:
        StandInError: a volume of the name exists and differs, which the engine would pass over in silence.
    """
    name = None if planned.get("name") in (None, Unknown) else planned["name"]
    driver = None if planned.get("driver") in (None, Unknown) else planned["driver"]
    labels = {item["label"]: item["value"] for item in planned.get("labels") or []}
    options = planned.get("driver_opts") or {}
    with engine_errors(f"Cannot create volume {name or '(no name given)'}"):
        made = engine.api.create_volume(name, driver, options or None, labels or None)
        differing = [
            what
            for what, wanted, found in (
                ("driver", driver or made["Driver"], made["Driver"]),
                ("driver_opts", options, made.get("Options") or {}),
                ("labels", labels, made.get("Labels") or {}),
            )
            if wanted != found
        ]
        if differing:
            raise StandInError(
                f"Volume {name} exists already, with another {' and '.join(differing)}",
                "It is not in this state and may hold data. Import it, remove it, or choose another name.",
                (differing[0],),
            )
        return _described(planned, made)


def read(engine: Engine, state: State) -> State | None:
    """Look at the volume; None when it is gone."""
    with engine_errors(f"Cannot read volume {state['id']}"):
        try:
            return _described(state, engine.api.inspect_volume(state["id"]))
        except NotFound:
            return None


def delete(engine: Engine, state: State) -> None:
    """Remove the volume and its data; one that is gone already is fine.

    Raises:
        StandInError: containers use it; the detail names them.
    """
    name = state["id"]
    with engine_errors(f"Cannot remove volume {name}"):
        refusal = engine.retry_while_in_use(lambda: engine.api.remove_volume(name), _IN_USE_SECONDS)
        if refusal is not None:
            users = engine.api.containers(all=True, filters={"volume": name})
            names = ", ".join(sorted(user["Names"][0].lstrip("/") for user in users))
            raise StandInError(f"Volume {name} is in use by {names or 'a container'}", refusal)


def import_(engine: Engine, identifier: str) -> State:
    """Find a volume by name."""
    with engine_errors(f"Cannot import volume {identifier}"):
        found = engine.api.inspect_volume(identifier)
    labels = [{"label": key, "value": value} for key, value in sorted((found.get("Labels") or {}).items())]
    options = found.get("Options") or None
    return {"id": found["Name"], "name": found["Name"], "labels": labels, "driver_opts": options}


def _described(state: State, found: dict[str, Any]) -> State:
    described: State = without_unknowns(state)
    return described | {
        "id": found["Name"],
        "name": found["Name"],
        "driver": found["Driver"],
        "mountpoint": found["Mountpoint"],
    }
