"""Drives the terraform (or tofu) program: python-terraform, with its sharp edges taken off.

python-terraform 0.10.1 gives the command lines. What it does not give, and this subclass does: typed results;
an error on every failure, with Terraform's diagnostics; no command out of a mistyped method name; an
environment, a state and a data directory of its own for each instance; no variables left in /tmp; a time
limit that asks Terraform to stop before it kills; `destroy` that destroys.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import python_terraform
from python_terraform import IsFlagged

from pipeline.infra.errors import InfraError
from pipeline.infra.terraform_report import (
    Applied,
    Completed,
    Event,
    Plan,
    TerraformError,
    TerraformTimeoutError,
    parse_line,
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

    `state` and `data_dir` (where `.terraform` is else) keep instances on the same `working_dir` apart.
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

    def cmd(self, cmd: str, *args: str, accept: Sequence[int] = (0,), **options: Any) -> Completed:
        """Run `terraform <cmd>`; raises TerraformError where the exit code is not in `accept`.

        Options are given as python-terraform takes them: `no_color=IsFlagged`, `target=[…]`, `parallelism=4`.
        """
        line = self.generate_cmd_string(cmd, *args, **options)
        return self._execute(line, accept=accept)

    def version(self) -> tuple[str, tuple[int, ...]]:
        """Give the program's name, terraform or tofu, and its version."""
        answer = json.loads(self.cmd("version", json=IsFlagged).text)
        first = self.cmd("version").stdout[0]
        numbers = answer["terraform_version"].partition("-")[0].split(".")
        name = "tofu" if first.startswith("OpenTofu") else "terraform"
        return name, tuple(int(number) for number in numbers)

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
        return read_plan(out, json.loads(self.cmd("show", str(out.resolve()), json=IsFlagged).text))

    def show_plan(self, plan: Plan) -> str:
        """Give a saved plan as people read it."""
        return self.cmd("show", str(plan.path.resolve()), no_color=IsFlagged).text

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
        answer = self.cmd("output", json=IsFlagged, no_color=IsFlagged, state=self.state)
        return {name: body["value"] for name, body in json.loads(answer.text).items()}

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

    def _execute(self, line: Sequence[str], *, accept: Sequence[int]) -> Completed:
        began = time.monotonic()
        try:
            # A session of its own: Ctrl-C on the terminal would reach Terraform by itself, and a second
            # signal from here would then mean "exit at once" to it.
            process = subprocess.Popen(
                line,
                cwd=self.working_dir,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
        except (FileNotFoundError, PermissionError) as error:
            if not Path(self.working_dir).is_dir():
                raise InfraError(f"There is no folder {self.working_dir} for Terraform to run in.") from error
            raise InfraError(MISSING_TERRAFORM.format(binary=line[0])) from error
        talk = _Conversation(process, self.on_event)
        try:
            timed_out = not talk.follow(until=began + self.timeout_s)
        except BaseException:
            talk.tell(Event("interrupted", "interrupted: Terraform ends what it has begun"))
            _stop(process, self.grace_s)
            raise
        if timed_out:
            _stop(process, self.grace_s)
        completed = talk.completed()
        if timed_out:
            raise TerraformTimeoutError(line, completed, self.timeout_s)
        if completed.returncode not in accept:
            raise TerraformError(line, completed)
        return completed


class _Conversation:
    """What a running program writes, read as it comes."""

    def __init__(self, process: subprocess.Popen[str], on_event: Callable[[Event], None] | None) -> None:
        self._process = process
        self._on_event = on_event
        self._lines: queue.SimpleQueue[tuple[str, str | None]] = queue.SimpleQueue()
        self._said: dict[str, list[str]] = {"stdout": [], "stderr": []}
        self._events: list[Event] = []
        self._open = 2
        for name, stream in (("stdout", process.stdout), ("stderr", process.stderr)):
            threading.Thread(target=self._read, args=(name, stream), daemon=True).start()

    def follow(self, until: float) -> bool:
        """Take lines until the program has closed its streams; False if `until` (monotonic) came first."""
        while self._open:
            try:
                name, line = self._lines.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                return False
            self._take(name, line)
        self._process.wait()
        return True

    def completed(self) -> Completed:
        """Give what was said, after the program has ended."""
        with suppress(queue.Empty):
            while self._open:
                self._take(*self._lines.get(timeout=1.0))
        return Completed(
            self._process.returncode,
            tuple(self._said["stdout"]),
            tuple(self._said["stderr"]),
            tuple(self._events),
        )

    def _read(self, name: str, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                self._lines.put((name, line.rstrip("\n")))
        self._lines.put((name, None))

    def tell(self, event: Event) -> None:
        """Pass one event on to whoever listens."""
        if self._on_event is not None:
            self._on_event(event)

    def _take(self, name: str, line: str | None) -> None:
        if line is None:
            self._open -= 1
            return
        self._said[name].append(line)
        event = parse_line(line) if name == "stdout" else Event("text", line)
        self._events.append(event)
        self.tell(event)


def _stop(process: subprocess.Popen[str], grace_s: float) -> None:
    """Ask to stop as Ctrl-C does, wait up to `grace_s` seconds, then kill it with its plugins."""
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=grace_s)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
