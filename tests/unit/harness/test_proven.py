"""The table of what was proven, as a pytest inside prints it for tests that pass, fail and say something."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.infra.layout import PROJECT_ROOT
from tests.proven_table import Budget, Suite, budgets, mutants, told

if TYPE_CHECKING:
    from pathlib import Path

CONFTEST = """
from tests.proven import add_option as pytest_addoption
from tests.proven import register as pytest_configure
"""

PROPERTIES = """
from hypothesis import assume, given, settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

@settings(max_examples=7, database=None)
@given(strategies.integers())
def test_law(number):
    assume(number != 3)

@settings(max_examples=9, database=None)
@given(strategies.integers())
def test_no_law(number):
    assert number < 3

class Machine(RuleBasedStateMachine):
    @rule()
    def step(self): pass

def test_machine(record_property):
    for _ in range(2):
        run_state_machine_as_test(Machine, settings=settings(max_examples=5, database=None))
    record_property("proven_states", {"machine": "a lift", "examples": 10, "steps": 500})
"""

FAULTS = """
import pytest

def say(record_property, fault):
    record_property("proven_fault", {"fault": fault, "observed": "exit code 137", "outcome": "the same tables", "recovery_s": 4.25})
    record_property("proven_rows", {"hop": "topic to Cassandra", "rows": 1200})

def test_killed(record_property): say(record_property, "SIGKILL of the broker")

def test_lost(record_property):
    say(record_property, "SIGKILL of Cassandra")
    assert False

@pytest.mark.full
def test_compared(record_property):
    record_property("proven_rows", {"hop": "topic to Cassandra", "rows": 34})
    record_property("proven_vectors", {"vectors": "all pairs", "rows": 264})
    record_property("something_else", 1)
"""  # noqa: E501 - as a test would have it


def run(folder: Path, *arguments: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", folder, *arguments],
        capture_output=True, text=True, check=False, cwd=folder, timeout=60,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(PROJECT_ROOT)},
    )  # fmt: skip
    assert "" == done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    for name, text in {"property": PROPERTIES, "e2e": FAULTS}.items():
        (folder / "tests" / name).mkdir(parents=True)
        (folder / "tests" / name / f"test_{name}.py").write_text(text, encoding="utf-8")
    (folder / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = full: takes too long\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def printed(project: Path) -> list[str]:
    """Two runs one after the other into one file, as `make test` has them; what the second printed."""
    run(project, "--proven", "kept/proven.json", "tests/property", "-p", "_hypothesis_pytestplugin")
    return run(project, "--proven", "kept/proven.json", "tests/e2e").splitlines()


def test_both_runs_are_told_before_the_last_line_which_stays_pytests(printed: list[str]) -> None:
    title = next(at for at, line in enumerate(printed) if "what was proven" in line)
    table = "\n".join(printed[title:])

    assert re.search(r"tests/e2e +2 \(1 failed\)", table)
    assert re.search(r"tests/property +2 \(1 failed\)", table)
    assert re.fullmatch(r"=+ 1 failed, 2 passed in [\d.]+s =+", printed[-1])


def test_examples_are_counted_that_passed_in_a_test_that_passed(printed: list[str]) -> None:
    # the property's 7 and the machine's twice 5
    assert any(re.search(r"^tests/property .* 2 +17 ", line) for line in printed)
    assert any(re.search(r"^a lift +10 +500$", line) for line in printed)


def test_a_fault_is_told_with_what_was_seen_and_how_long_it_took(printed: list[str]) -> None:
    assert any(
        re.search(r"^SIGKILL of the broker +exit code 137 +the same tables +4\.2 s", line) for line in printed
    )


def test_what_a_failed_test_said_is_not_told(printed: list[str]) -> None:
    assert not any(line.startswith("SIGKILL of Cassandra ") for line in printed)
    assert any(re.search(r"^rows compared +1,234$", line) for line in printed)


def test_vectors_are_told(printed: list[str]) -> None:
    assert any(re.search(r"^all pairs +264$", line) for line in printed)


def test_the_file_holds_the_same(printed: list[str], project: Path) -> None:
    kept: dict[str, Any] = json.loads((project / "kept" / "proven.json").read_text(encoding="utf-8"))
    assert printed
    assert {"tests/e2e", "tests/property"} == set(kept)
    assert (2, 17) == (kept["tests/property"]["properties"], kept["tests/property"]["examples"])
    assert kept["tests/e2e"]["full"]
    assert 4.25 == kept["tests/e2e"]["said"]["proven_fault"][0]["recovery_s"]


def test_mutants_are_told_where_they_were_judged(tmp_path: Path) -> None:
    file = tmp_path / "mutants.json"
    assert [] == list(mutants(file))
    file.write_text('[{"test": "tests/test_it.py::test_it"}, {"test": null}]', encoding="utf-8")
    os.utime(file, (0, 0))
    assert ["", "mutants seen  1 of 2, at 1970-01-01 00:00 UTC"] == list(mutants(file))


def test_a_run_that_is_not_asked_tells_nothing(project: Path) -> None:
    assert "what was proven" not in run(project, "tests/e2e")


def lines(suite: Suite) -> str:
    return "\n".join(told({"tests/unit": suite}, {"tests/unit": Budget(test=60, full=90)}))


def test_a_row_stays_on_a_screen() -> None:
    fault = {"fault": "cut", "observed": "word " * 99, "outcome": "the same tables", "recovery_s": 1.0}
    row = lines(Suite(said={"proven_fault": [fault]})).splitlines()[-1]
    assert re.fullmatch(r"cut +(word ){12}wor…  the same tables +1\.0 s", row)


def test_a_suite_within_its_budget_is_told_beside_it() -> None:
    assert re.search(r"tests/unit +3 +60 +60$", lines(Suite(passed=3, seconds=60.0)))


def test_a_suite_over_its_budget_is_named_so() -> None:
    assert re.search(r"61 +60 +OVER ITS BUDGET$", lines(Suite(passed=3, seconds=61.0)))


def test_tests_that_take_long_have_a_budget_of_their_own() -> None:
    assert re.search(r"61 +90$", lines(Suite(passed=3, seconds=61.0, full=True)))


def test_a_suite_without_a_budget_is_named_so() -> None:
    assert "none in docs/testing.md" in "\n".join(told({"tests/new": Suite(passed=1)}, {}))


def test_the_suites_of_this_project_have_budgets_that_make_test_holds() -> None:
    of_suites = budgets()
    tests = PROJECT_ROOT / "tests"
    suites = {f"tests/{path.relative_to(tests).parts[0]}" for path in tests.glob("*/**/test_*.py")}

    assert suites | {"infra/provider/tests"} == set(of_suites)
    assert sum(budget.test for budget in of_suites.values()) <= 35 * 60
    assert all(budget.test <= budget.full for budget in of_suites.values())
