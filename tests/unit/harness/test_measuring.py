"""How coverage is counted, and what a measured container is begun with."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING
from unittest.mock import Mock, call

import pytest

from tests.measuring.java import of_csv
from tests.measuring.kit import Kit, attach, let_it_write
from tests.measuring.totals import Totals

if TYPE_CHECKING:
    from pathlib import Path

CSV = """\
GROUP,PACKAGE,CLASS,INSTRUCTION_MISSED,INSTRUCTION_COVERED,BRANCH_MISSED,BRANCH_COVERED,LINE_MISSED,LINE_COVERED
g,galewatch.spark,Lane,1,9,1,3,2,38
g,galewatch.spark,Lane.Inner,0,9,0,6,0,60
"""


def attached() -> Mock:
    container = Mock()
    attach(container)
    return container


def test_java_is_added_up_over_classes() -> None:
    assert Totals(lines=98, all_lines=100, branches=9, all_branches=10) == of_csv(CSV)


def test_python_is_read_from_coverages_report() -> None:
    totals = {"covered_lines": 19, "num_statements": 20, "covered_branches": 8, "num_branches": 10, "else": 1}
    assert Totals(19, 20, 8, 10) == Totals.of_python({"totals": totals})


@pytest.mark.parametrize(
    ("counted", "enough"),
    [
        (Totals(95, 100, 90, 100), True),
        (Totals(949, 1000, 90, 100), False),
        (Totals(95, 100, 899, 1000), False),
    ],
)
def test_enough_is_95_percent_of_lines_and_90_of_branches(counted: Totals, enough: bool) -> None:  # noqa: FBT001
    assert enough is counted.enough
    assert enough is not ("BELOW" in counted.told("Java"))


def test_a_total_is_told_in_percent() -> None:
    assert "Java    lines 98.0 % of 100, branches 90.0 % of 10" == of_csv(CSV).told("Java")


def test_without_a_kit_a_container_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GALEWATCH_COVERAGE", raising=False)
    assert [] == attached().mock_calls


def test_with_a_kit_python_and_java_are_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GALEWATCH_COVERAGE", str(tmp_path))
    container = attached()
    assert [
        call(f"{tmp_path}/tools", "/opt/measuring", "ro"),
        call(f"{tmp_path}/data", "/var/measured", "rw"),
    ] == container.with_volume_mapping.mock_calls
    set_to = {made.args[0] for made in container.with_env.mock_calls}
    assert {"PYTHONPATH", "COVERAGE_PROCESS_START", "JAVA_TOOL_OPTIONS"} == set_to


def test_a_measured_container_has_time_to_write(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    container = Mock()
    monkeypatch.delenv("GALEWATCH_COVERAGE", raising=False)
    let_it_write(container)
    assert [] == container.mock_calls
    monkeypatch.setenv("GALEWATCH_COVERAGE", str(tmp_path))
    let_it_write(container)
    assert [
        call.get_wrapped_container(),
        call.get_wrapped_container().stop(timeout=60),
    ] == container.mock_calls


def test_an_interpreter_with_the_tools_measures_by_itself(tmp_path: Path) -> None:
    """As in a container, with the folders of this machine."""
    kit = Kit(tmp_path / "kit")
    kit.make(b"a jar")
    program = tmp_path / "program.py"
    program.write_text("print('done')\n", encoding="utf-8")
    rc = tmp_path / "rc"
    text = (kit.folder / "tools" / "rc").read_text(encoding="utf-8")
    rc.write_text(
        text.replace("/var/measured", str(kit.data)).replace("/opt/galewatch/app", str(tmp_path)), "utf-8"
    )
    subprocess.run(
        [sys.executable, str(program)], check=True, capture_output=True,
        env={"PYTHONPATH": str(kit.folder / "tools"), "COVERAGE_PROCESS_START": str(rc)},
    )  # fmt: skip
    assert 1 == len(list(kit.data.glob("data.*")))


def test_the_hook_goes_away_again(tmp_path: Path) -> None:
    packages = tmp_path / "lib" / "python3.11" / "site-packages"
    packages.mkdir(parents=True)
    with Kit(tmp_path / "kit").hooked(tmp_path):
        (hook,) = packages.iterdir()
        subprocess.run([sys.executable, "-I", "-c", hook.read_text(encoding="utf-8")], check=True, env={})
    assert [] == list(packages.iterdir())
