"""`galewatch demo` as people run it."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any, Never

import pytest
from typer.testing import CliRunner

from pipeline.cli import app

RECORDING = Path(__file__).parents[2] / "data" / "synthetic-day"


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any connection to anywhere fails the test; socket pairs, which event loops need, are none."""

    def refuse(_: socket.socket, address: Any) -> Never:
        raise AssertionError(f"a connection to {address}")

    for method in ("connect", "connect_ex", "bind", "sendto"):
        monkeypatch.setattr(socket.socket, method, refuse)


@pytest.mark.slow
@pytest.mark.usefixtures("no_network")
def test_it_shows_alerts_averages_and_a_plot_without_network_in_under_30_s(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GALEWATCH_NOW", "2026-07-01T12:34:00Z")
    monkeypatch.setenv("GALEWATCH_REPLAY", str(RECORDING))
    # Of this process alone: a machine that does other things as well is no fault of the demo.
    began = time.process_time()
    result = CliRunner().invoke(app, ["demo"])
    assert 0 == result.exit_code, result.output
    assert time.process_time() - began < 30
    for text in (
        "Recorded",
        "Temperature above 100 °F",
        "averages",
        "Legend",
        "(hour)",
    ):
        assert text in result.stdout


def test_a_recording_that_cannot_be_read_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GALEWATCH_REPLAY", str(tmp_path / "nowhere"))
    result = CliRunner().invoke(app, ["demo"])
    assert (1, "") == (result.exit_code, result.stdout)
    (sentence,) = result.stderr.splitlines()
    assert f"GALEWATCH_REPLAY: '{tmp_path / 'nowhere'}' is not a directory" in sentence
