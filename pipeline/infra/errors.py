"""The errors of running the platform; each text is one sentence for people that says what to do.

::

    GalewatchError
    └── InfraError            something outside is not as it must be
        ├── PreflightError    this machine lacks something; holds every problem at once
        ├── BusyError         another run holds the lock
        └── TerraformError    terraform ended with an error; holds its diagnostics
            └── TerraformTimeoutError   it took too long and was stopped
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import GalewatchError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["BusyError", "InfraError", "PreflightError"]


class InfraError(GalewatchError):
    """Something outside of Galewatch is not as it must be; the text says what to do."""


class PreflightError(InfraError):
    """This machine lacks something; `problems` has one sentence each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class BusyError(InfraError):
    """Another run holds the lock."""
