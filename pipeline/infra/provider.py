"""Which Docker provider Terraform gets: the official one where its registry answers, else the stand-in.

The choice is remembered beside the states and stays for as long as one of them holds anything: the two write
slightly different states, so that neither may take over what the other made.

For commands by hand the stand-in lies where Terraform looks by itself: in `terraform.d/plugins` of the folder
that the command is typed in (the project's root, or infra/terraform). That only fails to work for someone
whose own CLI configuration says where providers come from; `Provider.hint` then has the line to type first.
"""

from __future__ import annotations

import json
import os
import shutil
import ssl
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx
from galewatch_docker.install import install as install_stand_in
from galewatch_docker.install import write_cli_config

from pipeline.infra.errors import InfraError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pipeline.infra.layout import Layout

__all__ = ["CHOICE_VARIABLE", "Kind", "Provider", "choose", "holds_anything", "install", "registry_answers"]

CHOICE_VARIABLE: Final = "PROVIDER"
_PROBE_S: Final = 5.0
_REGISTRIES: Final = {"terraform": "registry.terraform.io", "tofu": "registry.opentofu.org"}


class Kind(StrEnum):
    """The two providers."""

    OFFICIAL = "official"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class Provider:
    """The choice, with the environment for Terraform; `hint` is for people who run Terraform by hand."""

    kind: Kind
    environment: Mapping[str, str]
    hint: str = ""


def choose(
    *,
    wanted: str | None,
    remembered: Kind | None,
    states: Iterable[Path],
    official_answers: Callable[[], bool],
) -> Kind:
    """Decide on a provider; raises InfraError for a switch under an existing state.

    `wanted` is the user's word (`official`, `offline` or None), `remembered` the choice of last time,
    `states` are the state files that hold anything, and `official_answers` asks the registry, only where it
    matters.
    """
    if wanted and wanted not in set(Kind):
        raise InfraError(f"{CHOICE_VARIABLE} must be official or offline, not '{wanted}'.")
    held = next(iter(states), None)
    if remembered is not None and held is not None:
        if wanted and wanted != remembered:
            raise InfraError(
                f"The state {held} was made with the {remembered} provider and cannot go on with the "
                f"{wanted} one: run `make down` first (data stays), or leave {CHOICE_VARIABLE} unset."
            )
        return remembered
    if wanted:
        return Kind(wanted)
    return Kind.OFFICIAL if official_answers() else Kind.OFFLINE


def holds_anything(state: Path) -> bool:
    """Tell whether a state file has a managed resource; one that cannot be read counts as such."""
    try:
        document = json.loads(state.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        return True
    return any(resource.get("mode") == "managed" for resource in document.get("resources", ()))


def registry_answers(program: str) -> bool:
    """Ask the provider registry of `terraform` or `tofu`; 5 s at most, and a quick no is final."""
    address = f"https://{_REGISTRIES[program]}/.well-known/terraform.json"
    try:
        # The system's authorities, as Terraform takes them: a company's own is not among httpx's.
        return httpx.get(address, timeout=_PROBE_S, verify=ssl.create_default_context()).is_success
    except (httpx.HTTPError, OSError):
        return False


def remembered_choice(layout: Layout) -> Kind | None:
    """Give the choice of last time."""
    try:
        return Kind((layout.work / "provider").read_text(encoding="ascii").strip())
    except (FileNotFoundError, ValueError):
        return None


def install(layout: Layout, kind: Kind, program: str, python: Path) -> Provider:
    """Make Terraform find this provider, remember it, and clear away what belongs to the other."""
    before = remembered_choice(layout)
    changed = before not in {None, kind}
    if changed:
        # Volumes outlive the switch: making one that exists adopts it by its name.
        for state in layout.storage_states():
            state.rename(state.with_name(f"{state.name}.{before}"))
    layout.work.mkdir(parents=True, exist_ok=True)
    (layout.work / "provider").write_text(f"{kind}\n", encoding="ascii")
    if kind is Kind.OFFICIAL:
        for folder in _implied_mirrors(layout):
            _unlink(folder)
        if changed:
            forget_installed(layout)
        return Provider(kind, _without_broken_config(os.environ))
    target, config = _install_stand_in(layout, program, python)
    if changed or not _lock_agrees(layout, target):
        forget_installed(layout)
    for folder in _implied_mirrors(layout):
        _link(folder, layout.work / "mirror")
    hint = f"export TF_CLI_CONFIG_FILE={config}" if _user_names_sources(os.environ) else ""
    return Provider(kind, {**os.environ, "TF_CLI_CONFIG_FILE": str(config)}, hint)


def forget_installed(layout: Layout) -> None:
    """Remove what `terraform init` installed, and its lock files; never a state."""
    for root in (layout.platform_root, layout.storage_root):
        (root / ".terraform.lock.hcl").unlink(missing_ok=True)
        shutil.rmtree(root / ".terraform", ignore_errors=True)


def _install_stand_in(layout: Layout, program: str, python: Path) -> tuple[Path, Path]:
    mirror, config = layout.work / "mirror", layout.work / "terraformrc"
    target = install_stand_in(mirror, python)
    write_cli_config(config, mirror)
    if program == "tofu":
        # The same source means another registry to OpenTofu.
        ours, theirs = _REGISTRIES["terraform"], _REGISTRIES["tofu"]
        twin = mirror / theirs / target.relative_to(mirror / ours)
        twin.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(target, twin)
        config.write_text(config.read_text(encoding="utf-8").replace(ours, theirs), encoding="utf-8")
    return target, config


def _implied_mirrors(layout: Layout) -> tuple[Path, ...]:
    # Terraform reads terraform.d/plugins of the folder that it is started in, before -chdir. A relative link
    # would be followed from the wrong place after it.
    return tuple(folder / "terraform.d" / "plugins" for folder in (layout.root, layout.platform_root))


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() == target:
        return
    _unlink(link)
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(target, target_is_directory=True)


def _unlink(link: Path) -> None:
    if link.is_symlink():
        link.unlink()
        if not any(link.parent.iterdir()):
            link.parent.rmdir()


def _lock_agrees(layout: Layout, target: Path) -> bool:
    """Tell whether what was installed last is this stand-in: a checkout that moved has another path in it."""
    mark = layout.work / "mirror.installed"
    content = target.read_text(encoding="utf-8")
    agrees = mark.is_file() and mark.read_text(encoding="utf-8") == content
    # Not each time: another run would find the file empty for a moment, and forget what is installed.
    if not agrees:
        mark.write_text(content, encoding="utf-8")
    return agrees


def _without_broken_config(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave out a TF_CLI_CONFIG_FILE that names no file: Terraform would warn at each command."""
    kept = dict(environment)
    if not Path(kept.get("TF_CLI_CONFIG_FILE", "/")).exists():
        del kept["TF_CLI_CONFIG_FILE"]
    return kept


def _user_names_sources(environment: Mapping[str, str]) -> bool:
    named = environment.get("TF_CLI_CONFIG_FILE") or environment.get("TERRAFORM_CONFIG")
    file = Path(named) if named else Path.home() / ".terraformrc"
    try:
        return "provider_installation" in file.read_text(encoding="utf-8")
    except OSError:
        return False
