"""For all tests: no skip but those on the list, Hypothesis's zeal, no old leftovers, what was proven."""

from __future__ import annotations

import signal
from fnmatch import fnmatchcase
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import proven

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from tests.java_avro import JavaAvro

# The environment of Airflow's own tests has no Hypothesis.
if find_spec("hypothesis"):
    from tests import profiles

    profiles.load()

# Nor a client of the engine.
if find_spec("docker"):
    from tests.leftovers import sweep_before

    def pytest_collection_finish(session: pytest.Session) -> None:
        """Remove what killed runs left, before the first test that uses the engine."""
        sweep_before(session)


@pytest.fixture(scope="session")
def java() -> Iterator[JavaAvro]:
    """Java's Avro, for all tests that ask it."""
    from tests.java_avro import java_avro  # noqa: PLC0415 - the environment of Airflow's tests has no Java

    with java_avro() as opened:
        yield opened


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add an option of our own."""
    proven.add_option(parser)


ALLOWED_SKIPS = Path(__file__).with_name("allowed-skips.txt")


class SkipGuard:
    """Turns a skip whose reason is not on the list into a failure: no run passes by leaving tests out."""

    def __init__(self, allowed: Path) -> None:
        lines = (line.strip() for line in allowed.read_text(encoding="utf-8").splitlines())
        self._patterns = [line for line in lines if line and not line.startswith("#")]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Judge the report of each phase of a test; an expected failure (xfail) is none of this."""
        report = yield
        if not hasattr(report, "wasxfail"):
            self._judge(report)
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Judge a whole module that skips itself, as importorskip does."""
        report = yield
        self._judge(report)
        return report

    def _judge(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if not report.skipped or not isinstance(report.longrepr, tuple):
            return
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if not any(fnmatchcase(reason, pattern) for pattern in self._patterns):
            report.outcome = "failed"
            report.longrepr = f"Skipped for a reason that is not in {ALLOWED_SKIPS.name}: {reason}"


def pytest_configure(config: pytest.Config) -> None:
    """Register the guard for all tests of the run, whatever folder they are in, and let Ctrl-C be one.

    A shell lets what it begins in the background ignore SIGINT, and that is inherited: tests that press
    Ctrl-C would then wait in vain, and whoever wants to end the run, too.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config.pluginmanager.register(SkipGuard(ALLOWED_SKIPS), "galewatch-skips")
    proven.register(config)
