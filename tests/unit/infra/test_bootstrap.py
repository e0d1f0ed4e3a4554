"""infra/bootstrap, run for real in a small checkout: one package instead of many, all else the same."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pipeline.infra.layout import PROJECT_ROOT

if TYPE_CHECKING:
    from pathlib import Path


UV = PROJECT_ROOT / ".galewatch" / "uv"


def pinned(package: str = "typing-extensions") -> str:
    """The lines of one package, with its hashes, out of the real file."""
    text = (PROJECT_ROOT / "requirements" / "host.txt").read_text(encoding="utf-8")
    (lines,) = re.findall(rf"^{package}==.*?(?=^\S)", text + "end", re.DOTALL | re.MULTILINE)
    return str(lines)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    for folder in ("infra", "requirements", "pipeline", ".galewatch"):
        (root / folder).mkdir(parents=True)
    shutil.copy(PROJECT_ROOT / "infra" / "bootstrap", root / "infra")
    shutil.copy(PROJECT_ROOT / "requirements" / "uv.txt", root / "requirements")
    (root / "pipeline" / "__init__.py").touch()
    (root / "pipeline" / "cli.py").write_text("def app(): print('the command runs')\n", encoding="utf-8")
    (root / "requirements" / "host.txt").write_text(pinned(), encoding="utf-8")
    # uv itself is there already: installing it is pip's work, not this script's.
    (root / ".galewatch" / "uv").symlink_to(UV)
    return root


def bootstrap(checkout: Path, *names: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["infra/bootstrap", *names], cwd=checkout, env={**os.environ, **environment},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def python(checkout: Path, code: str) -> str:
    done = subprocess.run(
        [checkout / ".venv" / "bin" / "python", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    )
    return done.stdout.strip()


def test_the_environment_has_the_packages_the_project_and_the_command(checkout: Path) -> None:
    done = bootstrap(checkout)
    assert done.returncode == 0, done.stderr
    assert (
        python(checkout, "import typing_extensions, pipeline; print(pipeline.__path__[0])")
        == f"{checkout}/pipeline"
    )
    command = subprocess.run(
        [checkout / ".venv/bin/galewatch"], capture_output=True, text=True, check=True, cwd="/"
    )
    assert command.stdout == "the command runs\n"


def test_a_repeated_call_does_nothing_and_says_nothing_at_once(checkout: Path) -> None:
    bootstrap(checkout)
    before = os.times()
    done = bootstrap(checkout)
    after = os.times()
    # Its work, not the wall's clock, which also tells how busy the machine is. Measured: 6 ms.
    assert after.children_user + after.children_system - before.children_user - before.children_system < 0.1
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_an_interrupted_installation_is_repaired(checkout: Path) -> None:
    bootstrap(checkout)
    (module,) = checkout.glob(".venv/lib/*/site-packages/typing_extensions.py")
    # Removed, not overwritten: it may be a hard link into uv's cache, and so into other environments.
    module.unlink()
    (checkout / ".venv" / ".galewatch-stamp").unlink()
    (checkout / ".venv" / ".galewatch-begun").touch()
    assert bootstrap(checkout).returncode == 0
    assert python(checkout, "import typing_extensions; print('whole')") == "whole"
    assert not (checkout / ".venv" / ".galewatch-begun").exists()


def test_other_requirements_are_noticed(checkout: Path) -> None:
    bootstrap(checkout)
    (checkout / "requirements" / "host.txt").write_text(pinned("annotated-types"), encoding="utf-8")
    assert bootstrap(checkout).returncode == 0
    assert not list(checkout.glob(".venv/lib/*/site-packages/typing_extensions.py"))


def test_a_checkout_that_moved_gets_its_paths_right(checkout: Path) -> None:
    bootstrap(checkout)
    moved = checkout.rename(checkout.with_name("elsewhere"))
    assert bootstrap(moved).returncode == 0
    assert python(moved, "import pipeline; print(pipeline.__path__[0])") == f"{moved}/pipeline"
    done = subprocess.run([moved / ".venv/bin/galewatch"], check=False, capture_output=True, text=True)
    assert "the command runs\n" == done.stdout, done.stderr


def test_a_damaged_download_is_one_clear_sentence_and_installs_nothing(checkout: Path) -> None:
    file = checkout / "requirements" / "host.txt"
    file.write_text(re.sub("sha256:[0-9a-f]{8}", "sha256:00000000", pinned()), encoding="utf-8")
    # A cache of its own: what is in the real one was checked when it came.
    done = bootstrap(checkout, UV_CACHE_DIR=str(checkout / "cache"))
    assert done.returncode == 1
    assert "does not match its pinned hash and was not installed" in done.stderr.splitlines()[-1]
    assert not list(checkout.glob(".venv/lib/*/site-packages/typing_extensions.py"))


def test_an_index_that_does_not_answer_is_one_clear_sentence(checkout: Path) -> None:
    done = bootstrap(
        checkout, UV_CACHE_DIR=str(checkout / "cache"), HTTPS_PROXY="http://127.0.0.1:9", UV_HTTP_RETRIES="0"
    )
    assert done.returncode == 1
    assert (
        "the package index did not answer; check the network, and HTTPS_PROXY" in done.stderr.splitlines()[-1]
    )


def test_two_at_once_both_succeed(checkout: Path) -> None:
    both = [
        subprocess.Popen(["infra/bootstrap"], cwd=checkout, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [process.communicate(timeout=120)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("1 packages" in text for text in told) == 1


@pytest.mark.parametrize(
    ("names", "environment", "words"),
    [
        (["bogus"], {}, "knows the environments host, dev and airflow, not 'bogus'"),
        (
            ["host"],
            {"GALEWATCH_PYTHON": "/bin/false"},
            "GALEWATCH_PYTHON is '/bin/false', which is no Python 3.11",
        ),
    ],
)
def test_a_wrong_word_is_refused(
    checkout: Path, names: list[str], environment: dict[str, str], words: str
) -> None:
    done = bootstrap(checkout, *names, **environment)
    assert done.returncode == 1
    assert words in done.stderr


def test_no_python_3_11_is_told(checkout: Path) -> None:
    programs = checkout / "programs"
    programs.mkdir()
    for name in (
        "sh",
        "cat",
        "sha256sum",
        "dirname",
        "mkdir",
        "flock",
        "id",
        "sed",
        "date",
        "wc",
        "tail",
        "printf",
    ):
        (programs / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    script = checkout / "infra" / "bootstrap"
    script.write_text(
        script.read_text(encoding="utf-8").replace("/usr/bin/python3.11", "/nonexistent/python3.11"),
        encoding="utf-8",
    )
    nowhere = str(checkout / "nowhere")
    done = bootstrap(checkout, PATH=str(programs), PYENV_ROOT=nowhere, HOME=nowhere)
    assert done.returncode == 1
    assert "Python 3.11 was not found: install it" in done.stderr


def test_the_fast_path_needs_no_network_and_no_python(checkout: Path) -> None:
    bootstrap(checkout)
    done = bootstrap(
        checkout, PATH="/usr/bin:/bin", GALEWATCH_PYTHON="/nonexistent", HTTPS_PROXY="http://127.0.0.1:9"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert sys.version_info[:2] == (3, 11)
