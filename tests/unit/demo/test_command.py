"""`galewatch demo` as people run it."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import app

RECORDING = Path(__file__).parents[2] / "data" / "synthetic-day"


# In a process of its own: threads of this one, such as clients of stopped services, connect as they like.
WITHOUT_NETWORK = """
import os
import sys

def refuse(event, args):
    if event in ("socket.bind", "socket.connect", "socket.getaddrinfo", "socket.sendto"):
        os.write(2, f"{event} {args}".encode())
        os._exit(70)

sys.addaudithook(refuse)
"""


def _without_network(program: str, *arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Any use of an address ends the process; socket pairs, which event loops need, are none."""
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_NETWORK + program, *arguments],
        capture_output=True,
        text=True,
        env=os.environ | env,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
def test_it_shows_alerts_averages_and_a_plot_without_network_in_under_30_s() -> None:
    # Of the command's process alone: a machine that does other things as well is no fault of the demo.
    began = _processor_seconds_of_children()
    result = _without_network(
        "from pipeline.cli import app; app()",
        "demo",
        env={"GALEWATCH_NOW": "2026-07-01T12:34:00Z", "GALEWATCH_REPLAY": str(RECORDING)},
    )
    assert 0 == result.returncode, result.stderr
    # `make coverage` makes Python slower.
    assert _processor_seconds_of_children() - began < (120 if "GALEWATCH_COVERAGE" in os.environ else 30)
    for text in (
        "Recorded",
        "Temperature above 100 °F",
        "averages",
        "Legend",
        "(hour)",
    ):
        assert text in result.stdout


@pytest.mark.parametrize(
    "use",
    [
        "socket.create_server(('127.0.0.1', 0))",
        "socket.socket().connect(('127.0.0.1', 1))",
        "socket.getaddrinfo('localhost', 1)",
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('127.0.0.1', 1))",
    ],
)
def test_any_use_of_the_network_would_have_been_seen(use: str) -> None:
    result = _without_network(f"import socket; {use}", env={})
    assert (70, "socket.") == (result.returncode, result.stderr[:7])


def _processor_seconds_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def test_a_recording_that_cannot_be_read_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GALEWATCH_REPLAY", str(tmp_path / "nowhere"))
    result = CliRunner().invoke(app, ["demo"])
    assert (1, "") == (result.exit_code, result.stdout)
    (sentence,) = result.stderr.splitlines()
    assert f"GALEWATCH_REPLAY: '{tmp_path / 'nowhere'}' is not a directory" in sentence
