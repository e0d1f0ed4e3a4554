"""Drives the terraform (or tofu) program: python-terraform, with its sharp edges taken off.

python-terraform 0.10.1 gives the command lines. What it does not give, and this subclass does: typed results;
an error on every failure, with Terraform's diagnostics; no command out of a mistyped method name; an
environment, a state and a data directory of its own for each instance; no variables left in /tmp; a time
limit that asks Terraform to stop before it kills; `destroy` that destroys.
"""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import python_terraform
from python_terraform import IsFlagged

from pipeline.infra.errors import InfraError
from pipeline.infra.terraform_process import run
from pipeline.infra.terraform_report import (
    Applied,
    Completed,
    Event,
    Plan,
    TerraformError,
    TerraformTimeoutError,
    read_plan,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = ["MISSING_TERRAFORM", "Terraform"]

MISSING_TERRAFORM: Final = (
    "There is no program '{binary}': install Terraform 1.6 or newer "
    "(developer.hashicorp.com/terraform/install) or OpenTofu (opentofu.org), "
    "or name its program in TERRAFORM."
)

# An apply builds images and waits for services; half an hour is far more than a slow machine needs.
_DEFAULT_TIMEOUT_S: Final = 1800.0
# After an interrupt Terraform lets running operations end. Stateful services get up to 120 s to stop.
_GRACE_S: Final = 150.0
# A run that was interrupted a moment ago may still be finishing.
_LOCK_TIMEOUT: Final = "60s"
_HAS_CHANGES: Final = 2


class Terraform(python_terraform.Terraform):  # type: ignore[misc] # the package has no types
    """One root module with its variables and its state.

    `state` and `data_dir` (where `.terraform` is else) keep instances on the same `working_dir` apart. The
    state is named to each command (`-state`). A path of the local backend would be the newer way, but `init`
    then asks whether to copy the state in the default place, which is another environment's.
    `environment` is the whole environment of the program; None means this process's own. `on_event` is called
    with each line of the log, in the thread of the caller.
    """

    def __init__(  # noqa: PLR0913 - one keyword each, all optional
        self,
        working_dir: Path,
        *,
        binary: str = "terraform",
        state: Path | None = None,
        data_dir: Path | None = None,
        var_files: Sequence[Path] = (),
        variables: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
        on_event: Callable[[Event], None] | None = None,
        timeout_s: float = _DEFAULT_TIMEOUT_S,
        grace_s: float = _GRACE_S,
    ) -> None:
        super().__init__(
            working_dir=str(working_dir),
            state=str(state.resolve()) if state else None,
            variables=dict(variables or {}),
            var_file=[str(path.resolve()) for path in var_files],
            terraform_bin_path=binary,
        )
        self.environment = dict(os.environ if environment is None else environment)
        # Prompts and hints for people make no sense here, and TF_CLI_ARGS of the caller could change any
        # command.
        self.environment |= {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}
        for name in [name for name in self.environment if name.startswith("TF_CLI_ARGS")]:
            del self.environment[name]
        if data_dir is not None:
            self.environment["TF_DATA_DIR"] = str(data_dir.resolve())
        self.on_event = on_event
        self.timeout_s = timeout_s
        self.grace_s = grace_s

    def __getattr__(self, item: str) -> Any:
        """Refuse what the base class would run as a Terraform command."""
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {item!r}")

    def read_state_file(self, file_path: str | None = None) -> None:  # noqa: ARG002 - the base's signature
        """Do nothing: the base would read the state, secrets of others and all, after each command."""
        self.tfstate = None

    def cmd(
        self, cmd: str, *args: str, accept: Sequence[int] = (0,), told: bool = True, **options: Any
    ) -> Completed:
        """Run `terraform <cmd>`; raises TerraformError where the exit code is not in `accept`.

        Options are given as python-terraform takes them: `no_color=IsFlagged`, `target=[…]`, `parallelism=4`.
        Without `told`, `on_event` hears nothing: what is written is an answer, and no log.
        """
        line = self.generate_cmd_string(cmd, *args, **options)
        return self._execute(line, accept=accept, on_event=self.on_event if told else None)

    def _ask(self, cmd: str, *args: str, **options: Any) -> str:
        """Give the answer of a command that only tells: a whole plan in JSON is not for any log."""
        return self.cmd(cmd, *args, told=False, no_color=IsFlagged, **options).text

    def version(self) -> tuple[str, tuple[int, ...]]:
        """Give the program's name, terraform or tofu, and its version."""
        numbers = json.loads(self._ask("version", json=IsFlagged))["terraform_version"].partition("-")[0]
        name = "tofu" if self._ask("version").startswith("OpenTofu") else "terraform"
        return name, tuple(int(number) for number in numbers.split("."))

    def init(self, *, upgrade: bool = False, backend: bool = True) -> Completed:
        """Install providers and modules."""
        options = {"upgrade": IsFlagged} if upgrade else {}
        return self.cmd("init", input=False, no_color=IsFlagged, backend=backend, **options)

    def check_format(self) -> Completed:
        """Check the format; raises TerraformError naming the files that `fmt` would change."""
        return self.cmd("fmt", check=IsFlagged, recursive=IsFlagged, no_color=IsFlagged)

    def validate(self) -> Completed:
        """Check the configuration by itself."""
        return self.cmd("validate", no_color=IsFlagged)

    def plan(self, out: Path, *, targets: Sequence[str] = (), destroy: bool = False) -> Plan:
        """Plan into the file `out` and give what the plan holds; changes are no error."""
        flags = {"destroy": IsFlagged} if destroy else {}
        with self._inputs() as inputs:
            self.cmd(
                "plan", accept=(0, _HAS_CHANGES), json=IsFlagged, detailed_exitcode=IsFlagged, input=False,
                lock_timeout=_LOCK_TIMEOUT, out=str(out.resolve()), target=list(targets), **inputs, **flags,
            )  # fmt: skip
        return read_plan(out, json.loads(self._ask("show", str(out.resolve()), json=IsFlagged)))

    def show_plan(self, plan: Plan) -> str:
        """Give a saved plan as people read it."""
        return self._ask("show", str(plan.path.resolve()))

    def apply(self, plan: Plan | None = None, *, targets: Sequence[str] = ()) -> Applied:
        """Apply a saved plan, or whatever is to be done; never asks."""
        common = {"json": IsFlagged, "input": False, "lock_timeout": _LOCK_TIMEOUT}
        if plan is not None:
            done = self.cmd("apply", str(plan.path.resolve()), state=self.state, **common)
        else:
            with self._inputs() as inputs:
                done = self.cmd("apply", auto_approve=True, target=list(targets), **inputs, **common)
        return Applied.from_events(done.events)

    def destroy(self, *, targets: Sequence[str] = ()) -> Applied:
        """Destroy everything that the state holds; never asks."""
        with self._inputs() as inputs:
            done = self.cmd(
                "apply", destroy=IsFlagged, auto_approve=True, json=IsFlagged, input=False,
                lock_timeout=_LOCK_TIMEOUT, target=list(targets), **inputs,
            )  # fmt: skip
        return Applied.from_events(done.events)

    def output(self) -> dict[str, Any]:
        """Give every output by name."""
        answer = json.loads(self._ask("output", json=IsFlagged, state=self.state))
        return {name: body["value"] for name, body in answer.items()}

    @contextmanager
    def destroyed_afterwards(self) -> Iterator[Terraform]:
        """Destroy everything when the block ends, however it ends."""
        try:
            yield self
        finally:
            self.destroy()

    @contextmanager
    def _inputs(self) -> Iterator[dict[str, Any]]:
        """State and variables as options; the file with the variables lives as long as the block."""
        with tempfile.TemporaryDirectory(prefix="galewatch-") as folder:
            files = list(self.var_file)
            if self.variables:
                file = Path(folder) / "variables.tfvars.json"
                file.write_text(json.dumps(self.variables), encoding="utf-8")
                files.append(str(file))
            yield {"state": self.state, "var_file": files}

    def _execute(
        self, line: Sequence[str], *, accept: Sequence[int], on_event: Callable[[Event], None] | None
    ) -> Completed:
        try:
            completed, in_time = run(
                line,
                cwd=self.working_dir,
                environment=self.environment,
                on_event=on_event,
                timeout_s=self.timeout_s,
                grace_s=self.grace_s,
            )
        except (FileNotFoundError, PermissionError) as error:
            if not Path(self.working_dir).is_dir():
                raise InfraError(f"There is no folder {self.working_dir} for Terraform to run in.") from error
            raise InfraError(MISSING_TERRAFORM.format(binary=line[0])) from error
        if not in_time:
            raise TerraformTimeoutError(line, completed, self.timeout_s)
        if completed.returncode not in accept:
            raise TerraformError(line, completed)
        return completed
