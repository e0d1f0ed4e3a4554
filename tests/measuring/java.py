"""JaCoCo, with which the Java of Spark's image is built: its agent, and its report on what agents wrote."""

from __future__ import annotations

import csv
import io
import subprocess
from typing import TYPE_CHECKING, Final

from tests import java_stage
from tests.measuring.totals import Totals

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["JavaBuild"]

_AGENT: Final = "find /build/repository -name 'org.jacoco.agent-*-runtime.jar' -print -quit | xargs cat"
# The unit tests wrote target/jacoco.exec when the image was built; agents append to a file of the same kind.
_REPORT: Final = (
    "cat /measured/java.exec >> target/jacoco.exec 2>/dev/null; "
    "mvn --batch-mode --quiet --offline --settings /build/settings.xml jacoco:report@report >&2 "
    "&& cat target/site/jacoco/jacoco.csv"
)


class JavaBuild:
    """The stage of Spark's image in which the Java is compiled and tested, with all that Maven needs.

    It is in the engine's cache since the image was built, and stays there.
    """

    def __init__(self, root: Path) -> None:
        built = java_stage.build(root, java_stage.images(root))
        if not built.image:
            raise RuntimeError(f"the Java of Spark's image cannot be built:\n{built.text[-3000:]}")
        self._image = built.image

    def agent(self) -> bytes:
        """Give the jar that a JVM is begun with."""
        return self._run(_AGENT)

    def totals(self, data: Path) -> Totals:
        """Count what the unit tests and the agents that wrote to `data` ran, together."""
        text = self._run(_REPORT, "--volume", f"{data}:/measured:ro").decode()
        return of_csv(text)

    def _run(self, script: str, *options: str) -> bytes:
        line = ["docker", "run", "--rm", "--network", "none", *options, self._image, "bash", "-c", script]
        return subprocess.run(line, check=True, stdout=subprocess.PIPE).stdout


def of_csv(text: str) -> Totals:
    """Add up JaCoCo's CSV, a row for each class."""
    rows = list(csv.DictReader(io.StringIO(text)))

    def total(name: str) -> int:
        return sum(int(row[name]) for row in rows)

    lines, branches = total("LINE_COVERED"), total("BRANCH_COVERED")
    return Totals(lines, lines + total("LINE_MISSED"), branches, branches + total("BRANCH_MISSED"))
