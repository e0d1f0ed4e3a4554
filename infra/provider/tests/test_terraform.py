"""What Terraform itself has to be able to do with the stand-in."""

import contextlib
import json
import os
import signal
import time
from pathlib import Path

import docker
import pytest
from provider_testing.workspace import Workspace, block

pytest_plugins = ["provider_testing.fixtures"]
pytestmark = pytest.mark.engine


def waiting(prefix: str, image: str, up: str) -> str:
    """Give a container that is healthy if `up` holds in its shell, and is waited for a long time."""
    return f"""
resource "docker_container" "it" {{
  name         = "{prefix}-it"
  image        = "{image}"
  init         = true
  wait         = true
  wait_timeout = 100
  command      = ["sh", "-c", "echo started; exec sleep 1000"]
  healthcheck {{
    test     = ["CMD-SHELL", "{up}"]
    interval = "100ms"
    retries  = 1000
  }}
  labels {{
    label = "io.galewatch.environment"
    value = "{prefix}"
  }}
}}
"""


def children(parent: int) -> list[int]:
    """Give the processes whose parent this is."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[1]) == parent:
                found.append(int(folder.name))
    return found


def await_container(engine: docker.DockerClient, name: str) -> None:
    deadline = time.monotonic() + 120
    while not engine.containers.list(filters={"name": name}):
        assert time.monotonic() < deadline, f"{name} never ran"


def test_an_interrupt_ends_the_wait_and_the_next_apply_completes(
    workspace: Workspace, engine: docker.DockerClient, prefix: str, tiny_image: str
) -> None:
    workspace.write(waiting(prefix, tiny_image, "false"))
    with workspace.start("apply", "-auto-approve") as process:
        await_container(engine, f"{prefix}-it")
        # As Ctrl-C does: to the whole process group, the provider included.
        os.killpg(process.pid, signal.SIGINT)
        printed, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "Terraform was told to stop" in " ".join(printed.split())
    assert {"docker_container.it": "replace"} == workspace.changes()
    workspace.apply(waiting(prefix, tiny_image, "true"))
    assert {} == workspace.changes()


def test_a_killed_run_leaves_no_provider_behind_and_the_next_apply_completes(
    workspace: Workspace, engine: docker.DockerClient, prefix: str, tiny_image: str
) -> None:
    workspace.write(waiting(prefix, tiny_image, "false"))
    with workspace.start("apply", "-auto-approve") as process:
        await_container(engine, f"{prefix}-it")
        providers = children(process.pid)
        process.kill()
        process.communicate(timeout=30)
    assert providers
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{provider}").exists() for provider in providers):
        assert time.monotonic() < deadline, "the provider outlived Terraform"
    result = workspace.apply(waiting(prefix, tiny_image, "true"))
    assert "was left behind by an interrupted run and was replaced" in result.text


def test_an_interrupted_build_ends_at_once(workspace: Workspace, prefix: str, tiny_image: str) -> None:
    context = workspace.folder / "context"
    context.mkdir()
    (context / "Dockerfile").write_text(f"FROM {tiny_image}\nRUN sleep 60\n")
    build = block("build", context="context")
    workspace.write(f'resource "docker_image" "it" {{\n  name = "{prefix}/it:1"\n{build}}}\n')
    with workspace.start("apply", "-auto-approve") as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "docker_image.it: Creating..." in line:
                break
        began = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=30)
    assert time.monotonic() - began < 10
    assert process.returncode == 1


def test_the_warning_comes_once_a_run(workspace: Workspace, prefix: str) -> None:
    configuration = f'resource "docker_volume" "v" {{\n  name = "{prefix}-v"\n}}\n'
    summary = "Warning: offline stand-in for kreuzwerker/docker"
    assert workspace.apply(configuration).text.count(summary) == 1
    assert workspace.run("plan").text.count(summary) == 1


def test_validate_and_mocked_tests_need_no_engine(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tiny_image: str
) -> None:
    workspace.write(
        f"""
resource "docker_container" "it" {{
  name  = "it"
  image = "{tiny_image}"
  ports {{
    internal = 80
  }}
}}
output "id" {{ value = docker_container.it.id }}
"""
    )
    (workspace.folder / "it.tftest.hcl").write_text(
        """
mock_provider "docker" {}
run "plan" {
  command = plan
  assert {
    condition     = docker_container.it.name == "it"
    error_message = "wrong name"
  }
}
run "apply" {
  assert {
    condition     = output.id != ""
    error_message = "no id"
  }
}
"""
    )
    monkeypatch.setitem(workspace.environment, "DOCKER_HOST", "unix:///nowhere/docker.sock")
    assert workspace.run("validate").code == 0
    result = workspace.run("test")
    assert result.code == 0, result


def test_an_unsupported_attribute_is_refused_at_validate_and_where_only_the_plan_knows_it(
    workspace: Workspace, tiny_image: str
) -> None:
    configuration = """
variable "gpus" {
  type    = string
  default = null
}
resource "docker_container" "it" {
  name  = "it"
  image = "%s"
  gpus  = %s
}
"""
    said = "docker_container.gpus is not supported by the offline stand-in"
    workspace.write(configuration % (tiny_image, '"all"'))
    result = workspace.run("validate", "-json")
    (error,) = json.loads(result.printed)["diagnostics"]
    assert said in error["summary"]
    assert 'gpus  = "all"' in error["snippet"]["code"]

    workspace.write(configuration % (tiny_image, "var.gpus"))
    assert workspace.run("validate").code == 0
    result = workspace.run("plan", "-var=gpus=all")
    assert result.code == 1
    assert said in result.text


def test_a_plan_works_with_values_that_are_not_known_yet(workspace: Workspace, tiny_image: str) -> None:
    workspace.write(
        f"""
resource "terraform_data" "late" {{
  input = "b"
}}
resource "docker_container" "it" {{
  name        = "it-${{terraform_data.late.id}}"
  image       = "{tiny_image}-${{terraform_data.late.output}}"
  env         = ["A=1", "B=${{terraform_data.late.output}}"]
  command     = ["echo", terraform_data.late.output]
  memory      = length(terraform_data.late.output)
  restart     = terraform_data.late.output
  dynamic "ports" {{
    for_each = toset([terraform_data.late.output])
    content {{
      internal = 80
    }}
  }}
  upload {{
    file    = "/x"
    content = terraform_data.late.output
  }}
}}
"""
    )
    assert {"docker_container.it": "create", "terraform_data.late": "create"} == workspace.changes()


def test_a_state_of_the_official_provider_is_refused(workspace: Workspace, prefix: str) -> None:
    workspace.apply(f'resource "docker_volume" "v" {{\n  name = "{prefix}-v"\n}}\n')
    state = json.loads(workspace.state())
    # What the official provider writes there is JSON, or nothing.
    del state["resources"][0]["instances"][0]["private"]
    state["serial"] += 1
    (workspace.folder / "terraform.tfstate").write_text(json.dumps(state))
    result = workspace.run("plan")
    assert result.code == 1
    assert "The state of this docker_volume was not written by the offline stand-in" in result.text


def test_an_engine_that_is_not_there_is_told_once(workspace: Workspace, prefix: str) -> None:
    provider = 'provider "docker" {\n  host = "unix:///nowhere/docker.sock"\n}\n'
    workspace.write(provider + f'resource "docker_volume" "v" {{\n  name = "{prefix}-v"\n}}\n')
    result = workspace.run("plan", "-input=false")
    assert result.code == 1
    assert result.text.count("No Docker engine answers at unix:///nowhere/docker.sock") == 1
