"""The configuration itself: formatted, valid, and what its own tests (infra/terraform/tests) promise."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
import yaml

from pipeline.infra.layout import PROJECT_ROOT
from pipeline.infra.secrets import ensure_secrets
from pipeline.platform import load_platform

if TYPE_CHECKING:
    from pathlib import Path

    from tests.terraform.conftest import Program

ROOT = PROJECT_ROOT / "infra" / "terraform"
TESTS = re.compile(r'^run "(\w+)"', re.MULTILINE)


@pytest.mark.slow
def test_the_files_are_formatted(terraform: Program) -> None:
    """`terraform fmt` would change nothing."""
    assert "" == terraform("fmt", "-check", "-recursive", "-list=true", cwd=ROOT).stdout


@pytest.mark.slow
@pytest.mark.parametrize("folder", [ROOT, ROOT / "storage"], ids=["platform", "storage"])
def test_the_configuration_is_valid(terraform: Program, folder: Path) -> None:
    """Both roots agree with the provider's schema."""
    terraform("init", "-backend=false", "-input=false", cwd=folder)
    answer = json.loads(terraform("validate", "-json", cwd=folder).stdout)
    assert (True, []) == (answer["valid"], [d for d in answer["diagnostics"] if d["severity"] == "error"])


@pytest.mark.slow
@pytest.mark.parametrize("folder", [ROOT, ROOT / "storage"], ids=["platform", "storage"])
def test_what_the_configuration_promises_holds(terraform: Program, tmp_path: Path, folder: Path) -> None:
    """Every run block of tests/*.tftest.hcl passes, and none is missing from the count."""
    written = sum(len(TESTS.findall(path.read_text())) for path in (folder / "tests").glob("*.tftest.hcl"))
    assert written > 0
    terraform("init", "-backend=false", "-input=false", cwd=folder)
    given = []
    if folder == ROOT:
        ensure_secrets(tmp_path / "secrets")
        given.append(f"-var=secrets_dir={tmp_path / 'secrets'}")
    answer = terraform("test", "-json", *given, cwd=folder, check=False)
    events = [json.loads(line) for line in answer.stdout.splitlines()]
    errors = [event["diagnostic"] for event in events if event["type"] == "diagnostic"]
    summary = next(event["test_summary"] for event in events if event["type"] == "test_summary")
    assert (0, []) == (answer.returncode, [error for error in errors if error["severity"] == "error"])
    assert (written, 0, 0) == (summary["passed"], summary["failed"], summary["errored"])


@pytest.mark.slow
def test_a_missing_secret_is_one_sentence(terraform: Program, tmp_path: Path) -> None:
    """A plan without secrets names the file and the command that makes it."""
    terraform("init", "-backend=false", "-input=false", cwd=ROOT)
    answer = terraform(
        "plan", "-input=false", "-var-file=environments/dev.tfvars", "-var=base_image=galewatch/base:none",
        f"-var=secrets_dir={tmp_path}", f"-state={tmp_path / 'none.tfstate'}", cwd=ROOT, check=False,
    )  # fmt: skip
    said = " ".join(re.sub(r"[│╷╵]", " ", answer.stderr).split())
    assert answer.returncode != 0
    assert re.search(
        rf"{re.escape(str(tmp_path))}/zookeeper_kafka, ?which does not exist. `make prepare` makes", said
    ), said


def test_no_secret_is_generated_for_nobody() -> None:
    """Each is given to a service by its name, or to the job that makes its user."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.glob("*.tf"))
    platform = load_platform()
    named = set(re.findall(r"local\.secret\.(\w+)", text))
    for listed in re.findall(r"for name in \[([^]]*)\] : name => local\.secret\[name\]", text):
        named |= set(re.findall(r'"(\w+)"', listed))
    users = {f"kafka_{user}" for user in platform.kafka.users}
    users |= {f"cassandra_{role}" for role in platform.cassandra.roles}
    assert set(platform.secrets) == named | users


def test_every_published_port_has_a_place_of_its_own() -> None:
    """No two services share a port, also with three alerts drivers."""
    ports: dict[str, int] = yaml.safe_load((PROJECT_ROOT / "config" / "platform.yaml").read_text())["ports"]
    taken = [*ports.values(), ports["driver_alerts"] + 1, ports["driver_alerts"] + 2]
    assert len(taken) == len(set(taken))


def test_no_service_publishes_beyond_loopback() -> None:
    """The one place that publishes ports binds 127.0.0.1."""
    files = [path for path in ROOT.rglob("*.tf") if ".terraform" not in path.parts]
    publishing = [
        path for path in files if re.search(r'^\s*(dynamic "ports"|ports) \{', path.read_text(), re.MULTILINE)
    ]
    assert [ROOT / "modules" / "service" / "main.tf"] == publishing
    assert re.search(r'ip\s+= "127\.0\.0\.1"', publishing[0].read_text())
