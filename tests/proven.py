"""What a run has proven, told before pytest's last line: `--proven FILE`.

Tests say what they proved with pytest's own `record_property(name, value)`.
What a failed test says is left out.

| name             | value: a dictionary of                      | where                                |
|------------------|---------------------------------------------|--------------------------------------|
| `proven_fault`   | `fault`, `observed`, `outcome`, `recovery_s` | a fault, made and survived           |
| `proven_rows`    | `hop`, `rows`                               | rows that are exactly those expected |
| `proven_states`  | `machine`, `examples`, `steps`              | a state machine on a real service    |
| `proven_vectors` | `vectors`, `rows`                           | answers of others, agreed with       |

Hypothesis's examples are counted here. FILE is JSON; a run adds its suites to those that FILE holds, so that
the runs of `make test` are told in one table.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.proven_table import Suite, mutants, told

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["Proven", "add_option", "register"]

_EXAMPLES: Final = "proven_examples"
_SAID: Final = ("proven_fault", "proven_rows", "proven_states", "proven_vectors")


def add_option(parser: pytest.Parser) -> None:
    """Add `--proven` to pytest's options."""
    parser.addoption(
        "--proven", metavar="FILE", type=Path, help="tell what was proven, and add it to FILE, which is JSON"
    )


def register(config: pytest.Config) -> None:
    """Watch the run where `--proven` asks for it."""
    if file := config.getoption("--proven"):
        config.pluginmanager.register(Proven(file), "galewatch-proven")


@dataclass(slots=True)
class _Test:
    """A test so far: its phases' seconds, and what it said."""

    seconds: float = 0.0
    passed: bool = False
    failed: bool = False
    full: bool = False
    said: list[tuple[str, Any]] = field(default_factory=list)


class Proven:
    """Adds up the reports of a run."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._tests: dict[str, _Test] = {}

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Count the examples that Hypothesis lets the test pass, a state machine's too."""
        if "hypothesis" not in sys.modules:
            return (yield)
        from hypothesis.statistics import collector  # noqa: PLC0415 - not in Airflow's environment

        outer, examples = collector.value, 0

        def count(statistics: dict[str, Any]) -> None:
            nonlocal examples
            for phase in ("reuse-phase", "generate-phase"):
                cases = statistics.get(phase, {}).get("test-cases", [])
                examples += sum(case["status"] == "valid" for case in cases)
            if outer:
                outer(statistics)

        with collector.with_value(count):  # type: ignore[arg-type]  # its default is None
            try:
                return (yield)
            finally:
                if examples:
                    item.user_properties.append((_EXAMPLES, examples))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a phase of a test."""
        test = self._tests.setdefault(report.nodeid, _Test())
        test.seconds += report.duration
        test.failed |= report.failed
        test.passed |= report.when == "call" and report.passed
        test.full |= "full" in report.keywords
        test.said = report.user_properties

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tell it, and keep it."""
        if not self._tests:
            return
        suites = self._earlier() | self._suites()
        self._file.parent.mkdir(parents=True, exist_ok=True)
        kept = {name: asdict(suite) for name, suite in sorted(suites.items())}
        self._file.write_text(json.dumps(kept, indent=1, default=str) + "\n", encoding="utf-8")
        terminalreporter.section("what was proven")
        for line in [*told(suites), *mutants(self._file.with_name("mutants.json"))]:
            terminalreporter.write_line(line)

    def _earlier(self) -> dict[str, Suite]:
        if not self._file.exists():
            return {}
        kept = json.loads(self._file.read_text(encoding="utf-8"))
        return {name: Suite(**values) for name, values in kept.items()}

    def _suites(self) -> dict[str, Suite]:
        suites: dict[str, Suite] = {}
        for nodeid, test in self._tests.items():
            suite = suites.setdefault(_folder(nodeid), Suite())
            suite.seconds += test.seconds
            suite.full |= test.full
            suite.failed += test.failed
            if not test.passed or test.failed:
                continue
            suite.passed += 1
            for name, value in test.said:
                if name == _EXAMPLES:
                    suite.properties += 1
                    suite.examples += value
                elif name in _SAID:
                    suite.said.setdefault(name, []).append(value)
        return suites


def _folder(nodeid: str) -> str:
    """Give a test's suite: tests/unit and its like, or the folder named tests."""
    parts = nodeid.partition("::")[0].split("/")[:-1]
    if "tests" not in parts:
        return "/".join(parts) or "."
    at = parts.index("tests")
    return "/".join(parts[: at + 2])
