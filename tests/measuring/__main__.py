"""Runs the tests and tells which lines and branches of the product they ran, inside of containers, too."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from pipeline.infra.layout import PROJECT_ROOT
from tests.measuring.java import JavaBuild
from tests.measuring.kit import Kit
from tests.measuring.totals import Totals

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_WORK: Final = PROJECT_ROOT / ".galewatch" / "coverage"
_AIRFLOW: Final = PROJECT_ROOT / ".venv-airflow"
_USUAL: Final = ("-m", "not full")


def main(arguments: Sequence[str]) -> int:
    """Measure; `arguments` go to pytest. The exit code is 1 where a test failed or too little was run."""
    kit = Kit(_WORK / "kit")
    shutil.rmtree(_WORK, ignore_errors=True)
    _WORK.mkdir(parents=True)
    java = JavaBuild(PROJECT_ROOT)
    kit.make(java.agent())
    with kit.hooked(PROJECT_ROOT / ".venv"), kit.hooked(_AIRFLOW):
        passed = _tests(kit, arguments or _USUAL)
    totals = {"Python": _python(kit), "Java": java.totals(kit.data)}
    for language, counted in totals.items():
        print(counted.told(language))  # noqa: T201 - what it is for
    return int(not passed or not all(counted.enough for counted in totals.values()))


def _tests(kit: Kit, arguments: Sequence[str]) -> bool:
    def code(python: str, *arguments: str, **more: str) -> int:
        environment = {**os.environ, **kit.environment, **more}
        line = [python, "-m", "coverage", "run", "-m", "pytest", *arguments]
        return subprocess.run(line, cwd=PROJECT_ROOT, env=environment, check=False).returncode

    # Airflow's environment has no coverage of its own.
    airflow = str(_AIRFLOW / "bin" / "python")
    codes = (
        code(sys.executable, *arguments),
        code(airflow, "tests/airflow", *_USUAL, PYTHONPATH=str(kit.python)),
    )
    return not any(codes)


def _python(kit: Kit) -> Totals:
    """Put all that was measured together, and show the files of which something was not run."""
    _coverage("combine", "--quiet", str(_WORK), str(kit.data))
    report: Path = _WORK / "python.json"
    _coverage("json", "--quiet", "-o", str(report))
    _coverage("report")
    return Totals.of_python(json.loads(report.read_text(encoding="utf-8")))


def _coverage(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "coverage", *arguments], cwd=PROJECT_ROOT, check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
