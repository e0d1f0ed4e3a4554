"""Everything that the official provider knows, one by one: it is implemented here, or refused by its name.

The list is the official provider's own, not that of the stand-in's tables.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from galewatch_docker.build import _options
from galewatch_docker.container_config import body
from galewatch_docker.network import _ipam, _wanted
from galewatch_docker.tables import PROVIDER, RESOURCES
from galewatch_docker.upload import archive
from galewatch_docker.validate import problems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from galewatch_docker.schema import Nested, Table
    from provider_testing.workspace import Workspace

pytest_plugins = ["provider_testing.fixtures"]

SHARED = Path(os.environ.get("GALEWATCH_SHARED", Path(__file__).resolve().parents[4] / "shared"))
VECTORS = SHARED / "vectors" / "docker_provider_schema.json"
OFFICIAL: dict[str, Any] = json.loads(VECTORS.read_text()) if VECTORS.is_file() else {}
TABLES = {**RESOURCES, "provider": PROVIDER}

Route = tuple[str, ...]
# Of any engine that knows everything.
API = (1, 44)
OF_TYPE: dict[str, Any] = {"string": "x", "number": 7, "bool": True}
# Where the sample of the type is the default, or no value of this attribute at all.
SAMPLES: dict[Route, Any] = {
    ("docker_container", "cpus"): "0.5",
    ("docker_container", "devices", "container_path"): "/inside",
    ("docker_container", "env"): ["A=1"],
    ("docker_container", "healthcheck", "interval"): "1s",
    ("docker_container", "healthcheck", "start_interval"): "1s",
    ("docker_container", "healthcheck", "start_period"): "1s",
    ("docker_container", "healthcheck", "test"): ["CMD", "true"],
    ("docker_container", "healthcheck", "timeout"): "1s",
    ("docker_container", "host", "host"): "elsewhere",
    ("docker_container", "max_retry_count"): 3,
    ("docker_container", "ports", "protocol"): "udp",
    ("docker_container", "restart"): "always",
    ("docker_container", "upload", "content_base64"): "eA==",
    ("docker_container", "upload", "file"): "/other",
    ("docker_container", "upload", "permissions"): "0400",
    ("docker_container", "upload", "source"): __file__,
    ("docker_image", "build", "extra_hosts"): ["elsewhere:10.0.0.1"],
    ("docker_image", "build", "remove"): False,
    ("docker_image", "build", "force_remove"): False,
}
# Told to the stand-in, not to the engine; each has a test of its own beside this file.
STEERING = {
    "attach",
    "container_read_refresh_timeout_milliseconds",
    "destroy_grace_seconds",
    "logs",
    "must_run",
    "name",
    "remove_volumes",
    "start",
    "timeouts",
    "wait",
    "wait_timeout",
}
# What else an attribute needs to have any effect.
BESIDE: dict[Route, dict[str, Any]] = {
    ("docker_container", "volumes", "read_only"): {"volume_name": "v", "container_path": "/v"},
    ("docker_container", "volumes", "volume_name"): {"container_path": "/v"},
    ("docker_container", "volumes", "host_path"): {"container_path": "/v"},
    ("docker_container", "upload", "executable"): {"content": "x"},
    ("docker_container", "upload", "permissions"): {"content": "x"},
    ("docker_container", "upload", "file"): {"content": "x"},
    **{
        ("docker_container", "healthcheck", name): {"test": ["CMD", "x"]}
        for name in ("interval", "retries", "start_interval", "start_period", "timeout")
    },
}


def settable(schema: dict[str, Any], route: Route = ()) -> Iterator[tuple[Route, dict[str, Any]]]:
    """Yield the route to each attribute that a configuration may set, through the blocks, and what it is."""
    for name, found in sorted(schema["attributes"].items()):
        if found.get("required") or found.get("optional"):
            yield (*route, name), found
    for name, block in sorted(schema["blocks"].items()):
        yield from settable(block, (*route, name))


ROUTES = {(resource, *route): found for resource in OFFICIAL for route, found in settable(OFFICIAL[resource])}


def is_supported(route: Route) -> bool:
    """Look it up in the stand-in's tables; a block that is refused refuses all that is in it."""
    level: Table | Nested = TABLES[route[0]]
    for name in route[1:-1]:
        level = next(block for block in level.blocks if block.name == name)
        if not level.supported:
            return False
    return next(field.supported for field in level.fields if field.name == route[-1])


def refused_at(route: Route) -> str:
    """Give the name by which a route is refused: that of the first block on it that is not supported."""
    level: Table | Nested = TABLES[route[0]]
    for depth, name in enumerate(route[1:-1], start=2):
        level = next(block for block in level.blocks if block.name == name)
        if not level.supported:
            return ".".join(route[1:depth])
    return ".".join(route[1:])


def sample(route: Route) -> Any:
    """Give a value that is not the default."""
    if route in SAMPLES:
        return SAMPLES[route]
    kind = ROUTES[route]["type"]
    if isinstance(kind, str):
        return OF_TYPE[kind]
    return {"x": "y"} if kind[0] == "map" else ["x"]


