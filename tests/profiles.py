"""How zealous Hypothesis is: profiles of our own, one of which HYPOTHESIS_PROFILE names.

| profile   | examples | drawn              | for                                                    |
|-----------|----------|--------------------|--------------------------------------------------------|
| pr        | 200      | the same each time | what is pure; the default                              |
| container | 30       | the same each time | an example that asks a server                          |
| spark     | 15       | the same each time | an example that asks Spark                             |
| nightly   | 20,000   | at random          | everything, in proportion; failures are kept and shown |

Named explicitly, because Hypothesis takes its own profile `ci` where CI is set. No deadline: a machine that
is busy with containers makes any single example slow.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from hypothesis import HealthCheck, Phase, settings
from hypothesis.database import DirectoryBasedExampleDatabase

__all__ = ["CONTAINER", "SPARK", "SPARK_FEW", "load"]

_EXAMPLES: Final = {"pr": 200, "container": 30, "spark": 15, "nightly": 20_000}
_FAILURES: Final = Path(__file__).parents[1] / ".hypothesis" / "examples"


def _chosen() -> str:
    """Give the profile that the environment names."""
    name = os.environ.get("HYPOTHESIS_PROFILE") or "pr"
    if name not in _EXAMPLES:
        raise ValueError(f"HYPOTHESIS_PROFILE is {name!r}: there are {', '.join(_EXAMPLES)}")
    return name


def _costly(name: str) -> settings:
    """Give the settings of properties whose examples cost more: as many times fewer in every profile."""
    loaded = settings.get_profile(_chosen())
    return settings(
        loaded, max_examples=max(_EXAMPLES[name], loaded.max_examples * _EXAMPLES[name] // _EXAMPLES["pr"])
    )


def load() -> None:
    """Take the profile that the environment names."""
    settings.load_profile(_chosen())


for _name, _examples in _EXAMPLES.items():
    settings.register_profile(
        _name,
        settings(),
        deadline=None,
        max_examples=_examples,
        print_blob=True,
        derandomize=_name != "nightly",
        database=DirectoryBasedExampleDatabase(_FAILURES) if _name == "nightly" else None,
    )

CONTAINER: Final = _costly("container")
"""For a property whose example asks a server."""

# A failure is shown as it was drawn: to make it smaller takes some hundred examples, which are minutes.
_NO_SHRINKING: Final = [phase for phase in Phase if phase is not Phase.shrink or _chosen() == "nightly"]

SPARK: Final = settings(_costly("spark"), phases=_NO_SHRINKING)
"""For a property whose example asks Spark."""

SPARK_FEW: Final = settings(
    SPARK, max_examples=SPARK.max_examples // 5, suppress_health_check=[HealthCheck.too_slow]
)
"""For one whose example is many readings."""
