"""What containers are measured with: a folder that tests mount where `make coverage` made one.

`GALEWATCH_COVERAGE` names it. `tools` is mounted for reading: Python's coverage, which the interpreter begins
with by itself, and JaCoCo's agent, which every JVM takes along. `data` takes what both write.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testcontainers.core.container import DockerContainer

__all__ = ["Kit", "attach", "let_it_write"]

_VARIABLE: Final = "GALEWATCH_COVERAGE"
_TOOLS: Final = "/opt/measuring"
_DATA: Final = "/var/measured"
_APP: Final = "/opt/galewatch/app"

_RC: Final = f"""
[run]
branch = true
data_file = {_DATA}/data
parallel = true
sigterm = true
source = {_APP}
"""
# The JVM of a driver is killed as soon as Python has ended: before that its agent has to write.
_BEGIN: Final = """\
import atexit
import sys

import coverage

coverage.process_startup()


@atexit.register
def _let_the_jvm_write():
    pyspark = sys.modules.get("pyspark")
    if pyspark and (gateway := pyspark.SparkContext._gateway):
        gateway.jvm.org.jacoco.agent.rt.RT.getAgent().dump(False)
"""

# For an environment without coverage: a line that the interpreter runs when it begins, and that does nothing
# outside of a measured run.
_HOOK: Final = (
    "import os, sys; exec(\"if os.getenv('COVERAGE_PROCESS_CONFIG') and os.getenv('GALEWATCH_COVERAGE'):\\n "
    "sys.path.append(os.environ['GALEWATCH_COVERAGE'] + '/packages')\\n "
    'import coverage\\n coverage.process_startup()")\n'
)


class Kit:
    """The folder, made anew."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"

    @property
    def python(self) -> Path:
        """A folder for PYTHONPATH that holds nothing but the package coverage."""
        return self.folder / "packages"

    @property
    def environment(self) -> dict[str, str]:
        """Tells the tests of it."""
        return {_VARIABLE: str(self.folder)}

    def make(self, agent: bytes) -> None:
        """Write everything; `agent` is JaCoCo's jar."""
        shutil.rmtree(self.folder, ignore_errors=True)
        tools = self.folder / "tools"
        for place in (self.python, tools):
            shutil.copytree(_package(), place / "coverage", ignore=shutil.ignore_patterns("__pycache__"))
        (tools / "sitecustomize.py").write_text(_BEGIN, encoding="utf-8")
        (tools / "rc").write_text(_RC, encoding="utf-8")
        (tools / "jacoco.jar").write_bytes(agent)
        self.data.mkdir()
        # Each container has users of its own.
        self.data.chmod(0o777)

    @contextmanager
    def hooked(self, environment: Path) -> Iterator[None]:
        """Let programs of a virtual environment be measured as well, as the offline provider of .venv is."""
        (packages,) = environment.glob("lib/python3.*/site-packages")
        hook = packages / "galewatch_measuring.pth"
        hook.write_text(_HOOK, encoding="utf-8")
        try:
            yield
        finally:
            hook.unlink()


def attach(container: DockerContainer) -> None:
    """Let a container of Spark's image be measured, where there is a kit."""
    if not (folder := os.environ.get(_VARIABLE)):
        return
    container.with_volume_mapping(f"{folder}/tools", _TOOLS, "ro")
    container.with_volume_mapping(f"{folder}/data", _DATA, "rw")
    container.with_env("PYTHONPATH", f"{_APP}:{_TOOLS}")
    container.with_env("COVERAGE_PROCESS_START", f"{_TOOLS}/rc")
    # Many JVMs write to the one file in turn.
    options = f"destfile={_DATA}/java.exec,append=true,includes=galewatch.spark.*"
    container.with_env("JAVA_TOOL_OPTIONS", f"-javaagent:{_TOOLS}/jacoco.jar={options}")


def let_it_write(container: DockerContainer) -> None:
    """End a measured container as its driver ends by itself: one that is killed has written nothing."""
    if os.environ.get(_VARIABLE) and (running := container.get_wrapped_container()):
        running.stop(timeout=60)


def _package() -> Path:
    found = find_spec("coverage")
    assert found, "this environment has no coverage"
    assert found.origin, "coverage is no package"
    return Path(found.origin).parent
