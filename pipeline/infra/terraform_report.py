"""What Terraform says, typed: the lines of its `-json` log, a plan, the result of an apply.

Formats: "Machine-Readable UI" and "JSON Output Format" in Terraform's documentation (format versions 1.x);
OpenTofu writes the same.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.infra.errors import InfraError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

__all__ = [
    "Applied",
    "Change",
    "Completed",
    "Diagnostic",
    "Event",
    "Plan",
    "TerraformError",
    "TerraformTimeoutError",
    "parse_line",
    "read_plan",
]

# Actions of a plan that change nothing on the engine.
_HARMLESS = {("no-op",), ("read",)}


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One error or warning; `address` and `place` (file:line) are empty where Terraform names none."""

    severity: str
    summary: str
    detail: str = ""
    address: str = ""
    place: str = ""

    def __str__(self) -> str:
        about = ", ".join(part for part in (self.address, self.place) if part)
        return f"{self.summary}{f' ({about})' if about else ''}{f': {self.detail}' if self.detail else ''}"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the log; `kind` is Terraform's own type, such as apply_start or apply_complete."""

    kind: str
    message: str
    address: str = ""
    action: str = ""
    elapsed_s: float = 0.0
    diagnostic: Diagnostic | None = None
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Completed:
    """A command that ended: its exit code, and what it wrote, line by line."""

    returncode: int
    stdout: tuple[str, ...]
    stderr: tuple[str, ...]
    events: tuple[Event, ...] = ()

    @property
    def text(self) -> str:
        """Standard output as one text."""
        return "\n".join(self.stdout)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Errors and warnings of the log, without repetitions."""
        return tuple(dict.fromkeys(event.diagnostic for event in self.events if event.diagnostic is not None))


@dataclass(frozen=True, slots=True)
class Change:
    """One resource that a plan changes; a replacement has the actions delete and create, in either order."""

    address: str
    actions: tuple[str, ...]
    replace_paths: tuple[tuple[str | int, ...], ...] = ()

    @property
    def verb(self) -> str:
        """One word for people: create, update, delete or replace."""
        return "replace" if len(self.actions) > 1 else self.actions[0]


@dataclass(frozen=True, slots=True)
class Plan:
    """A saved plan: its file, what it changes, and whether an output would change."""

    path: Path
    changes: tuple[Change, ...]
    outputs_change: bool
    document: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def is_empty(self) -> bool:
        """Tell whether applying it would change nothing at all."""
        return not self.changes and not self.outputs_change

    def count(self, verb: str) -> int:
        """Count the changes of one kind: create, update, delete or replace."""
        return sum(change.verb == verb for change in self.changes)


@dataclass(frozen=True, slots=True)
class Applied:
    """The result of an apply or a destroy; a replacement counts as one added and one removed."""

    added: int
    changed: int
    removed: int
    outputs: Mapping[str, Any]

    @classmethod
    def from_events(cls, events: Iterable[Event]) -> Applied:
        """Collect the summary and the outputs of a log."""
        counts: Mapping[str, int] = {}
        outputs: Mapping[str, Any] = {}
        for event in events:
            if event.kind == "change_summary":
                counts = event.body.get("changes", {})
            elif event.kind == "outputs":
                outputs = {name: value.get("value") for name, value in event.body.get("outputs", {}).items()}
        return cls(counts.get("add", 0), counts.get("change", 0), counts.get("remove", 0), outputs)


class TerraformError(InfraError):
    """Terraform ended with an error; the text is its first error, `diagnostics` holds them all."""

    def __init__(self, command: Sequence[str], completed: Completed) -> None:
        self.command = tuple(command)
        self.completed = completed
        self.diagnostics = tuple(item for item in completed.diagnostics if item.severity == "error")
        super().__init__(self._sentence())

    @property
    def complaint(self) -> str:
        """Everything that was said about the failure."""
        said = "\n".join(str(item) for item in self.diagnostics)
        return said or "\n".join((*self.completed.stderr, *self.completed.stdout)).strip()

    def _sentence(self) -> str:
        name = " ".join(part for part in self.command[:2])
        if self.diagnostics:
            more = f" (and {len(self.diagnostics) - 1} more)" if len(self.diagnostics) > 1 else ""
            return f"{name} failed: {self.diagnostics[0]}{more}"
        text = _unframed(self.completed.stderr or self.completed.stdout)
        return f"{name} failed with exit code {self.completed.returncode}: {text or 'it said nothing'}"


class TerraformTimeoutError(TerraformError):
    """Terraform was stopped because it took longer than it may."""

    def __init__(self, command: Sequence[str], completed: Completed, timeout_s: float) -> None:
        super().__init__(command, completed)
        self.timeout_s = timeout_s
        self.args = (f"{' '.join(self.command[:2])} took longer than {timeout_s:.0f} s and was stopped.",)


def parse_line(line: str) -> Event:
    """Read one line of a `-json` log; a line that is none becomes an event of kind `text`."""
    try:
        body = json.loads(line)
    except ValueError:
        return Event("text", line)
    if not isinstance(body, dict) or "type" not in body:
        return Event("text", line)
    hook = body.get("hook") or {}
    diagnostic = _diagnostic(body["diagnostic"]) if "diagnostic" in body else None
    resource = hook.get("resource") or {}
    return Event(
        kind=body["type"],
        message=body.get("@message", ""),
        address=resource.get("addr", ""),
        action=hook.get("action", ""),
        elapsed_s=float(hook.get("elapsed_seconds") or 0),
        diagnostic=diagnostic,
        body=body,
    )


def read_plan(path: Path, document: Mapping[str, Any]) -> Plan:
    """Read the answer of `show -json` on a plan file."""
    changes = tuple(
        Change(
            address=item["address"],
            actions=tuple(item["change"]["actions"]),
            replace_paths=tuple(tuple(where) for where in item["change"].get("replace_paths", ())),
        )
        for item in document.get("resource_changes", ())
        if tuple(item["change"]["actions"]) not in _HARMLESS
    )
    outputs = document.get("output_changes", {}).values()
    return Plan(path, changes, any(tuple(item["actions"]) not in _HARMLESS for item in outputs), document)


def _diagnostic(body: Mapping[str, Any]) -> Diagnostic:
    where = body.get("range") or {}
    line = (where.get("start") or {}).get("line")
    return Diagnostic(
        severity=body.get("severity", "error"),
        summary=body.get("summary", ""),
        detail=body.get("detail", ""),
        address=body.get("address", ""),
        place=f"{where['filename']}:{line}" if where.get("filename") else "",
    )


def _unframed(lines: Iterable[str]) -> str:
    """Take the box off that Terraform draws around an error on a terminal."""
    text = " ".join(line.strip("│╷╵ ") for line in lines)
    return " ".join(text.split())
