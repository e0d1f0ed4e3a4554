"""`docker_network`: create, read, delete, import."""

from typing import Any

from docker.errors import NotFound
from tf.types import Unknown

from galewatch_docker.engine import Engine, engine_errors
from galewatch_docker.errors import StandInError
from galewatch_docker.plan import without_unknowns

__all__ = ["create", "delete", "import_", "read"]

State = dict[str, Any]
# Containers that are being removed beside it let go of the network within a moment.
_IN_USE_SECONDS = 10


def create(engine: Engine, planned: State) -> State:
    """Create the network.

    A network of this name that has the very settings of the plan, labels included, is one that an interrupted
    run left behind: it is taken over. The engine itself would allow two networks of one name.

    Raises:
        StandInError: the name is taken, or the engine refuses.
    """
    name = planned["name"]
    with engine_errors(f"Cannot create network {name}"):
        wanted = _wanted(planned)
        for found in engine.api.networks(names=[name]):
            if found["Name"] != name:
                continue
            if not wanted["Labels"] or any(found.get(key) != value for key, value in wanted.items()):
                raise StandInError(
                    f"The network name {name} is taken",
                    f"Network {found['Id'][:12]} has it, with other settings or labels, and is not in this "
                    f"state. Remove it (docker network rm {name}) or import it.",
                    ("name",),
                )
            return _described(planned, engine.api.inspect_network(found["Id"]))
        options = planned.get("options")
        made = engine.api.create_network(
            name,
            driver=wanted["Driver"],
            options=None if options in (None, Unknown) else options,
            ipam=_ipam(planned),
            check_duplicate=True,
            internal=wanted["Internal"],
            labels=wanted["Labels"],
            enable_ipv6=wanted["EnableIPv6"],
            attachable=wanted["Attachable"],
        )
        return _described(planned, engine.api.inspect_network(made["Id"]))


def read(engine: Engine, state: State) -> State | None:
    """Look at the network; None when it is gone."""
    with engine_errors(f"Cannot read network {state['name']}"):
        try:
            found = engine.api.inspect_network(state["id"])
        except NotFound:
            return None
        return _described(state, found)


def delete(engine: Engine, state: State) -> None:
    """Remove the network; one that is gone already is fine.

    Raises:
        StandInError: containers are joined to it; the detail names them.
    """
    name, identifier = state["name"], state["id"]
    with engine_errors(f"Cannot remove network {name}"):
        refusal = engine.retry_while_in_use(lambda: engine.api.remove_network(identifier), _IN_USE_SECONDS)
        if refusal is not None:
            joined = engine.api.inspect_network(identifier).get("Containers") or {}
            names = ", ".join(sorted(item["Name"] for item in joined.values()))
            raise StandInError(f"Network {name} is in use by {names or 'an unknown endpoint'}", refusal)


def import_(engine: Engine, identifier: str) -> State:
    """Find a network by name or id."""
    with engine_errors(f"Cannot import network {identifier}"):
        found = engine.api.inspect_network(identifier)
    labels = [{"label": key, "value": value} for key, value in sorted((found.get("Labels") or {}).items())]
    return {"id": found["Id"], "name": found["Name"], "labels": labels, **_settings(found)}


def _wanted(planned: State) -> dict[str, Any]:
    """Give what is asked for under the engine's own names."""

    def given(name: str, default: Any) -> Any:
        return default if planned.get(name) in (None, Unknown) else planned[name]

    return {
        "Driver": given("driver", "bridge"),
        "Internal": given("internal", default=False),
        "Attachable": given("attachable", default=False),
        "EnableIPv6": given("ipv6", default=False),
        "Labels": {item["label"]: item["value"] for item in planned.get("labels") or []},
    }


def _ipam(planned: State) -> dict[str, Any] | None:
    pools = [
        {
            key: block[name]
            for name, key in (("subnet", "Subnet"), ("ip_range", "IPRange"), ("gateway", "Gateway"))
            if block.get(name)
        }
        | ({"AuxiliaryAddresses": block["aux_address"]} if block.get("aux_address") else {})
        for block in planned.get("ipam_config") or []
    ]
    driver, options = planned.get("ipam_driver"), planned.get("ipam_options")
    if not pools and not driver and not options:
        return None
    return {"Driver": driver or "default", "Options": options or None, "Config": pools}


def _settings(found: dict[str, Any]) -> State:
    return {
        "driver": found["Driver"],
        "internal": bool(found.get("Internal")),
        "options": found.get("Options") or {},
        "scope": found["Scope"],
    }


def _described(state: State, found: dict[str, Any]) -> State:
    described: State = {
        key: value
        for key, value in _settings(found).items()
        if key == "scope" or state.get(key) in (None, Unknown)
    }
    clean: State = without_unknowns(state)
    return clean | described | {"id": found["Id"]}
