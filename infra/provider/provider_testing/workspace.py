"""Terraform as a user runs it, in a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Result", "Workspace", "block", "label"]

_SECONDS = 120
_HEAD = """
terraform {
  required_providers {
    docker = {
      source  = "kreuzwerker/docker"
      version = "4.5.0"
    }
  }
}
"""


class Result:
    """What a command printed, and its exit code."""

    def __init__(self, code: int, printed: str) -> None:
        self.code = code
        # Terraform breaks its messages at 78 columns: as one line, a sentence can be looked for.
        self.text = " ".join(printed.replace("│", " ").replace("╷", " ").replace("╵", " ").split())
        self.printed = printed

    def expect(self, code: int) -> None:
        """Fail the test, showing what was printed, unless the exit code is this one."""
        if self.code != code:
            raise AssertionError(self)

    def __repr__(self) -> str:
        return f"exit code {self.code}\n{self.printed}"


class Workspace:
    """One folder with one configuration.

    Args:
        folder: where it lives.
        cli_config: the CLI configuration that names the mirror.
    """

    def __init__(self, folder: Path, cli_config: Path) -> None:
        self.folder = folder
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("TF_")},
            "TF_CLI_CONFIG_FILE": str(cli_config),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
        }

    def write(self, configuration: str) -> None:
        """Set the configuration; the provider's own block is part of it, and left to its defaults."""
        (self.folder / "main.tf").write_text(_HEAD + configuration)
        if not (self.folder / ".terraform").exists():
            self.run("init").expect(0)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command in a process group of its own."""
        return subprocess.Popen(
            ["terraform", *arguments, "-no-color"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            process_group=0,
        )

    def run(self, *arguments: str) -> Result:
        """Run a command to its end."""
        with self.start(*arguments) as process:
            printed, _ = process.communicate(timeout=_SECONDS)
            return Result(process.returncode, printed)

    def apply(self, configuration: str | None = None, *more: str) -> Result:
        """Apply, which has to succeed."""
        if configuration is not None:
            self.write(configuration)
        result = self.run("apply", "-auto-approve", "-input=false", *more)
        result.expect(0)
        return result

    def apply_failing(self, configuration: str | None = None, *more: str) -> Result:
        """Apply, which has to fail."""
        if configuration is not None:
            self.write(configuration)
        result = self.run("apply", "-auto-approve", "-input=false", *more)
        result.expect(1)
        return result

    def destroy(self) -> Result:
        """Destroy, which has to succeed."""
        result = self.run("destroy", "-auto-approve", "-input=false")
        result.expect(0)
        return result

    def changes(self) -> dict[str, str]:
        """Plan, and give what would happen to each resource: create, update, delete, replace."""
        result = self.run("plan", "-input=false", "-json")
        result.expect(0)
        events = [json.loads(line) for line in result.printed.splitlines()]
        # Besides, "resource_drift" tells what has changed since the last run: not what this plan would do.
        planned = [event["change"] for event in events if event["type"] == "planned_change"]
        return {item["resource"]["addr"]: item["action"] for item in planned}

    def state(self) -> str:
        """Give the text of the state."""
        return (self.folder / "terraform.tfstate").read_text()

    def attributes(self, address: str) -> dict[str, Any]:
        """Give a resource's attributes as the state has them."""
        kind, name = address.split(".")
        for item in json.loads(self.state())["resources"]:
            if (item["type"], item["name"]) == (kind, name):
                found: dict[str, Any] = item["instances"][0]["attributes"]
                return found
        raise LookupError(address)

    def outputs(self) -> dict[str, Any]:
        """Give the outputs."""
        return {key: item["value"] for key, item in json.loads(self.run("output", "-json").printed).items()}


def block(kind: str, **attributes: str | int | bool) -> str:
    """Write a nested block with literal values."""
    lines = (f"    {name} = {json.dumps(value)}" for name, value in attributes.items())
    return "\n".join((f"  {kind} {{", *lines, "  }", ""))


def label(value: str) -> str:
    """Write the label that says which environment something belongs to."""
    return block("labels", label="io.galewatch.environment", value=value)
