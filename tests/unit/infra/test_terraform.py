"""The Terraform driver against the real program, with resources that need no provider from anywhere."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.infra.errors import InfraError
from pipeline.infra.terraform import Terraform
from pipeline.infra.terraform_report import TerraformError, TerraformTimeoutError, parse_line

if TYPE_CHECKING:
    from pipeline.infra.terraform_report import Event

pytestmark = pytest.mark.slow

CONFIGURATION = """
variable "names" {
  type    = list(string)
  default = ["a"]
}

resource "terraform_data" "it" {
  for_each = toset(var.names)
  input    = each.key
}

output "names" {
  value = tolist(var.names)
}
"""

# Terraform begins it when the other resource is there; the file of its process id is whole from the start.
SLOW = """
resource "terraform_data" "slow" {
  depends_on = [terraform_data.it]

  provisioner "local-exec" {
    command = "echo $$ > ${path.root}/pid.new; mv ${path.root}/pid.new ${path.root}/pid; exec sleep 60"
  }
}
"""

REFUSING = """
resource "terraform_data" "refused" {
  lifecycle {
    precondition {
      condition     = length(var.names) > 2
      error_message = "One name is not enough."
    }
  }
}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "main.tf").write_text(CONFIGURATION, encoding="utf-8")
    return folder


def driver(root: Path, **options: object) -> Terraform:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("TF_")}
    terraform = Terraform(root, environment=environment, **{"grace_s": 5.0, **options})  # type: ignore[arg-type]
    terraform.init()
    return terraform


def test_a_plan_is_typed_and_empty_after_its_apply(root: Path, tmp_path: Path) -> None:
    terraform = driver(root)
    plan = terraform.plan(tmp_path / "a.tfplan")
    assert [(change.address, change.verb) for change in plan.changes] == [
        ('terraform_data.it["a"]', "create")
    ]
    assert not plan.is_empty
    assert terraform.apply(plan).added == 1
    assert terraform.plan(tmp_path / "b.tfplan").is_empty


def test_a_changed_output_alone_is_not_an_empty_plan(root: Path, tmp_path: Path) -> None:
    driver(root).apply()
    with (root / "main.tf").open("a", encoding="utf-8") as file:
        file.write('output "more" {\n  value = 1\n}\n')
    plan = driver(root).plan(tmp_path / "a.tfplan")
    assert plan.changes == ()
    assert not plan.is_empty


def test_variables_of_any_type_arrive_and_leave_no_file_behind(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    names = ["b", 'with "quotes" and ${no.template}']
    applied = driver(root, variables={"names": names}).apply()
    assert applied.outputs == {"names": names}
    assert list(scratch.iterdir()) == []


def test_outputs_come_as_values(root: Path) -> None:
    terraform = driver(root, variables={"names": ["x", "y"]})
    terraform.apply()
    assert terraform.output() == {"names": ["x", "y"]}


def test_destroy_destroys_without_asking(root: Path) -> None:
    terraform = driver(root)
    terraform.apply()
    assert terraform.destroy().removed == 1
    assert terraform.cmd("state list").stdout == ()


def test_everything_is_destroyed_when_the_block_raises(root: Path) -> None:
    terraform = driver(root)
    with pytest.raises(ZeroDivisionError), terraform.destroyed_afterwards():
        _ = terraform.apply().added / 0
    assert terraform.cmd("state list").stdout == ()


def test_two_states_on_one_configuration_do_not_meet(root: Path, tmp_path: Path) -> None:
    first, second = (
        driver(
            root, state=tmp_path / f"{name}.tfstate", data_dir=tmp_path / name, variables={"names": [name]}
        )
        for name in ("one", "two")
    )
    first.apply()
    second.apply()
    assert (first.output(), second.output()) == ({"names": ["one"]}, {"names": ["two"]})
    first.destroy()
    assert second.plan(tmp_path / "p.tfplan").is_empty
    assert not (root / "terraform.tfstate").exists()
    assert not (root / ".terraform").exists()


def test_a_failure_raises_with_its_diagnostics(root: Path) -> None:
    (root / "more.tf").write_text(REFUSING, encoding="utf-8")
    with pytest.raises(TerraformError, match="One name is not enough") as caught:
        driver(root).apply()
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.severity, diagnostic.place) == ("error", "more.tf:5")


def test_a_failure_without_a_log_in_json_raises_with_what_was_said(root: Path) -> None:
    with pytest.raises(TerraformError, match=r"failed with exit code 1: .*No state file"):
        driver(root).cmd("state show", "nothing.there")


def test_a_mistyped_method_is_no_command(root: Path) -> None:
    with pytest.raises(AttributeError, match="aply"):
        driver(root).aply()


