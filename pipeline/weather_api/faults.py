"""Faults that the API shows on demand, so that one can see what the pipeline does about them.

Each of the three contracts has one switch, which `PUT /faults/<contract>` sets and `DELETE` resets, while
the service runs. They exist only where the service was started with GALEWATCH_WEATHER_FAULTS=on.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pipeline.config import shown
from pipeline.weather_api.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CONTRACTS", "KINDS", "Contract", "Fault", "Faults"]

Contract = Literal["open-meteo", "gateway", "nws"]
CONTRACTS: Final[tuple[Contract, ...]] = get_args(Contract)

Kind = Literal["rate_limited", "overloaded", "slow", "truncated", "nulls", "contract"]
KINDS: Final[Mapping[Kind, str]] = {
    "rate_limited": "429, and the text names the window",
    "overloaded": "503",
    "slow": "answers after so many seconds",
    "truncated": "200, and the body breaks off in its middle",
    "nulls": "no value is known",
    "contract": "the answer has another form than the contract's",
}
"""What each kind does."""

# Which other fields belong to which kind; `times` belongs to all.
_FIELDS: Final[Mapping[Kind, tuple[str, ...]]] = {
    "rate_limited": ("window",),
    "slow": ("seconds",),
    "truncated": ("clean",),
}


class Fault(BaseModel):
    """One fault: `times` is for how many requests, None until it is reset.

    `window` is that of the exceeded limit; `seconds` is how long a slow answer takes. With `clean`, a
    truncated body ends as if it were whole, as behind a proxy; without it the connection breaks.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kind: Kind
    times: Annotated[int, Field(ge=1)] | None = None
    window: Literal["minutely", "hourly", "daily", "concurrent"] = "minutely"
    seconds: Annotated[float, Field(gt=0, le=600)] = 10.0
    clean: bool = False

    @model_validator(mode="after")
    def _fields_of_the_kind(self) -> Self:
        for name in sorted(self.model_fields_set - {"kind", "times"}):
            if name not in _FIELDS.get(self.kind, ()):
                raise ValueError(f"{name} does not belong to the kind {self.kind}")
        return self

    @classmethod
    def parse(cls, body: bytes) -> Fault:
        """Read the body of a PUT; raises ProblemError (400) that names the field and the value."""
        try:
            return cls.model_validate_json(body)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(step) for step in first["loc"])
            message = first["msg"].removeprefix("Value error, ")
            got = f", got {shown(first['input'])}" if field else ""
            raise ProblemError(400, f"{field}: {message}{got}" if field else message) from None

    def told(self) -> dict[str, Any]:
        """Give what matters of it, as it is listed."""
        return self.model_dump(include={"kind", "times", *_FIELDS.get(self.kind, ())})


class Faults:
    """The switches; requests in several threads may take from them."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._set: dict[Contract, Fault] = {}

    def put(self, contract: Contract, fault: Fault) -> None:
        """Set a switch, in place of what was set."""
        with self._lock:
            self._set[contract] = fault

    def delete(self, contract: Contract) -> None:
        """Reset a switch, also one that is not set."""
        with self._lock:
            self._set.pop(contract, None)

    def take(self, contract: Contract) -> Fault | None:
        """Give the fault of one more request, and count it."""
        with self._lock:
            fault = self._set.get(contract)
            if fault is not None and fault.times is not None:
                if fault.times == 1:
                    del self._set[contract]
                else:
                    self._set[contract] = fault.model_copy(update={"times": fault.times - 1})
            return fault

    def listed(self) -> dict[Contract, dict[str, Any] | None]:
        """List what is set, `times` being for how many requests more."""
        with self._lock:
            current = dict(self._set)
        return {name: current[name].told() if name in current else None for name in CONTRACTS}
