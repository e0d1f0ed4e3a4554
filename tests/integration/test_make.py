"""What `make` runs, from the command line on: in a small checkout, with real Terraform and a real engine."""

from __future__ import annotations

import secrets
import shutil
import signal
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from pipeline.infra import commands
from pipeline.infra.base_image import ensure_base
from pipeline.infra.layout import ENVIRONMENT_LABEL, JOB_LABEL, PROJECT_ROOT, SERVICE_LABEL, Layout
from pipeline.infra.leftovers import Leftovers
from pipeline.platform import load_platform
from tests.e2e.stack import free_offset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import docker
    from typer.testing import Result

    Make = Callable[..., Result]

pytestmark = pytest.mark.engine

# The variables are those that `prepare` writes down.
PLATFORM = """\
variable "environment" {
  type = string
}

variable "base_image" {
  type = string
}

variable "build_proxy" {
  type = map(string)
}

variable "docker_host" {
  type    = string
  default = null
}

variable "port_offset" {
  type = number
}

variable "replay_dir" {
  type = string
}

variable "weather_source" {
  type = string
}

resource "terraform_data" "it" {
  input = var.weather_source
}

module "image_it" {
  source = "./image"
}
"""
IMAGE = """\
resource "terraform_data" "this" {}
"""
STORAGE = """\
variable "environment" {
  type = string
}

resource "terraform_data" "volume" {
  triggers_replace = var.environment
}
"""


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(f"t{secrets.token_hex(3)}", tmp_path)
    for folder, text in (
        (made.platform_root, PLATFORM),
        (made.platform_root / "image", IMAGE),
        (made.storage_root, STORAGE),
    ):
        folder.mkdir(parents=True)
        (folder / "main.tf").write_text(text, encoding="utf-8")
    (made.platform_root / "environments").mkdir()
    offset = free_offset(list(load_platform().ports.model_dump().values()))
    text = f'environment = "{made.environment}"\nport_offset = {offset}\n'
    (made.platform_root / "environments" / f"{made.environment}.tfvars").write_text(text, encoding="utf-8")
    shutil.copytree(PROJECT_ROOT / "config", tmp_path / "config")
    return made