def configured(route: Route, value: Any, *, given: bool = True) -> dict[str, Any]:
    """Configure a resource with one attribute, and what is required beside it; or without that one."""
    schema = OFFICIAL[route[0]]
    top: dict[str, Any] = {}
    level, inside = schema, top
    for depth, name in enumerate(route[1:], start=2):
        inside |= {
            key: sample((*route[: depth - 1], key))
            for key, found in level["attributes"].items()
            if found.get("required")
        }
        if depth == len(route):
            inside |= BESIDE.get(route, {})
            break
        level = level["blocks"][name]
        deeper: dict[str, Any] = {}
        inside[name] = deeper if level["nesting"] == "single" else [deeper]
        inside = deeper
    inside.pop(route[-1], None)
    if given:
        inside[route[-1]] = value
    return top


def named(route: Route) -> str:
    """Give a test's name."""
    return ".".join(route)


needs_vectors = pytest.mark.skipif(
    not OFFICIAL, reason="the official provider's schema is not on this machine (GALEWATCH_SHARED)"
)


@needs_vectors
def test_the_official_provider_knows_hundreds_of_attributes() -> None:
    """The list is read whole: so many that are implemented, so many that are refused."""
    supported = [route for route in ROUTES if is_supported(route)]
    assert len(ROUTES) > 200
    assert 100 < len(supported) < len(ROUTES)


@needs_vectors
@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_each_is_implemented_or_refused_by_its_name(route: Route) -> None:
    table = TABLES[route[0]]
    said = [item.summary for item in problems(table, configured(route, sample(route)))]
    refusals = [text for text in said if "is not supported by the offline stand-in" in text]
    if is_supported(route):
        assert [] == refusals
    else:
        assert f"{table.name}.{refused_at(route)} is not supported by" in refusals[0]
        assert 1 == len(refusals)


@needs_vectors
@pytest.mark.parametrize("route", [route for route in ROUTES if not is_supported(route)], ids=named)
def test_what_is_refused_is_no_problem_while_it_is_not_set(route: Route) -> None:
    config = configured(route, None)
    if refused_at(route) == ".".join(route[1:]):
        assert not [item for item in problems(TABLES[route[0]], config) if "not supported" in item.summary]


@needs_vectors
@pytest.mark.parametrize(
    "route",
    [
        route
        for route in ROUTES
        if is_supported(route)
        and (route[0] in {"docker_container", "docker_network"} or route[:2] == ("docker_image", "build"))
        and route[1] not in STEERING
        and route
        not in {
            # The hash replaces the container when the file changes; the file itself is what is uploaded.
            ("docker_container", "upload", "source_hash"),
            # It is always the classic builder.
            ("docker_image", "build", "use_legacy_builder"),
            # Set beside the build, on the finished image.
            ("docker_image", "build", "tag"),
            ("docker_network", "name"),
        }
    ],
    ids=named,
)
def test_what_is_implemented_reaches_the_engine(route: Route) -> None:
    """What is sent to the engine with it is not what is sent without it: nothing is ignored."""
    value = sample(route)
    assert sent(route, configured(route, value)) != sent(route, configured(route, value, given=False))


def sent(route: Route, config: dict[str, Any]) -> Any:
    """Give what the engine is told; a required attribute that is left out is told as nothing."""
    required = {"docker_container": {"image": ""}, "docker_network": {"name": "n"}}
    planned = {**required.get(route[0], {}), **config}
    try:
        if route[0] == "docker_network":
            return _wanted(planned), _ipam(planned), planned.get("options")
        if route[0] == "docker_image":
            block = planned["build"][0]
            dockerfile = block.get("dockerfile", "")
            return _options("n", Path(block.get("context", "")), dockerfile, block)
        if route[1] == "upload":
            return archive(planned["upload"])
        return body(planned, API)
    except KeyError as error:
        return f"nothing: {error} is required"


@needs_vectors
def test_terraform_tells_every_refusal_at_once(workspace: Workspace) -> None:
    """All that is refused, in one configuration, through the real Terraform."""
    expected, resources = set(), []
    for resource in RESOURCES:
        settings: dict[str, Any] = {}
        for route in ROUTES:
            # An id is the official SDK's artefact, and no test of a configuration.
            if route[0] == resource and not is_supported(route) and route[-1] != "id":
                merge(settings, configured(route, sample(route)))
                expected.add(f"{resource}.{refused_at(route)}")
        resources.append({"it": settings})
    workspace.write("")
    (workspace.folder / "all.tf.json").write_text(
        json.dumps({"resource": dict(zip(RESOURCES, resources, strict=True))})
    )
    told = json.loads(workspace.run("validate", "-json").printed)["diagnostics"]
    refusals = {
        item["summary"].partition(" is not supported by the offline stand-in")[0]
        for item in told
        if "is not supported by the offline stand-in" in item["summary"]
    }
    assert expected == refusals


def merge(settings: dict[str, Any], more: dict[str, Any]) -> None:
    """Add attributes and blocks; of a block there is one."""
    for name, value in more.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            merge(settings.setdefault(name, [{}])[0], value[0])
        elif isinstance(value, dict) and isinstance(settings.get(name), dict):
            settings[name] |= value
        else:
            settings[name] = value
