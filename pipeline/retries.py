"""Which failures another try can mend, and when it should come. Pure: Airflow's part is airflow_parts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from pipeline.errors import (
    ConfigError,
    ContractError,
    IncompatibleSchemaError,
    InvalidRequestError,
    RateLimitedError,
    ReadingError,
    RefusedError,
)

__all__ = ["Verdict", "judge"]

# Each of these says the same however often it is asked; the last ones are faults of the code.
_LASTING = (
    ConfigError,
    ContractError,
    IncompatibleSchemaError,
    InvalidRequestError,
    ReadingError,
    RefusedError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether to try again; `after` is the least time to wait, None for the task's own delay."""

    again: bool
    after: timedelta | None
    reason: str


def judge(error: BaseException) -> Verdict:
    """Judge a task's failure: a stated waiting time is kept, a refusal is final, all else may pass."""
    if isinstance(error, RateLimitedError):
        after = timedelta(seconds=error.retry_after_seconds)
        return Verdict(
            again=True, after=after, reason=f"the source wants {error.retry_after_seconds} s of rest"
        )
    if isinstance(error, _LASTING):
        return Verdict(again=False, after=None, reason=f"{type(error).__name__}: another try gives the same")
    return Verdict(again=True, after=None, reason=f"{type(error).__name__} may pass")