def test_a_missing_program_is_named_with_the_way_to_get_one(root: Path) -> None:
    with pytest.raises(
        InfraError, match=r"no program 'terrafrom'.*developer\.hashicorp\.com.*opentofu\.org.*TERRAFORM"
    ):
        Terraform(root, binary="terrafrom").version()


def test_the_program_and_its_version_are_told(root: Path) -> None:
    name, version = Terraform(root).version()
    assert name in {"terraform", "tofu"}
    assert version >= (1, 6)


def test_the_callers_cli_arguments_do_not_leak_in(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CLI_ARGS_apply", "-nonsense")
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", os.devnull)
    terraform = Terraform(root)
    terraform.init()
    assert terraform.apply().added == 1


def test_events_name_what_begins_and_ends(root: Path) -> None:
    events: list[Event] = []
    driver(root, on_event=events.append).apply()
    told = [(event.kind, event.action, event.address) for event in events if event.kind.startswith("apply_")]
    address = 'terraform_data.it["a"]'
    assert told == [("apply_start", "create", address), ("apply_complete", "create", address)]


def test_what_is_only_asked_reaches_no_log(root: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    terraform = driver(root, on_event=events.append)
    terraform.version()
    terraform.apply(terraform.plan(tmp_path / "a.tfplan"))
    terraform.show_plan(terraform.plan(tmp_path / "b.tfplan"))
    terraform.output()
    said = "\n".join(event.message for event in events)
    assert "Apply complete!" in said
    for answer in ("format_version", "Your infrastructure matches", '"sensitive"', "terraform_version"):
        assert answer not in said


def test_terraform_by_hand_means_the_same_state_also_in_a_folder_that_was_moved(root: Path) -> None:
    terraform = driver(root, state=root / "terraform.tfstate", data_dir=root / ".terraform")
    terraform.apply()
    moved = root.rename(root.with_name("moved"))
    for command in ("init", "plan -detailed-exitcode"):
        done = subprocess.run(
            ["terraform", *command.split(), "-input=false", "-no-color"],
            cwd=moved,
            env={name: value for name, value in terraform.environment.items() if name != "TF_DATA_DIR"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_time_limit_interrupts_first_and_the_state_stays_whole(root: Path) -> None:
    (root / "slow.tf").write_text(SLOW, encoding="utf-8")
    terraform = driver(root, timeout_s=4.0, grace_s=30.0)
    with pytest.raises(TerraformTimeoutError, match="took longer than 4 s"):
        terraform.apply()
    assert_gone(root / "pid")
    # It had the time to write down what it did: the other resource is known, the slow one is tainted.
    assert 'terraform_data.it["a"]' in terraform.cmd("state list").stdout


def test_what_ignores_the_interrupt_is_killed(root: Path) -> None:
    slow = SLOW.replace("echo $$", "trap '' INT; echo $$").replace("exec sleep 60", "sleep 60; sleep 60")
    (root / "slow.tf").write_text(slow, encoding="utf-8")
    began = time.monotonic()
    with pytest.raises(TerraformTimeoutError):
        driver(root, timeout_s=3.0, grace_s=1.0).apply()
    assert time.monotonic() - began < 20
    assert_gone(root / "pid")


def test_ctrl_c_interrupts_terraform_once_and_waits_for_it(root: Path) -> None:
    (root / "slow.tf").write_text(SLOW, encoding="utf-8")
    events: list[Event] = []
    terraform = driver(root, on_event=events.append, grace_s=30.0)

    def press() -> None:
        while not (root / "pid").exists():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        terraform.apply()
    assert "interrupted" in [event.kind for event in events]
    assert_gone(root / "pid")
    assert 'terraform_data.it["a"]' in terraform.cmd("state list").stdout


def test_a_program_that_writes_no_json_is_still_read(tmp_path: Path) -> None:
    program = tmp_path / "terraform"
    program.write_text("#!/bin/sh\necho plain words\nexit 3\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    with pytest.raises(TerraformError, match="apply failed with exit code 3: plain words"):
        Terraform(tmp_path, binary=str(program)).apply()


@pytest.mark.parametrize("line", ["", "text", "[1]", '{"no": "type"}', '"x"'])
def test_a_line_that_is_no_event_is_text(line: str) -> None:
    assert (parse_line(line).kind, parse_line(line).message) == ("text", line)


def assert_gone(pid_file: Path) -> None:
    """The process named in the file has ended, or ends within five seconds."""
    pid = int(pid_file.read_text(encoding="ascii"))
    end = time.monotonic() + 5
    while Path(f"/proc/{pid}").exists() and "zombie" not in Path(f"/proc/{pid}/status").read_text(
        encoding="ascii"
    ):
        assert time.monotonic() < end, f"process {pid} still runs"
        time.sleep(0.05)
