"""Terraform's two roots, storage and platform: planned, applied and destroyed, with progress shown."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from pipeline.infra import provider
from pipeline.infra.errors import InfraError
from pipeline.infra.leftovers import Leftovers
from pipeline.infra.terraform import Terraform
from pipeline.infra.terraform_report import Event, TerraformError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import docker

    from pipeline.infra.layout import Layout
    from pipeline.infra.progress import Progress, Step
    from pipeline.infra.terraform_report import Plan

__all__ = ["Roots", "readable_address"]

_VERBS: Final = {"create": "creating", "delete": "removing", "update": "changing", "read": "reading"}
# To Terraform a warning among others; to whoever mistyped a name, a setting that does nothing.
_UNDECLARED: Final = "Value for undeclared variable"
_NAMED: Final = re.compile(r'variable named "(\w+)"')
_MODULE: Final = re.compile(r"module\.(\w+)(?:\[([^\]]*)\])?")


class _SourcesChangedError(InfraError):
    """What the plan had hashed was another thing when it came to building it."""


class Roots:
    """Both roots of one environment; every failure is an InfraError with one sentence in front."""

    def __init__(
        self,
        layout: Layout,
        progress: Progress,
        engine: docker.DockerClient,
        environment: Mapping[str, str],
        binary: str,
    ) -> None:
        self._layout = layout
        self._progress = progress
        self._leftovers = Leftovers(layout, engine, progress.say)
        self._listener: Callable[[Event], None] = lambda _: None
        self._undeclared: list[str] = []
        common: dict[str, Any] = {"binary": binary, "environment": environment, "on_event": self._hear}
        self.storage = Terraform(
            layout.storage_root,
            state=layout.storage_state,
            variables={"environment": layout.environment},
            **common,
        )
        self.platform = Terraform(
            layout.platform_root,
            state=layout.platform_state,
            var_files=[layout.variables_file],
            **common,
        )
        for state in (layout.storage_state, layout.platform_state):
            state.parent.mkdir(parents=True, exist_ok=True)

    def init(self, *, storage: bool = True) -> None:
        """Run `terraform init`; where what a broken-off one left is in the way, it is removed."""
        with self._progress.step("Terraform init"):
            for terraform in [self.platform, *([self.storage] if storage else [])]:
                try:
                    terraform.init()
                except TerraformError as error:
                    self._progress.log(f"init failed, and is tried anew: {error.complaint}")
                    provider.forget_installed(self._layout)
                    self.platform.init()
                    if storage:
                        self.storage.init()
                    return

    def apply_storage(self) -> None:
        """Create the volumes that are missing."""
        with self._step("Volumes") as step:
            plan = self._plan(self.storage, "storage")
            if plan.count("delete") or plan.count("replace"):
                raise InfraError(
                    f"The plan for the volumes would delete data, so nothing was done: {_first(plan)}."
                )
            if plan.is_empty:
                step.result = "all there"
                return
            applied = self._apply(self.storage, plan)
            step.result = f"{applied.added} created"

    def apply_platform(self) -> bool:
        """Make the platform what the configuration says; False where nothing was to change."""
        self._leftovers.clear_failed_jobs()
        self._leftovers.clear_strays()
        return self._plan_and_apply("Platform", ())

    def apply_images(self, targets: Sequence[str]) -> bool:
        """Build the images that are missing, and touch nothing that runs; False where none was."""
        return self._plan_and_apply("Images", targets)

    def plan_text(self) -> str:
        """Plan both roots and give what people read."""
        texts = []
        for name, terraform in (("storage", self.storage), ("platform", self.platform)):
            with self._step(f"Plan of the {name}") as step:
                plan = self._plan(terraform, name)
                step.result = "empty" if plan.is_empty else _counted(plan)
                texts.append(f"{name}: {terraform.show_plan(plan)}")
        return "\n\n".join(texts)

    def destroy_platform(self) -> None:
        """Remove containers and networks; volumes are in the other root."""
        with self._step("Removing containers and networks") as step, self._marked():
            step.result = f"{self.platform.destroy().removed} removed"

    def destroy_storage(self) -> None:
        """Remove the volumes, and with them the data."""
        with self._step("Removing volumes") as step, self._marked():
            step.result = f"{self.storage.destroy().removed} removed"

    def _plan_and_apply(self, title: str, targets: Sequence[str], *, again: bool = True) -> bool:
        try:
            with self._step(f"{title}: plan") as step:
                plan = self._plan(self.platform, "platform", targets)
                step.result = "nothing to change" if plan.is_empty else _counted(plan)
                for change in plan.changes:
                    self._progress.log(f"  plan: {change.verb} {change.address}")
            if plan.is_empty:
                return False
            with self._step(f"{title}: apply") as step:
                applied = self._apply(self.platform, plan)
                step.result = f"{applied.added} made, {applied.changed} changed, {applied.removed} removed"
        except _SourcesChangedError:
            if not again:
                raise
            self._progress.warn("Files of the project changed while it was built: planned anew.")
            return self._plan_and_apply(title, targets, again=False)
        return True

    def _plan(self, terraform: Terraform, name: str, targets: Sequence[str] = ()) -> Plan:
        """Plan a root; raises InfraError where a value is given to a variable that there is not."""
        self._undeclared.clear()
        plan = terraform.plan(self._plan_file(name), targets=targets)
        if self._undeclared:
            file = self._layout.variables_file.relative_to(self._layout.root)
            raise InfraError(
                f"{file} sets {', '.join(dict.fromkeys(self._undeclared))}, which is no variable of the "
                "platform: infra/terraform/variables.tf has them all."
            )
        return plan

    def _apply(self, terraform: Terraform, plan: Plan) -> Any:
        with self._marked():
            return terraform.apply(plan)

    @contextmanager
    def _marked(self) -> Iterator[None]:
        """Leave a mark while the engine and the state may differ; cut off hard, it stays."""
        mark = self._layout.apply_mark
        mark.touch()
        try:
            yield
        except TerraformError:
            mark.unlink(missing_ok=True)  # Terraform ended by itself and has written its state.
            raise
        mark.unlink(missing_ok=True)

    @contextmanager
    def _step(self, title: str) -> Iterator[Step]:
        with self._progress.step(title) as step:
            self._listener = lambda event: _show(step, event)
            try:
                yield step
            except TerraformError as error:
                self._progress.log(error.complaint)
                kind = _SourcesChangedError if "inconsistent final plan" in error.complaint else InfraError
                raise kind(self._explained(error)) from error
            finally:
                self._listener = lambda _: None

    def _hear(self, event: Event) -> None:
        if event.kind == "text" or event.diagnostic is not None:
            self._progress.log(f"  terraform: {event.diagnostic or event.message}")
        if event.diagnostic is not None and event.diagnostic.summary == _UNDECLARED:
            self._undeclared += _NAMED.findall(event.diagnostic.detail)
        self._listener(event)

    def _plan_file(self, name: str) -> Path:
        folder = self._layout.work / "plans"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{self._layout.environment}-{name}.tfplan"

    def _explained(self, error: TerraformError) -> str:
        if "Error acquiring the state lock" in error.complaint:
            return (
                "Another Terraform run holds the state, perhaps an interrupted one that is still finishing: "
                "wait for it to end (`pgrep -a terraform` shows it), then run this again."
            )
        if "already exists" in error.complaint or "is already in use by container" in error.complaint:
            return f"{error} — remove that container or network if it is left over, or run `make wipe`."
        return "\n".join([str(error), *self._leftovers.sick()])


def readable_address(address: str) -> str:
    """Shorten `module.kafka.docker_container.this` to `kafka`, `module.image_kafka…` to `image kafka`."""
    modules = [name + (f" {key.strip(chr(34))}" if key else "") for name, key in _MODULE.findall(address)]
    if modules:
        return " ".join(modules).replace("_", " ").replace("this ", "")
    return address.replace("docker_", "").replace(".this", "").replace(".", " ")


def _show(step: Step, event: Event) -> None:
    what = f"{_VERBS.get(event.action, event.action)} {readable_address(event.address)}"
    if event.kind == "apply_start":
        step.begin(what)
    elif event.kind == "apply_complete":
        step.end(what)
    elif event.kind == "apply_errored":
        step.end(what, "failed")
    elif event.kind in {"refresh_start", "interrupted"}:
        step.say(
            event.message if event.kind == "interrupted" else f"looking at {readable_address(event.address)}"
        )


def _counted(plan: Plan) -> str:
    words = {"create": "to make", "update": "to change", "replace": "to replace", "delete": "to remove"}
    counts = [f"{plan.count(verb)} {word}" for verb, word in words.items() if plan.count(verb)]
    return ", ".join(counts) or "outputs change"


def _first(plan: Plan) -> str:
    return ", ".join(f"{change.verb} {change.address}" for change in plan.changes[:3])
