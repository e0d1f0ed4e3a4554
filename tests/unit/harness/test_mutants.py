"""The bench of the mutants, on a project of two lines: what it sees, what survives, what it refuses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from pipeline.infra.layout import PROJECT_ROOT
from tests.mutants.catalogue import Mutant, MutantError, applied, load
from tests.mutants.runner import Seen, judge, table

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = Mutant(
    name="off by one", file="product.py", before="return value > 3", after="return value >= 3",
    tests=("tests/test_product.py::test_at_the_line",),
)  # fmt: skip
UNSEEN = LIMIT.model_copy(update={"name": "unseen", "tests": ("tests/test_product.py::test_far_beyond",)})


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "checkout"
    (root / "tests").mkdir(parents=True)
    (root / "product.py").write_text("def crossed(value):\n    return value > 3\n", encoding="utf-8")
    (root / "tests" / "test_product.py").write_text(
        "from product import crossed\n"
        "def test_at_the_line(): assert not crossed(3)\n"
        "def test_far_beyond(): assert crossed(9)\n"
        "def test_red(): assert crossed(0)\n",
        encoding="utf-8",
    )
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    monkeypatch.setattr("tempfile.tempdir", None)
    # Most of the time of a pytest inside is that of its plugins.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    (tmp_path / "scratch").mkdir()
    return root


def judged(project: Path, *mutants: Mutant) -> list[Seen]:
    return judge(project, mutants, lambda _: None)


def test_a_mutant_is_seen_by_the_test_that_goes_red(project: Path) -> None:
    (seen,) = judged(project, LIMIT)
    assert ("off by one", "tests/test_product.py::test_at_the_line", None) == (
        seen.name,
        seen.test,
        seen.trouble,
    )


def test_one_that_no_test_sees_survives(project: Path) -> None:
    assert [LIMIT.tests[0], None] == [one.test for one in judged(project, LIMIT, UNSEEN)]


def test_the_checkout_is_left_alone_and_the_copy_goes_away(project: Path) -> None:
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    judged(project, LIMIT)
    assert before == {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    assert [] == list((project.parent / "scratch").glob("galewatch-mutants-*"))


def test_one_mutant_does_not_outlive_its_turn(project: Path) -> None:
    """A second one of the same file begins from the file as it was."""
    other = LIMIT.model_copy(update={"name": "equal", "after": "return value == 3"})
    assert 2 == sum(one.test is not None for one in judged(project, LIMIT, other))


@pytest.mark.parametrize("before", ["return value > 4", "value"])
def test_a_text_that_is_not_there_exactly_once_is_refused(project: Path, before: str) -> None:
    with pytest.raises(MutantError, match=r"off by one: product\.py has its text [02] times"):
        judged(project, LIMIT.model_copy(update={"before": before}))


def test_a_file_that_is_gone_is_refused(project: Path) -> None:
    with pytest.raises(MutantError, match=r"there is no gone\.py"):
        judged(project, LIMIT.model_copy(update={"file": "gone.py"}))


def test_nothing_is_judged_where_a_test_is_red_by_itself(project: Path) -> None:
    with pytest.raises(MutantError, match="test_red is red without a mutant"):
        judged(project, LIMIT.model_copy(update={"tests": ("tests/test_product.py",)}))


def test_a_test_that_is_not_there_judges_nothing(project: Path) -> None:
    with pytest.raises(MutantError, match="no test judged it"):
        judged(project, LIMIT.model_copy(update={"tests": ("tests/test_product.py::test_gone",)}))


def test_a_mutant_that_cannot_be_imported_is_broken_and_not_seen(project: Path) -> None:
    (seen,) = judged(project, LIMIT.model_copy(update={"after": "return value >"}))
    assert seen.test is None
    assert "no test judged it" in str(seen.trouble)
    assert "BROKEN    off by one" in table([seen])


def test_the_table_counts_what_was_seen() -> None:
    lines = table([Seen("one", "tests/test_it.py::test_it", 1.25), Seen("two", None, 3.0)]).splitlines()
    assert lines[0].split() == ["seen", "one", "1.2", "s", "tests/test_it.py::test_it"]
    assert ["SURVIVED  two", "1 of 2 mutants were seen"] == lines[1:]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_no_copy_behind(project: Path, number: signal.Signals) -> None:
    (project / "tests" / "test_product.py").write_text(
        "import time\ndef test_at_the_line(): time.sleep(60)\n", encoding="utf-8"
    )
    program = (
        "import sys; from pathlib import Path; import tests.mutants.__main__ as it\n"
        f"from tests.unit.harness.test_mutants import LIMIT\nit.PROJECT_ROOT = Path({str(project)!r})\n"
        "it.load = lambda **_: [LIMIT]\nsys.exit(it.main([]))"
    )
    running = subprocess.Popen(
        [sys.executable, "-c", program], cwd=PROJECT_ROOT, start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT)},
    )  # fmt: skip
    scratch, deadline = project.parent / "scratch", time.monotonic() + 30
    while not list(scratch.glob("galewatch-mutants-*/checkout/tests")) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(running.pid, number) if number == signal.SIGINT else running.send_signal(number)

    assert 130 == running.wait(timeout=30)
    assert [] == list(scratch.glob("galewatch-mutants-*"))


def test_every_mutant_of_this_project_can_be_made() -> None:
    """A text that was changed since would otherwise be noticed by `make mutants` only, which runs seldom."""
    mutants = load()
    assert len(mutants) >= 25
    for mutant in mutants:
        assert applied(mutant, PROJECT_ROOT) != (PROJECT_ROOT / mutant.file).read_text(encoding="utf-8")
        for test in mutant.python:
            assert (PROJECT_ROOT / test.partition("::")[0]).exists(), test


def test_without_an_engine_those_are_left_out_that_need_one() -> None:
    assert not any(mutant.engine or mutant.java for mutant in load(engine=False))
    assert ["°F read as °C"] == [mutant.name for mutant in load(named=["°F read"])]
