"""What a driver is told by its environment; the services that it talks to have settings of their own."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from pipeline.settings import ComponentSettings
from pipeline.streaming.failpoints import Failpoint  # noqa: TC001 - pydantic reads it

__all__ = ["DriverSettings"]


def _separated(text: object) -> object:
    return [one for one in text.split(",") if one] if isinstance(text, str) else text


class DriverSettings(ComponentSettings):
    """GALEWATCH_DRIVER_…: `index` tells the `copies` of a driver apart, each has checkpoints of its own.

    `trigger` is that of the alerts; of the others each has its own.

    `checkpoints` is the same folder for the driver and for its executors, `heartbeat` a file of the
    driver's own, `host` the name under which the executors reach it.

    `failpoints` are for tests, separated by commas; see pipeline.streaming.failpoints.
    """

    model_config = SettingsConfigDict(env_prefix="GALEWATCH_DRIVER_")

    index: Annotated[int, Field(ge=0, le=9)] = 0
    copies: Annotated[int, Field(ge=1, le=10)] = 1
    trigger: Literal["realtime", "microbatch"] = "realtime"
    master: Annotated[str, Field(pattern=r"^(spark://[^\s/:]+:\d+(,[^\s/:]+:\d+)*|local\[\d+\])$")] = (
        "spark://spark-master:7077"
    )
    host: Annotated[str, Field(min_length=1)] = Field(default_factory=socket.gethostname)
    checkpoints: Path = Path("/var/lib/galewatch/checkpoints")
    heartbeat: Path = Path("/tmp/galewatch/heartbeat")  # noqa: S108 - a folder of the container's entry point
    failpoints: Annotated[tuple[Failpoint, ...], NoDecode, BeforeValidator(_separated)] = ()

    @field_validator("failpoints")
    @classmethod
    def _known_in_micro_batches(
        cls, failpoints: tuple[Failpoint, ...], info: ValidationInfo
    ) -> tuple[Failpoint, ...]:
        """Refuse the one that only Real-Time Mode has: micro-batches note their offsets before the sink."""
        if "alerts:after-sink" in failpoints and info.data.get("trigger") == "microbatch":
            raise ValueError("alerts:after-sink is none of the trigger microbatch")
        return failpoints
