"""How tests run Terraform: with the provider that `make prepare` chose, without the caller's variables."""

from __future__ import annotations

from pipeline.infra import provider
from pipeline.infra.layout import PROJECT_ROOT, Layout

__all__ = ["terraform_environment"]


def terraform_environment() -> dict[str, str]:
    """Give the process environment for Terraform; installs the offline provider if none was chosen."""
    layout = Layout()
    kind = provider.remembered_choice(layout) or provider.Kind.OFFLINE
    # The interpreter of `make up`, whatever runs the tests: another one would be another provider to
    # Terraform.
    chosen = provider.install(layout, kind, "terraform", PROJECT_ROOT / ".venv" / "bin" / "python")
    return {name: value for name, value in chosen.environment.items() if not name.startswith("TF_VAR_")}
