"""The filesystem mirror."""

import subprocess
import sys
from pathlib import Path

import pytest
from galewatch_docker.install import install, write_cli_config
from provider_testing.workspace import Workspace

README = Path(__file__).parents[1] / "README.md"
EXECUTABLE = "registry.terraform.io/kreuzwerker/docker/4.5.0/linux_amd64/terraform-provider-docker_v4.5.0"
OTHER = """
terraform {
  required_providers {
    other = { source = "example.invalid/no/other" }
  }
}
"""


def test_the_readmes_commands_install_it(tmp_path: Path) -> None:
    (install_line,) = [
        line for line in README.read_text().splitlines() if "galewatch_docker.install MIRROR" in line
    ]
    command = install_line.replace("MIRROR", str(tmp_path / "m")).replace("FILE", str(tmp_path / "rc"))
    command = command.replace("python -m", f"{sys.executable} -m")
    subprocess.run(["sh", "-c", command], cwd=README.parents[2], check=True)
    assert (tmp_path / "m" / EXECUTABLE).is_file()
    assert str(tmp_path / "m") in (tmp_path / "rc").read_text()


def test_installing_again_changes_nothing(tmp_path: Path) -> None:
    target = install(tmp_path, sys.executable)
    write_cli_config(tmp_path / "rc", tmp_path)
    before = {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in tmp_path.rglob("*")}
    assert target == install(tmp_path, sys.executable)
    write_cli_config(tmp_path / "rc", tmp_path)
    assert before == {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in tmp_path.rglob("*")}


def test_the_executable_stands_where_terraform_looks_for_it(tmp_path: Path) -> None:
    target = install(tmp_path, sys.executable)
    assert EXECUTABLE == str(target.relative_to(tmp_path))
    assert target.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(("content", "mode"), [("#!/bin/false\n", 0o755), (None, 0o600)])
def test_a_damaged_executable_is_written_again(tmp_path: Path, content: str | None, mode: int) -> None:
    target = install(tmp_path, sys.executable)
    wanted = target.read_text()
    target.write_text(content or wanted)
    target.chmod(mode)
    install(tmp_path, sys.executable)
    assert (wanted, 0o755) == (target.read_text(), target.stat().st_mode & 0o777)


def test_run_by_hand_the_executable_says_what_it_is(tmp_path: Path) -> None:
    done = subprocess.run([install(tmp_path, sys.executable)], capture_output=True, text=True, check=False)
    assert (1, "") == (done.returncode, done.stdout)
    assert "This is a Terraform provider" in done.stderr


def test_a_module_in_terraforms_folder_does_not_shadow_the_stand_ins(tmp_path: Path) -> None:
    for name in ("tf", "docker", "galewatch_docker"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('shadowed')\n")
    install(tmp_path / "mirror", sys.executable)
    write_cli_config(tmp_path / "rc", tmp_path / "mirror")
    workspace = Workspace(tmp_path, tmp_path / "rc")
    workspace.write('resource "docker_volume" "v" {}\n')
    assert workspace.run("validate").code == 0


def test_the_mirror_serves_this_provider_only(tmp_path: Path) -> None:
    install(tmp_path / "mirror", sys.executable)
    write_cli_config(tmp_path / "rc", tmp_path / "mirror")
    (tmp_path / "main.tf").write_text(OTHER)
    result = Workspace(tmp_path, tmp_path / "rc").run("init")
    assert result.code == 1
    assert "could not connect to example.invalid" in result.text
