"""What this machine must have: decisions over given facts, and the measuring of real ports."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.infra import ports
from pipeline.infra.errors import InfraError
from pipeline.infra.layout import PROJECT_ROOT, Layout
from pipeline.infra.preflight import Disk, Facts, PortUse, check, measure, problems, published_ports

if TYPE_CHECKING:
    from pathlib import Path

GIB = 1024
FINE = Facts(
    terraform_binary="terraform",
    terraform_version=(1, 11, 4),
    python_version=(3, 11),
    architecture="x86_64",
    memory_available_mib=8 * GIB,
    memory_ours_mib=0,
    disks=(Disk("Docker keeps images and data", "/var/lib/docker", 20 * GIB),),
    is_built=False,
    taken_ports=(),
    engine_api=(1, 41),
)
TFVARS = "infra/terraform/environments/dev.tfvars"


def told(**changes: Any) -> list[str]:
    return problems(replace(FINE, **changes), TFVARS)


def test_a_machine_that_has_everything_has_no_problem() -> None:
    assert told() == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"terraform_version": None}, ["no program 'terraform'", "developer.hashicorp.com", "opentofu.org"]),
        ({"terraform_version": (1, 5, 7)}, ["terraform is version 1.5.7", "install 1.6"]),
        ({"python_version": (3, 12)}, ["Python 3.12", "install Python 3.11"]),
        ({"architecture": "riscv64"}, ["riscv64", "x86_64"]),
        ({"memory_available_mib": 5 * GIB}, ["Only 5 GiB of memory", "needs 6", "1 GiB more"]),
        (
            {"disks": (Disk("this checkout is", "/home", 11 * GIB),)},
            ["11 GiB are free in /home", "free 1 GiB"],
        ),
        (
            {"taken_ports": (PortUse("kafka", 19092, "nginx (process 812)"),)},
            ["Port 19092", "for kafka", "taken by nginx (process 812)", f"port_offset in {TFVARS}"],
        ),
        ({"engine_api": (1, 40)}, ["API 1.40", "1.41 is needed", "Docker 20.10"]),
    ],
)
def test_each_lack_is_one_sentence_that_says_what_to_do(changes: dict[str, Any], words: list[str]) -> None:
    (sentence,) = told(**changes)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    for word in words:
        assert word in sentence


def test_all_lacks_are_told_at_once() -> None:
    assert len(told(terraform_version=None, memory_available_mib=GIB, engine_api=(1, 30))) == 3


@pytest.mark.parametrize("key", ["terraform_version", "engine_api"])
def test_exactly_the_least_version_is_enough(key: str) -> None:
    least = {"terraform_version": (1, 6, 0), "engine_api": (1, 41)}[key]
    assert told(**{key: least}) == []


def test_an_engine_that_is_not_there_yet_is_no_problem() -> None:
    assert told(engine_api=None) == []


def test_a_running_environment_counts_as_memory_that_is_there() -> None:
    assert told(memory_available_mib=2 * GIB, memory_ours_mib=4 * GIB + 512) == []


def test_a_running_environment_on_a_full_machine_is_still_a_problem() -> None:
    assert len(told(memory_available_mib=200, memory_ours_mib=4 * GIB)) == 1


def test_less_disk_is_enough_once_the_images_are_built() -> None:
    disks = (Disk("Docker keeps images and data", "/var/lib/docker", 4 * GIB),)
    assert len(told(disks=disks)) == 1
    assert told(disks=disks, is_built=True) == []


def test_a_port_with_a_listener_is_not_free_and_its_holder_is_named() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert not ports.is_free(port)
        assert "python" in (ports.holder_of(port) or "") or "pytest" in (ports.holder_of(port) or "")
    assert ports.is_free(port)
    assert ports.holder_of(port) is None


def test_the_environments_offset_moves_every_port() -> None:
    dev, staging = published_ports(Layout("dev")), published_ports(Layout("staging"))
    assert {name: port - dev[name] for name, port in staging.items()} == dict.fromkeys(dev, 1000)


def environment_of(folder: Path, *lines: str) -> Layout:
    """Make an environment whose tfvars file has these lines."""
    (folder / "config").symlink_to(PROJECT_ROOT / "config")
    layout = Layout("tzzz", folder)
    file = layout.platform_root / "environments" / "tzzz.tfvars"
    file.parent.mkdir(parents=True)
    file.write_text("\n".join(lines), encoding="utf-8")
    return layout


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            'port_offset = "many"',
            "port_offset in .*tzzz.tfvars must be a whole number up to 40000, not 'many'",
        ),
        ("port_offset = 65000", "port_offset in .*tzzz.tfvars must be a whole number up to 40000, not 65000"),
        ("alerts_copies = 4", "alerts_copies in .*tzzz.tfvars must be a whole number up to 3, not 4"),
    ],
)
def test_a_number_that_makes_no_port_is_one_sentence(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(InfraError, match=said):
        published_ports(environment_of(tmp_path, 'environment = "tzzz"', line))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (['environment = "other"'], "tzzz.tfvars must say environment = \"tzzz\", not 'other'"),
        (["port_offset = 1"], 'tzzz.tfvars must say environment = "tzzz", which it does not'),
    ],
)
def test_a_file_of_another_environment_is_refused(tmp_path: Path, lines: list[str], said: str) -> None:
    with pytest.raises(InfraError, match=said):
        check(environment_of(tmp_path, *lines), "terraform", None)


def test_measuring_without_an_engine_tells_of_terraform_memory_and_disk() -> None:
    facts = measure(Layout("dev"), "no-such-terraform", None)
    assert facts.terraform_version is None
    assert facts.engine_api is None
    assert facts.memory_available_mib > 0
    assert {disk.purpose for disk in facts.disks} == {"Docker keeps images and data", "this checkout is"}


def test_a_port_that_someone_took_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        monkeypatch.setattr("pipeline.infra.preflight.published_ports", lambda _: {"kafka": port})
        (use,) = measure(Layout("dev"), "terraform", None).taken_ports
    assert (use.name, use.port) == ("kafka", port)
    assert "process" in use.holder
