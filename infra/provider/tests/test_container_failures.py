"""How a docker_container fails: one apply in which each container fails in its own way."""

import json
import socket
from collections.abc import Iterator

import docker
import pytest
from provider_testing.workspace import Result, Workspace, block, label

pytest_plugins = ["provider_testing.fixtures"]
pytestmark = pytest.mark.engine

WAIT = """
  wait         = true
  wait_timeout = {seconds}
  healthcheck {{
    test     = ["CMD-SHELL", "echo nobody home; exit 3"]
    interval = "200ms"
    retries  = 2
  }}
"""
JOB = '  attach = true\n  must_run = false\n  logs = true\n  restart = "no"\n'
JUDGED = """
  lifecycle {
    postcondition {
      condition     = self.exit_code == 0
      error_message = "the job failed: ${self.container_logs}"
    }
  }
"""


def container(key: str, prefix: str, image: str, more: str, command: str = "exec sleep 1000") -> str:
    return f"""
resource "docker_container" "{key}" {{
  name    = "{prefix}-{key}"
  image   = "{image}"
  init    = true
  command = ["sh", "-c", {json.dumps(command)}]
{more}
}}
"""


@pytest.fixture(scope="module")
def taken_port() -> Iterator[int]:
    """A port that somebody else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]


@pytest.fixture(scope="module")
def failed(
    module_workspace: Workspace,
    engine: docker.DockerClient,
    module_prefix: str,
    tiny_image: str,
    taken_port: int,
) -> Result:
    """The one apply."""

    def one(key: str, more: str = "", command: str = "exec sleep 1000") -> str:
        return container(key, module_prefix, tiny_image, more, command)

    engine.containers.run(tiny_image, name=f"{module_prefix}-stranger", detach=True, init=True)
    twin = one("twin", label(module_prefix))
    return module_workspace.apply_failing(
        one("unhealthy", WAIT.format(seconds=1), "echo still starting; exec sleep 99")
        + one("exiting", WAIT.format(seconds=100), "echo no configuration; exit 7")
        + one("looping", WAIT.format(seconds=100) + '  restart = "always"\n', "echo no database; exit 8")
        + one("unchecked", "  wait = true\n")
        + one("brief", "", "echo gone already; exit 5")
        + one("unsourced", block("upload", file="/a", source="secrets/none"))
        + one("port", block("ports", internal=80, external=taken_port, ip="127.0.0.1"))
        + one("stranger", label("dev"))
        + twin
        + twin.replace('"docker_container" "twin"', '"docker_container" "other_twin"')
        + one("slow", JOB + block("timeouts", create="1s"))
        + one("job", JOB + JUDGED, "echo no such table; exit 4"),
        "-parallelism=20",
    )


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("unhealthy", "is not healthy after 1 s"),
        ("exiting", "ended with exit code 7 while it was being started"),
        ("looping", "keeps ending: 5 restarts, and never healthy"),
        ("unchecked", "has no health check to wait for"),
        ("brief", "ended with exit code 5 while it was being started"),
        ("slow", "has not ended after 1 s"),
    ],
)
def test_the_error_says_what_happened_to_which_container(
    failed: Result, module_prefix: str, key: str, said: str
) -> None:
    assert f"Container {module_prefix}-{key} {said}" in failed.text


@pytest.mark.parametrize("printed", ["still starting", "no configuration", "no database", "gone already"])
def test_the_error_shows_the_containers_log(failed: Result, printed: str) -> None:
    assert printed in failed.text


def test_the_error_shows_the_last_health_checks(failed: Result) -> None:
    assert "exit code 3: nobody home" in failed.text


def test_a_missing_source_is_named_and_leaves_nothing_behind(
    failed: Result, engine: docker.DockerClient, module_prefix: str
) -> None:
    assert "Cannot read secrets/none, the source of /a" in failed.text
    assert [] == engine.containers.list(all=True, filters={"name": f"{module_prefix}-unsourced"})


def test_a_taken_port_is_named(failed: Result, module_prefix: str, taken_port: int) -> None:
    assert f"Cannot start container {module_prefix}-port" in failed.text
    assert f"127.0.0.1:{taken_port}" in failed.text


def test_a_strangers_container_of_the_same_name_is_not_touched(
    failed: Result, engine: docker.DockerClient, module_prefix: str
) -> None:
    stranger = engine.containers.get(f"{module_prefix}-stranger")
    assert "running" == stranger.status
    assert f"The container name {module_prefix}-stranger is taken" in failed.text
    assert stranger.short_id in failed.text


def test_of_two_resources_of_one_name_the_first_is_left_alone(
    failed: Result, engine: docker.DockerClient, module_prefix: str
) -> None:
    assert f"The container name {module_prefix}-twin is taken" in failed.text
    assert "running" == engine.containers.get(f"{module_prefix}-twin").status


def test_a_failed_job_is_told_by_its_postcondition_with_its_log(
    failed: Result, module_workspace: Workspace
) -> None:
    assert "the job failed: no such table" in failed.text
    assert 4 == module_workspace.attributes("docker_container.job")["exit_code"]


def test_what_failed_half_way_is_made_anew_by_the_next_apply(
    failed: Result,
    module_workspace: Workspace,
    engine: docker.DockerClient,
    module_prefix: str,
    tiny_image: str,
) -> None:
    del failed
    before = {
        item.name: item.id for item in engine.containers.list(all=True, filters={"name": module_prefix})
    }
    mended = {
        key: container(key, module_prefix, tiny_image, "")
        for key in ("unhealthy", "exiting", "brief", "port")
    }
    job = container("job", module_prefix, tiny_image, JOB + JUDGED, "echo migrated; echo twice >&2")
    # What is not in the configuration any more is destroyed with it, the failed ones too.
    module_workspace.apply("\n".join(mended.values()) + job)
    assert {} == module_workspace.changes()
    for key in mended:
        now = engine.containers.get(f"{module_prefix}-{key}")
        assert "running" == now.status
        assert before[now.name] != now.id
    attributes = module_workspace.attributes("docker_container.job")
    assert {"migrated", "twice"} == set(attributes["container_logs"].split())
    assert 0 == attributes["exit_code"]
