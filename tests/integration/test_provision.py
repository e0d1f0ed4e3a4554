"""Both Terraform roots through the steps of `make up`, in a small checkout without any container."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from pipeline.infra.errors import InfraError
from pipeline.infra.layout import PROJECT_ROOT, Layout
from pipeline.infra.progress import Progress
from pipeline.infra.provision import Roots
from pipeline.infra.terraform import Terraform
from pipeline.infra.up import by_hand

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import docker

pytestmark = pytest.mark.engine

PLATFORM = """
variable "environment" {
  type = string
}

resource "terraform_data" "it" {
  input = var.environment
}

output "addresses" {
  value = { it = terraform_data.it.output }
}
"""

STORAGE = """
variable "environment" {
  type = string
}

resource "terraform_data" "volume" {
  for_each         = toset(["a", "b"])
  triggers_replace = var.environment
}
"""

FAILING = """
resource "terraform_data" "bad" {
  provisioner "local-exec" {
    command = "exit 3"
  }
}
"""

SLOW = """
resource "terraform_data" "slow" {
  provisioner "local-exec" {
    command = "touch ${path.root}/begun; sleep 30"
  }
}
"""


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    name = f"t{secrets.token_hex(3)}"
    made = Layout(name, tmp_path)
    for folder, text in ((made.platform_root, PLATFORM), (made.storage_root, STORAGE)):
        folder.mkdir(parents=True)
        (folder / "main.tf").write_text(text, encoding="utf-8")
    (made.platform_root / "environments").mkdir()
    (made.platform_root / "environments" / f"{name}.tfvars").write_text(
        f'environment = "{name}"\n', encoding="utf-8"
    )
    return made


@pytest.fixture
def roots(layout: Layout, engine: docker.DockerClient) -> Iterator[Roots]:
    with Progress("test", layout.logs, Console(quiet=True)) as progress:
        made = Roots(layout, progress, engine, environment(), "terraform")
        made.init()
        yield made


def environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("TF_")}


def test_the_first_apply_changes_and_the_second_does_not(layout: Layout, roots: Roots) -> None:
    roots.apply_storage()
    assert roots.apply_platform()
    assert not roots.apply_platform()
    assert roots.platform.output() == {"addresses": {"it": layout.environment}}
    assert not layout.apply_mark.exists()


def test_destroying_the_platform_keeps_the_storage(roots: Roots) -> None:
    roots.apply_storage()
    roots.apply_platform()
    roots.destroy_platform()
    assert roots.platform.cmd("state list", state=roots.platform.state).stdout == ()
    assert len(roots.storage.cmd("state list", state=roots.storage.state).stdout) == 2


def test_a_plan_that_would_delete_data_is_refused(layout: Layout, roots: Roots) -> None:
    roots.apply_storage()
    text = STORAGE.replace('["a", "b"]', '["a"]')
    (layout.storage_root / "main.tf").write_text(text, encoding="utf-8")
    with pytest.raises(
        InfraError, match=r'would delete data, so nothing was done: delete terraform_data.volume\["b"\]'
    ):
        roots.apply_storage()


def test_a_failure_is_one_sentence_and_the_next_run_completes(layout: Layout, roots: Roots) -> None:
    (layout.platform_root / "more.tf").write_text(FAILING, encoding="utf-8")
    with pytest.raises(InfraError, match=r"terraform apply failed: .*exit status 3"):
        roots.apply_platform()
    assert not layout.apply_mark.exists()
    (layout.platform_root / "more.tf").write_text(FAILING.replace("exit 3", "true"), encoding="utf-8")
    assert roots.apply_platform()
    assert not roots.apply_platform()


def test_a_value_for_a_variable_that_there_is_not_is_refused(layout: Layout, roots: Roots) -> None:
    with layout.variables_file.open("a", encoding="utf-8") as file:
        file.write("enviroment = 1\n")
    with pytest.raises(InfraError, match=r"environments/t\w+\.tfvars sets enviroment, which is no variable"):
        roots.apply_platform()
    assert not layout.platform_state.exists()


def test_a_broken_off_init_is_repaired(layout: Layout, roots: Roots) -> None:
    for folder in (layout.platform_root, layout.storage_root):
        (folder / ".terraform").mkdir(exist_ok=True)
        (folder / ".terraform" / "terraform.tfstate").write_text('{"half', encoding="utf-8")
        (folder / ".terraform.lock.hcl").write_text("provider {", encoding="utf-8")
    roots.init()
    assert roots.apply_platform()


def test_what_is_told_to_do_by_hand_means_the_same_state(layout: Layout, roots: Roots) -> None:
    roots.apply_platform()
    told = " && ".join(by_hand(layout, "terraform", "")).replace(" apply ", " plan -detailed-exitcode ")
    done = subprocess.run(
        ["sh", "-c", told], cwd=layout.root, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_environment_in_the_default_place_and_another_do_not_meet(layout: Layout, roots: Roots) -> None:
    default = Terraform(layout.platform_root, environment=environment(), variables={"environment": "dev"})
    default.apply()
    shutil.rmtree(layout.platform_root / ".terraform", ignore_errors=True)
    roots.init()
    assert roots.apply_platform()
    assert default.output() == {"addresses": {"it": "dev"}}
    assert roots.platform.output() == {"addresses": {"it": layout.environment}}
    assert not roots.apply_platform()


def test_a_damaged_state_is_told_with_the_way_out(layout: Layout, roots: Roots) -> None:
    roots.apply_platform()
    layout.platform_state.write_text("{", encoding="utf-8")
    with pytest.raises(
        InfraError, match=r"terraform\.tfstate cannot be read .*terraform\.tfstate\.backup beside it"
    ):
        roots.apply_platform()


KILLED = """
import sys
from pathlib import Path
import docker
from rich.console import Console
from pipeline.infra.layout import Layout
from pipeline.infra.progress import Progress
from pipeline.infra.provision import Roots
from pipeline.infra.terraform import Terraform
layout = Layout(sys.argv[1], Path(sys.argv[2]))
progress = Progress("test", layout.logs, Console(quiet=True))
Roots(layout, progress, docker.from_env(), dict(__import__("os").environ), "terraform").apply_platform()
"""


def test_a_run_that_was_killed_leaves_its_mark_and_the_next_one_completes(
    layout: Layout, roots: Roots
) -> None:
    (layout.platform_root / "more.tf").write_text(SLOW, encoding="utf-8")
    run = subprocess.Popen(
        [sys.executable, "-c", KILLED, layout.environment, str(layout.root)],
        cwd=PROJECT_ROOT,
        env=environment(),
    )
    end = time.monotonic() + 60
    while not (layout.platform_root / "begun").exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert layout.apply_mark.exists()
    # Terraform itself lives on and holds the state for a while: that is waited for.
    (layout.platform_root / "more.tf").write_text(SLOW.replace("sleep 30", "true"), encoding="utf-8")
    assert roots.apply_platform()
    assert not roots.apply_platform()
    assert not layout.apply_mark.exists()
