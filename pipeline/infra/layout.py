"""Where the files of one environment of this checkout are, and what its tfvars file says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pipeline.infra.errors import InfraError

__all__ = ["DEFAULT_ENVIRONMENT", "ENVIRONMENT_LABEL", "JOB_LABEL", "PROJECT_ROOT", "SERVICE_LABEL", "Layout"]

PROJECT_ROOT = Path(__file__).resolve().parents[2]

ENVIRONMENT_LABEL = "io.galewatch.environment"
SERVICE_LABEL = "io.galewatch.service"
JOB_LABEL = "io.galewatch.job"

# The environment that Terraform's own default state belongs to, so that `terraform apply` by hand and `make
# up` mean the same one. Every other environment has a state of its own under .galewatch/.
DEFAULT_ENVIRONMENT = "dev"

_NAME = re.compile(r"[a-z][a-z0-9]{1,15}")
_ASSIGNMENT = re.compile(r'^\s*(?P<name>\w+)\s*=\s*(?:"(?P<text>[^"]*)"|(?P<number>\d+))\s*(?:#.*)?$')


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one environment; raises InfraError for a name that Terraform would refuse."""

    environment: str = DEFAULT_ENVIRONMENT
    root: Path = PROJECT_ROOT

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.environment):
            raise InfraError(
                "ENV must be 2 to 16 lowercase letters and digits and begin with a letter, "
                f"not '{self.environment}'."
            )

    @property
    def prefix(self) -> str:
        """What the names of containers, networks and volumes begin with."""
        return f"galewatch-{self.environment}"

    @property
    def work(self) -> Path:
        """Everything that Galewatch writes for itself; git-ignored."""
        return self.root / ".galewatch"

    @property
    def logs(self) -> Path:
        """Logs of the commands, newest by name."""
        return self.work / "logs"

    @property
    def secrets(self) -> Path:
        """One file a secret."""
        return self.root / "secrets" / self.environment

    @property
    def platform_root(self) -> Path:
        """Terraform's root module of the platform."""
        return self.root / "infra" / "terraform"

    @property
    def storage_root(self) -> Path:
        """Terraform's root module of the volumes."""
        return self.platform_root / "storage"

    @property
    def variables_file(self) -> Path:
        """The tfvars file of the environment; raises InfraError where there is none."""
        path = self.platform_root / "environments" / f"{self.environment}.tfvars"
        if not path.is_file():
            known = ", ".join(sorted(file.stem for file in path.parent.glob("*.tfvars")))
            raise InfraError(f"There is no {path.relative_to(self.root)}; ENV may be one of: {known}.")
        return path

    @property
    def generated_variables_file(self) -> Path:
        """What is true of this machine only; Terraform loads it by itself."""
        return self.platform_root / "generated.auto.tfvars.json"

    @property
    def platform_state(self) -> Path:
        """Terraform's state of the platform."""
        return self._state_directory(self.platform_root, "platform") / "terraform.tfstate"

    @property
    def storage_state(self) -> Path:
        """Terraform's state of the volumes."""
        return self._state_directory(self.storage_root, "storage") / "terraform.tfstate"

    @property
    def apply_mark(self) -> Path:
        """Exists while an apply or destroy runs; left over, the last one was cut off hard."""
        return self.work / f"applying-{self.environment}"

    def platform_states(self) -> list[Path]:
        """Every state of the platform in this checkout, of all environments."""
        return self._states(self.platform_root, "platform")

    def storage_states(self) -> list[Path]:
        """Every state of the volumes in this checkout, of all environments."""
        return self._states(self.storage_root, "storage")

    def variables(self) -> dict[str, str | int]:
        """Give the plain strings and whole numbers of the tfvars file."""
        found: dict[str, str | int] = {}
        for line in self.variables_file.read_text(encoding="utf-8").splitlines():
            if match := _ASSIGNMENT.match(line):
                number = match["number"]
                found[match["name"]] = int(number) if number is not None else match["text"]
        return found

    def _states(self, root: Path, name: str) -> list[Path]:
        others = sorted((self.work / "environments").glob(f"*/{name}/terraform.tfstate"))
        return [path for path in (root / "terraform.tfstate", *others) if path.is_file()]

    def _state_directory(self, root: Path, name: str) -> Path:
        if self.environment == DEFAULT_ENVIRONMENT:
            return root
        return self.work / "environments" / self.environment / name
