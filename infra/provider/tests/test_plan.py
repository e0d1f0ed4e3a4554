"""What a change means, without Terraform and without an engine."""

from typing import Any

import msgpack  # type: ignore[import-untyped]
import pytest
from galewatch_docker.plan import has_stopped, plan_change, plan_creation, without_unknowns
from galewatch_docker.tables import RESOURCES
from tf.types import Unknown

CONTAINER = RESOURCES["docker_container"]
REFINED = msgpack.ExtType(12, b"\x81\x01\xc2")


def container(**given: Any) -> dict[str, Any]:
    """Give a container's values; what is not given is unset, and known."""
    empty: dict[str, Any] = {field.name: None for field in CONTAINER.fields}
    empty |= {block.name: None if block.nesting == "single" else [] for block in CONTAINER.blocks}
    return empty | {"name": "a", "image": "sha256:1"} | given


def port(**given: Any) -> dict[str, Any]:
    return {"internal": 80, "external": None, "ip": None, "protocol": None} | given


def label(name: str, value: Any) -> dict[str, Any]:
    return {"label": name, "value": value}


def test_what_the_provider_fills_is_unknown_while_creating() -> None:
    planned = plan_creation(CONTAINER, container(ports=[port()]))
    for name in ("id", "exit_code", "container_logs", "network_data", "hostname", "env"):
        assert planned[name] is Unknown, name
    assert planned["ports"][0]["external"] is Unknown


def test_what_is_given_or_not_computed_is_planned_as_it_is() -> None:
    planned = plan_creation(CONTAINER, container(hostname="h", ports=[port(external=8080)]))
    assert planned["hostname"] == "h"
    assert planned["ports"] == [port(external=8080)]
    assert planned["memory"] is None
    assert planned["must_run"] is None


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("image", "sha256:1", "sha256:2"),
        ("env", ["A=1"], ["A=2"]),
        ("command", ["a", "b"], ["b", "a"]),
        ("labels", [label("a", "1")], [label("a", "2")]),
        ("healthcheck", [{"test": ["CMD", "a"]}], [{"test": ["CMD", "b"]}]),
        ("ports", [port(external=1)], [port(external=2)]),
        ("upload", [{"file": "/a", "source_hash": "1"}], [{"file": "/a", "source_hash": "2"}]),
        ("volumes", [], [{"volume_name": "v", "container_path": "/v"}]),
        ("tmpfs", {"/a": "size=1m"}, {"/a": "size=2m"}),
        ("init", True, False),
    ],
)
def test_a_change_of_what_the_engine_fixes_at_creation_replaces(name: str, before: Any, after: Any) -> None:
    change = plan_change(CONTAINER, container(**{name: before}), container(**{name: after}))
    assert ((name,), ()) == (change.replacing, change.updating)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [("memory", 64, 128), ("restart", "no", "always"), ("cpu_shares", None, 512)],
)
def test_a_change_of_a_limit_updates_in_place(name: str, before: Any, after: Any) -> None:
    change = plan_change(CONTAINER, container(**{name: before}), container(**{name: after}))
    assert ((), (name,)) == (change.replacing, change.updating)


@pytest.mark.parametrize(("name", "before"), [("memory", 64), ("cpu_set", "0"), ("cpu_shares", 512)])
def test_a_limit_that_is_taken_away_replaces_because_the_engine_would_keep_it(name: str, before: Any) -> None:
    assert (name,) == plan_change(CONTAINER, container(**{name: before}), container()).replacing


def test_a_restart_policy_that_is_taken_away_updates_in_place() -> None:
    change = plan_change(CONTAINER, container(restart="always"), container())
    assert ((), ("restart",)) == (change.replacing, change.updating)


@pytest.mark.parametrize("name", ["wait_timeout", "destroy_grace_seconds"])
def test_a_change_of_what_steers_the_provider_touches_the_state_only(name: str) -> None:
    change = plan_change(CONTAINER, container(**{name: 10}), container(**{name: 20}))
    assert ((), (), 20) == (change.replacing, change.updating, change.state[name])


@pytest.mark.parametrize(
    ("name", "default"),
    [("must_run", True), ("restart", "no"), ("read_only", False), ("memory", 0), ("dns", []), ("tmpfs", {})],
)
def test_an_unset_attribute_equals_its_default(name: str, default: Any) -> None:
    change = plan_change(CONTAINER, container(**{name: None}), container(**{name: default}))
    assert ((), ()) == (change.replacing, change.updating)


@pytest.mark.parametrize(
    ("exit_code", "given", "stopped"),
    [
        (None, {}, False),
        (0, {}, True),
        (137, {}, True),
        (0, {"must_run": False}, False),
        (0, {"start": False}, False),
    ],
)
def test_a_container_has_stopped_if_it_ended_and_should_run(
    exit_code: int | None, given: dict[str, Any], *, stopped: bool
) -> None:
    assert stopped == has_stopped(container(exit_code=exit_code), container(**given))


def test_the_order_of_a_set_means_nothing() -> None:
    before = container(dns=["a", "b"], labels=[label("a", "1"), label("b", "2")])
    after = container(dns=["b", "a"], labels=[label("b", "2"), label("a", "1")])
    assert plan_change(CONTAINER, before, after).replacing == ()


def test_the_order_of_a_list_means_something() -> None:
    before = container(ports=[port(internal=1), port(internal=2)])
    after = container(ports=[port(internal=2), port(internal=1)])
    assert plan_change(CONTAINER, before, after).replacing == ("ports",)


@pytest.mark.parametrize("unknown", [Unknown, REFINED], ids=["plain", "refined"])
@pytest.mark.parametrize("name", ["image", "env", "labels"])
def test_a_value_that_is_not_known_yet_replaces(name: str, unknown: Any) -> None:
    before = {"image": "sha256:1", "env": ["A=1", "B=2"], "labels": [label("a", "1")]}
    after = {"image": unknown, "env": ["A=1", unknown], "labels": [label("a", unknown)]}
    change = plan_change(CONTAINER, container(**{name: before[name]}), container(**{name: after[name]}))
    assert change.replacing == (name,)


@pytest.mark.parametrize("unknown", [Unknown, REFINED], ids=["plain", "refined"])
def test_blocks_that_are_not_known_yet_replace(unknown: Any) -> None:
    assert plan_change(CONTAINER, container(), container(labels=unknown)).replacing == ("labels",)


def test_blocks_that_are_not_known_yet_are_planned_as_they_are() -> None:
    assert plan_creation(CONTAINER, container(ports=Unknown, labels=REFINED))["ports"] is Unknown


def test_a_partly_created_thing_has_nulls_for_what_is_not_known() -> None:
    assert {"a": None, "b": [{"c": None}]} == without_unknowns({"a": Unknown, "b": [{"c": Unknown}]})
