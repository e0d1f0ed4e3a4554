"""The Makefile and the program behind it, as a user meets them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from typer.main import get_command

from pipeline.infra.commands import app
from pipeline.infra.layout import PROJECT_ROOT
from pipeline.infra.prepare import proxies
from pipeline.infra.progress import duration
from pipeline.infra.provision import readable_address
from pipeline.infra.requirements import sources

if TYPE_CHECKING:
    from pathlib import Path


MAKEFILE = (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8")
# Steps of other targets, not commands.
INTERNAL = {"environments"}


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):(?!=)", MAKEFILE, re.MULTILINE))


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipeline.infra", *arguments],
        cwd=PROJECT_ROOT, env={**os.environ, **environment},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_help_is_the_default_goal_and_lists_every_target() -> None:
    done = subprocess.run(["make"], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    listed = set(re.findall(r"^  ([a-z-]+) ", done.stdout, re.MULTILINE))
    assert listed == targets() - INTERNAL


def test_every_target_is_phony() -> None:
    (names,) = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert set(names.split()) == targets()


def test_every_command_that_the_makefile_calls_is_there() -> None:
    called = set(re.findall(r"(?:\$\(galewatch\)|-m pipeline\.infra) ([a-z]+)", MAKEFILE))
    assert called <= set(get_command(app).commands)  # type: ignore[attr-defined] # a group, says typer


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["status", "--environment", "Dev!"], "ENV must be 2 to 16 lowercase letters and digits"),
        (
            ["plan", "--environment", "nowhere"],
            "There is no infra/terraform/environments/nowhere.tfvars; ENV may",
        ),
        (["logs", "kafka", "--environment", "nobody"], "S must name a service, not 'kafka'. There are: none"),
    ],
)
def test_an_expected_error_is_one_sentence_without_a_traceback(arguments: list[str], words: str) -> None:
    done = run(*arguments)
    assert done.returncode == 1
    assert words in done.stderr or "Docker engine" in done.stderr
    assert "Traceback" not in done.stderr


def test_wipe_without_a_terminal_removes_nothing() -> None:
    done = run("wipe", "--environment", "nobody")
    assert done.returncode == 1
    assert "make wipe YES=1" in done.stderr
    assert "Nothing was removed." in done.stderr


INTERRUPTED = """
import sys, time
from pipeline.infra import commands as program
from pipeline.infra.layout import Layout
program.Layout = lambda environment: Layout(environment, __import__("pathlib").Path(sys.argv[1]))
def work(layout, progress):
    with progress.step("Something long"):
        print("begun", flush=True)
        time.sleep(60)
program._run("up", "dev", work)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_says_that_the_command_may_be_repeated(tmp_path: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(tmp_path)],
        cwd=PROJECT_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    began = time.monotonic()
    process.send_signal(number)
    _, told = process.communicate(timeout=20)
    assert time.monotonic() - began < 10
    assert process.returncode == 130
    assert "`make up` again completes it" in told
    assert "Traceback" not in told
    (log,) = (tmp_path / ".galewatch" / "logs").glob("up-*.log")
    assert "KeyboardInterrupt" in log.read_text(encoding="utf-8")


def test_proxies_go_on_to_the_builds_and_loopback_never_to_a_proxy() -> None:
    assert proxies({"NO_PROXY": "localhost"}) == {}
    environment = {"https_proxy": "http://p:1", "HTTPS_PROXY": "http://q:2", "NO_PROXY": "10.0.0.0/8"}
    assert proxies(environment) == {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"}
    code = (
        "import os; from pipeline.infra.prepare import keep_loopback_direct as k; k(); k(); "
        "print(os.environ['no_proxy'], os.environ['NO_PROXY'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True,
        env={**os.environ, "no_proxy": "a.example", "NO_PROXY": ""},
    )  # fmt: skip
    assert done.stdout.split() == ["a.example,127.0.0.1,localhost,::1", "127.0.0.1,localhost,::1"]


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("module.kafka.docker_container.this", "kafka"),
        ("module.image_kafka.docker_image.this", "image kafka"),
        ('module.spark_worker["0"].docker_container.this', "spark worker 0"),
        ("module.spark_worker[1].docker_container.this", "spark worker 1"),
        ("docker_network.main", "network main"),
        ('docker_volume.this["kafka"]', 'volume["kafka"]'),
    ],
)
def test_addresses_are_shown_as_people_call_them(address: str, shown: str) -> None:
    assert readable_address(address) == shown


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (9.96, "10.0 s"), (12.4, "12 s"), (59.6, "1 min 00 s"), (185, "3 min 05 s")],
)
def test_durations_read_well(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_every_file_of_pins_is_written_by_make_requirements() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "*requirements*.txt", "requirements/*"],
        cwd=PROJECT_ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    written = {f"requirements/{name}.txt" for name in sources(PROJECT_ROOT)}
    assert {path for path in listed if path.endswith(".txt")} == written


def test_every_pin_has_a_hash_and_no_address() -> None:
    for extra in sources(PROJECT_ROOT):
        text = (PROJECT_ROOT / "requirements" / f"{extra}.txt").read_text(encoding="utf-8")
        pins = re.findall(r"^[A-Za-z0-9][^\s=]*==\S+ \\\n    --hash=sha256:", text, re.MULTILINE)
        assert pins, extra
        assert len(pins) == len(re.findall(r"^[A-Za-z0-9]", text, re.MULTILINE)), (
            f"{extra}: a pin without a hash"
        )
        assert "://" not in text, f"{extra}: an address"
