"""What can go wrong, as a person should read it.

StandInError              one sentence, a detail, and where it can be told the attribute
 ├── PartlyCreatedError    something was made before the error: Terraform has to record and taint it
 ├── StoppedError          Terraform was told to stop while something was under way
 └── UnreachableError      nobody answers at the engine's address
"""

from typing import Any

__all__ = ["PartlyCreatedError", "StandInError", "StoppedError", "UnreachableError"]


class StandInError(Exception):
    """An error to be shown as a Terraform diagnostic.

    Args:
        summary: one sentence that names the resource and what failed.
        detail: what helps to mend it, such as the last lines of a log. Never a secret.
        path: the attribute that it is about, from the resource's root.
    """

    def __init__(self, summary: str, detail: str = "", path: tuple[str, ...] = ()) -> None:
        super().__init__(summary)
        self.summary = summary
        self.detail = detail
        self.path = path


class UnreachableError(StandInError):
    """Nobody answers at the Docker engine's address."""


class StoppedError(StandInError):
    """Terraform was told to stop."""

    def __init__(self) -> None:
        super().__init__("Interrupted", "Terraform was told to stop; the next apply completes the work.")


class PartlyCreatedError(StandInError):
    """Something was made before the error; `state` is what is known of it."""

    def __init__(self, cause: StandInError, state: dict[str, Any]) -> None:
        super().__init__(cause.summary, cause.detail, cause.path)
        self.state = state
