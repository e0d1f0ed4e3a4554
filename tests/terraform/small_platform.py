"""A checkout of its own with a part of the platform, applied by the product's own steps.

The files are the project's; only stations of the way are left out, so that it is there in a minute:
coordination, Kafka with its job, Spark without its drivers, and the weather API.
"""

from __future__ import annotations

import random
import re
import shutil
from typing import TYPE_CHECKING, Any, Self

import docker
from rich.console import Console

from pipeline.infra.layout import PROJECT_ROOT, SERVICE_LABEL, Layout
from pipeline.infra.leftovers import Leftovers
from pipeline.infra.progress import Progress
from pipeline.infra.provision import Roots
from pipeline.infra.secrets import ensure_secrets
from pipeline.platform import load_platform
from tests.e2e.stack import free_offset
from tests.provisioning import terraform_environment

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from docker.models.containers import Container

__all__ = ["SmallPlatform"]

_STATIONS = ("coordination", "images", "kafka", "main", "spark", "variables", "versions", "weather")
_FOLDERS = ("config", "dags", "infra/images", "infra/terraform/modules", "infra/terraform/storage")
_SOURCES = ("pipeline", "requirements", "spark")
# The drivers need stations that are left out.
_DRIVERS = re.compile(
    r'^module "driver_\w+" \{.*?^\}\n|^  driver_env = \{.*?^  \}\n', re.MULTILINE | re.DOTALL
)


class SmallPlatform:
    """Leaving it removes everything that carries its name, however the tests ended."""

    def __init__(self, folder: Path) -> None:
        self.name = f"t{random.randbytes(3).hex()}"  # noqa: S311 - a name
        self.layout = Layout(self.name, folder)
        self.engine = docker.from_env()
        self._offset = free_offset(list(load_platform().ports.model_dump().values()))
        _check_out(folder)
        ensure_secrets(self.layout.secrets)
        self.set(spark_workers=1)
        self._progress = Progress("test", self.layout.logs, Console(quiet=True))
        self.roots = Roots(self.layout, self._progress, self.engine, terraform_environment(), "terraform")

    def __enter__(self) -> Self:
        self.roots.init()
        self.roots.apply_storage()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        Leftovers(self.layout, self.engine, print).sweep()
        self._progress.close()
        self.engine.close()

    def set(self, **variables: int) -> None:
        """Write the environment's tfvars file."""
        file = self.layout.platform_root / "environments" / f"{self.name}.tfvars"
        file.parent.mkdir(exist_ok=True)
        lines = [f'environment = "{self.name}"', f"port_offset = {self._offset}"]
        lines += [f"{name} = {value}" for name, value in variables.items()]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def apply(self) -> bool:
        """Do what `make up` does; False where there was nothing to change."""
        return self.roots.apply_platform()

    def log(self) -> str:
        """Give what `make up` would have told, and more."""
        return self._progress.log_path.read_text(encoding="utf-8")

    def planned(self) -> dict[str, str]:
        """Plan, and give what would happen to each container, image or network."""
        plan = self.roots.platform.plan(self.layout.work / "test.tfplan")
        return {_short(change.address): change.verb for change in plan.changes}

    def ids(self) -> dict[str, str]:
        """Give the id of each container, by what it is."""
        return {container.labels[SERVICE_LABEL]: container.id for container in self.containers()}

    def containers(self) -> list[Container]:
        """Give every container of the environment, running or not."""
        return Leftovers(self.layout, self.engine, print).containers()

    def container(self, service: str) -> Container:
        """Give the container of a service."""
        return self.engine.containers.get(f"galewatch-{self.name}-{service}")

    def health(self) -> dict[str, str]:
        """Give the health of each service, and the exit code of each job."""
        states: dict[str, Any] = {
            container.labels[SERVICE_LABEL]: container.attrs["State"] for container in self.containers()
        }
        return {
            service: state["Health"]["Status"] if "Health" in state else f"exit {state['ExitCode']}"
            for service, state in states.items()
        }

    def edit(self, path: str, old: str, new: str) -> None:
        """Change a file of the checkout in one place."""
        file = self.layout.root / path
        text = file.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{path} has {old!r} {text.count(old)} times"
        file.write_text(text.replace(old, new), encoding="utf-8")


def _check_out(folder: Path) -> None:
    ignored = shutil.ignore_patterns(
        "__pycache__", "target", ".terraform*", "terraform.tfstate*", "terraform.d"
    )
    for name in (*_FOLDERS, *_SOURCES):
        shutil.copytree(PROJECT_ROOT / name, folder / name, ignore=ignored)
    shutil.copy2(PROJECT_ROOT / ".dockerignore", folder)
    root = folder / "infra" / "terraform"
    for name in _STATIONS:
        shutil.copy2(PROJECT_ROOT / "infra" / "terraform" / f"{name}.tf", root)
    spark = root / "spark.tf"
    spark.write_text(_DRIVERS.sub("", spark.read_text(encoding="utf-8")), encoding="utf-8")
    # The base image that `make prepare` found or made.
    shutil.copy2(Layout().generated_variables_file, root)


def _short(address: str) -> str:
    return re.sub(r"module\.(\w+)(\[\"(\w+)\"\])?\.docker_\w+\.this", r"\1 \3", address).strip()