@pytest.fixture
def make(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Run a command on the small checkout. It sets handlers of signals, and no test is to keep them."""
    monkeypatch.setattr(commands, "Layout", lambda environment: Layout(environment, layout.root))
    monkeypatch.setenv("WEATHER", "local")
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}

    def run(*arguments: str, typed: str | None = None) -> Result:
        return CliRunner().invoke(
            commands.app, [*arguments, "--environment", layout.environment], input=typed
        )

    yield run
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.fixture
def engine(layout: Layout, engine: docker.DockerClient) -> Iterator[docker.DockerClient]:
    """The engine, swept of the environment afterwards."""
    yield engine
    Leftovers(layout, engine, print).sweep()


def start(engine: docker.DockerClient, layout: Layout, name: str, *command: str, **labels: str) -> None:
    """Start a container of the environment."""
    engine.containers.run(
        ensure_base(print),
        list(command),
        detach=True,
        name=f"{layout.prefix}-{name}",
        labels={ENVIRONMENT_LABEL: layout.environment, **labels},
    )


def test_prepare_tells_what_to_type_and_makes_no_secret_twice(layout: Layout, make: Make) -> None:
    first = make("prepare")
    assert 0 == first.exit_code, first.stderr
    assert "generated" in first.stderr
    state = f"-state={layout.platform_state}"
    assert f"-chdir=infra/terraform apply {state} -var-file=environments/{layout.environment}.tfvars" in (
        first.stderr
    )
    kept = {file.name: file.read_bytes() for file in layout.secrets.iterdir()}
    again = make("prepare")
    assert "Secrets: all there" in again.stderr
    assert kept == {file.name: file.read_bytes() for file in layout.secrets.iterdir()}
    assert not layout.platform_state.exists()


def test_a_plan_shows_both_roots_and_changes_nothing(layout: Layout, make: Make) -> None:
    planned = make("plan")
    assert 0 == planned.exit_code, planned.stderr
    assert "# terraform_data.volume will be created" in planned.stdout
    assert "# terraform_data.it will be created" in planned.stdout
    assert not layout.platform_state.exists()


def test_images_are_made_alone_and_once(layout: Layout, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    first = make("images")
    assert 0 == first.exit_code, first.stderr
    assert "Images: apply: 1 made" in first.stderr
    assert "module.image_it" in (state := layout.platform_state.read_text(encoding="utf-8"))
    assert '"it"' not in state
    # What the weather was is kept, whatever answers by now.
    monkeypatch.delenv("WEATHER")
    again = make("images")
    assert "Images: plan: nothing to change" in again.stderr
    assert "Weather: synthetic" in again.stderr


def test_terraforms_files_are_checked_for_format_and_sense(layout: Layout, make: Make) -> None:
    checked = make("terraform")
    assert 0 == checked.exit_code, checked.stderr
    file = layout.storage_root / "main.tf"
    for wrong, words in ((f"{STORAGE}locals {{\n a = 1\n}}\n", "main.tf"), (f"{STORAGE}x = 1\n", "x")):
        file.write_text(wrong, encoding="utf-8")
        refused = make("terraform")
        assert 1 == refused.exit_code
        assert words in refused.stderr
        assert "The log: " in refused.stderr


def test_down_leaves_what_wipe_removes(layout: Layout, make: Make, engine: docker.DockerClient) -> None:
    make("images")
    start(engine, layout, "stray", "sleep", "60", **{SERVICE_LABEL: "stray"})
    engine.volumes.create(f"{layout.prefix}-data", labels={ENVIRONMENT_LABEL: layout.environment})
    refused = make("down")
    assert 1 == refused.exit_code
    assert "that this checkout did not make" in refused.stderr
    # Of a run that was cut off it is not somebody else's.
    layout.apply_mark.touch()
    down = make("down")
    assert 0 == down.exit_code, down.stderr
    assert "its data stays" in down.stderr
    assert layout.secrets.is_dir()
    left = {"label": f"{ENVIRONMENT_LABEL}={layout.environment}"}
    assert [] == engine.containers.list(all=True, filters=left)
    assert [f"{layout.prefix}-data"] == [volume.name for volume in engine.volumes.list(filters=left)]

    kept = make("wipe")
    assert 1 == kept.exit_code
    assert "Nothing was removed." in kept.stderr
    wiped = make("wipe", "--yes")
    assert 0 == wiped.exit_code, wiped.stderr
    assert f"Nothing of the environment {layout.environment} is left." in wiped.stderr
    assert [] == engine.volumes.list(filters=left)
    assert not layout.secrets.exists()
    assert not layout.platform_state.exists()
    assert not layout.generated_variables_file.exists()


def test_a_state_that_terraform_cannot_read_does_not_stop_a_wipe(
    layout: Layout, make: Make, engine: docker.DockerClient
) -> None:
    make("images")
    start(engine, layout, "stray", "sleep", "60", **{SERVICE_LABEL: "stray"})
    layout.platform_state.write_text("{", encoding="utf-8")
    wiped = make("wipe", "--yes")
    assert 0 == wiped.exit_code, wiped.stderr
    assert "Terraform could not do it, so the engine is swept without it." in wiped.stderr
    assert [] == engine.containers.list(
        all=True, filters={"label": f"{ENVIRONMENT_LABEL}={layout.environment}"}
    )
    assert not layout.platform_state.exists()


def test_status_and_logs_tell_of_what_runs(layout: Layout, make: Make, engine: docker.DockerClient) -> None:
    nothing = make("status")
    assert 1 == nothing.exit_code
    assert f"Nothing of the environment {layout.environment} runs here" in nothing.stderr
    start(engine, layout, "talker", "sh", "-c", "echo one; echo two; sleep 60", **{SERVICE_LABEL: "talker"})
    start(engine, layout, "job", "true", **{SERVICE_LABEL: "job-it", JOB_LABEL: "it"})
    engine.containers.get(f"{layout.prefix}-job").wait()
    well = make("status")
    assert 0 == well.exit_code, well.stderr
    rows = {line.split()[1]: line for line in well.stdout.splitlines() if line.startswith("│")}
    assert "running" in rows["talker"]
    assert "done" in rows["job-it"]
    said = make("logs", "talker", "--tail", "1")
    assert (0, "two\n") == (said.exit_code, said.stdout)
    wrong = make("logs", "walker")
    assert 1 == wrong.exit_code
    assert "S must name a service, not 'walker'. There are: job-it, talker." in wrong.stderr
    start(engine, layout, "sick", "sh", "-c", "exit 7", **{SERVICE_LABEL: "sick"})
    engine.containers.get(f"{layout.prefix}-sick").wait()
    sick = make("status")
    assert 1 == sick.exit_code
    assert "exited (7)" in sick.stdout


@pytest.mark.parametrize("command", [("status",), ("logs", "kafka"), ("down",), ("wipe", "--yes")])
def test_without_an_engine_each_is_one_sentence(
    make: Make, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    told = make(*command)
    assert 1 == told.exit_code
    assert "Error: " in told.stderr
    assert "Docker engine" in told.stderr
    assert "Traceback" not in told.stderr


def test_a_defect_is_not_passed_off_as_the_users(
    layout: Layout, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(commands, "build_images", broken)
    told = make("images")
    assert isinstance(told.exception, RuntimeError)
    (note,) = told.exception.__notes__
    assert note.startswith("This is a defect of Galewatch. The log: ")
    (log,) = layout.logs.glob("images-*.log")
    assert "RuntimeError: broken" in log.read_text(encoding="utf-8")
