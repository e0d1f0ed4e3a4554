"""Which provider Terraform gets, and that it finds it, by hand as well."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.infra import provider
from pipeline.infra.errors import InfraError
from pipeline.infra.layout import PROJECT_ROOT, Layout
from pipeline.infra.provider import Kind, choose, holds_anything, install

HELD = [Path("infra/terraform/terraform.tfstate")]


def never() -> bool:
    raise AssertionError("the registry was asked")


def test_a_registry_that_answers_gives_the_official_provider() -> None:
    assert choose(wanted=None, remembered=None, states=[], official_answers=lambda: True) is Kind.OFFICIAL


def test_without_a_registry_it_is_the_stand_in() -> None:
    assert choose(wanted=None, remembered=None, states=[], official_answers=lambda: False) is Kind.OFFLINE


@pytest.mark.parametrize("kind", list(Kind))
def test_a_state_that_holds_something_keeps_its_provider_whatever_the_network_does(kind: Kind) -> None:
    assert choose(wanted=None, remembered=kind, states=HELD, official_answers=never) is kind


@pytest.mark.parametrize(("remembered", "wanted"), [(Kind.OFFLINE, "official"), (Kind.OFFICIAL, "offline")])
def test_switching_under_an_existing_state_is_refused_with_a_sentence(remembered: Kind, wanted: str) -> None:
    words = rf"terraform\.tfstate was made with the {remembered} provider.*make down"
    with pytest.raises(InfraError, match=words):
        choose(wanted=wanted, remembered=remembered, states=HELD, official_answers=never)


def test_switching_without_a_state_is_fine() -> None:
    chosen = choose(wanted="official", remembered=Kind.OFFLINE, states=[], official_answers=never)
    assert chosen is Kind.OFFICIAL


def test_an_unknown_word_is_refused() -> None:
    with pytest.raises(InfraError, match="PROVIDER must be official or offline, not 'docker'"):
        choose(wanted="docker", remembered=None, states=[], official_answers=never)


def test_a_registry_that_is_not_there_is_found_out_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider, "_REGISTRIES", {"terraform": "registry.invalid"})
    assert not provider.registry_answers("terraform")


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ('{"resources": [{"mode": "managed"}]}', True),
        ('{"resources": [{"mode": "data"}]}', False),
        ('{"resources": []}', False),
        ("{", True),
    ],
)
def test_only_a_state_with_resources_counts(tmp_path: Path, text: str, *, holds: bool) -> None:
    state = tmp_path / "terraform.tfstate"
    state.write_text(text, encoding="utf-8")
    assert holds_anything(state) is holds
    assert not holds_anything(tmp_path / "none")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A checkout with nothing in it but a root module that needs the provider."""
    root = tmp_path / "checkout" / "infra" / "terraform"
    (root / "storage").mkdir(parents=True)
    shutil.copy(PROJECT_ROOT / "infra" / "terraform" / "versions.tf", root)
    return Layout(root=tmp_path / "checkout")


def init(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Type `terraform … init` in a folder, as a person does who has not set up anything."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("TF_")}
    return subprocess.run(
        ["terraform", *arguments, "init", "-no-color"],
        cwd=folder, env={**kept, **environment}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("config", [{}, {"TF_CLI_CONFIG_FILE": "/nonexistent"}], ids=["none", "missing"])
def test_init_by_hand_finds_the_stand_in_from_both_folders(layout: Layout, config: dict[str, str]) -> None:
    install(layout, Kind.OFFLINE, "terraform", Path(sys.executable))
    for folder, arguments in ((layout.root, ["-chdir=infra/terraform"]), (layout.platform_root, [])):
        done = init(folder, *arguments, **config)
        assert done.returncode == 0, done.stderr
        shutil.rmtree(layout.platform_root / ".terraform")


def test_the_environment_for_our_own_runs_finds_it_too(layout: Layout) -> None:
    chosen = install(layout, Kind.OFFLINE, "terraform", Path(sys.executable))
    done = init(layout.root.parent, f"-chdir={layout.platform_root}", **chosen.environment)
    assert done.returncode == 0, done.stderr


def test_a_user_whose_configuration_names_sources_gets_a_hint(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own.tfrc"
    own.write_text("provider_installation {\n  direct {}\n}\n", encoding="utf-8")
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(own))
    chosen = install(layout, Kind.OFFLINE, "terraform", Path(sys.executable))
    assert chosen.hint == f"export TF_CLI_CONFIG_FILE={layout.work}/terraformrc"


def test_going_over_to_the_official_one_takes_the_stand_in_out_of_the_way(layout: Layout) -> None:
    install(layout, Kind.OFFLINE, "terraform", Path(sys.executable))
    assert init(layout.root, "-chdir=infra/terraform").returncode == 0
    install(layout, Kind.OFFICIAL, "terraform", Path(sys.executable))
    assert not (layout.root / "terraform.d").exists()
    assert not (layout.platform_root / ".terraform.lock.hcl").exists()
    assert provider.remembered_choice(layout) is Kind.OFFICIAL


def test_volumes_outlive_a_switch_and_are_adopted_after_it(layout: Layout) -> None:
    install(layout, Kind.OFFLINE, "terraform", Path(sys.executable))
    layout.storage_state.write_text(json.dumps({"resources": [{"mode": "managed"}]}), encoding="utf-8")
    install(layout, Kind.OFFLINE, "terraform", Path(sys.executable))
    assert layout.storage_states() == [layout.storage_state]
    install(layout, Kind.OFFICIAL, "terraform", Path(sys.executable))
    assert layout.storage_states() == []
    assert layout.storage_state.with_name("terraform.tfstate.offline").exists()


def test_a_checkout_that_moved_forgets_its_old_lock_file(layout: Layout, tmp_path: Path) -> None:
    install(layout, Kind.OFFLINE, "terraform", Path(sys.executable))
    assert init(layout.root, "-chdir=infra/terraform").returncode == 0
    # Another interpreter changes the stand-in's script as another place would, and with it the checksum.
    other = tmp_path / "python"
    other.symlink_to(sys.executable)
    install(layout, Kind.OFFLINE, "terraform", other)
    done = init(layout.root, "-chdir=infra/terraform")
    assert done.returncode == 0, done.stderr


def test_installing_again_keeps_what_init_made(layout: Layout) -> None:
    install(layout, Kind.OFFLINE, "terraform", Path(sys.executable))
    assert init(layout.root, "-chdir=infra/terraform").returncode == 0
    install(layout, Kind.OFFLINE, "terraform", Path(sys.executable))
    assert (layout.platform_root / ".terraform.lock.hcl").exists()


def test_opentofu_finds_the_stand_in_under_its_own_registry(layout: Layout) -> None:
    chosen = install(layout, Kind.OFFLINE, "tofu", Path(sys.executable))
    mirror = layout.work / "mirror" / "registry.opentofu.org" / "kreuzwerker" / "docker"
    assert list(mirror.glob("*/*/terraform-provider-docker_*"))
    config = Path(chosen.environment["TF_CLI_CONFIG_FILE"]).read_text(encoding="utf-8")
    assert "registry.opentofu.org" in config


def test_every_state_of_the_checkout_is_found(layout: Layout) -> None:
    state = layout.work / "environments" / "staging" / "platform" / "terraform.tfstate"
    state.parent.mkdir(parents=True)
    state.write_text(json.dumps({"resources": []}), encoding="utf-8")
    assert layout.platform_states() == [state]
    assert layout.storage_states() == []
    assert Layout("staging", layout.root).platform_state == state
