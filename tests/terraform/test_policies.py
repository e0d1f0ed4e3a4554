"""Policies over the plan of the whole platform, for each environment and for one that is scaled.

Nothing is made: a plan tells of each container what it will be. Every policy is run, too, on plans that break
it on purpose.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.infra.layout import PROJECT_ROOT
from pipeline.infra.secrets import ensure_secrets
from pipeline.infra.terraform import Terraform
from tests.provisioning import terraform_environment
from tests.terraform.broken_plans import BROKEN
from tests.terraform.planned import CONFIG_LABEL, PlannedPlatform
from tests.terraform.policies import POLICIES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.engine

ROOT = PROJECT_ROOT / "infra" / "terraform"
# Environment and what it is given beside its tfvars file.
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "dev": ("dev", {}),
    "staging": ("staging", {}),
    "one worker": ("dev", {"spark_workers": 1}),
    "scaled": (
        "dev",
        {
            "alerts_copies": 3,
            "alerts_trigger": "microbatch",
            "port_offset": 2000,
            "replay_dir": "/srv/recordings",
            "spark_workers": 5,
            "weather_source": "live",
        },
    ),
}


class Plans:
    """Plans of the platform where there is none yet; each variant is planned once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.secrets = ensure_secrets(folder / "secrets")
        self._documents: dict[str, dict[str, Any]] = {}

    def document(self, variant: str) -> dict[str, Any]:
        """Give the plan in JSON."""
        if variant not in self._documents:
            environment, more = VARIANTS[variant]
            terraform = Terraform(
                ROOT,
                state=self.folder / f"{variant}.tfstate",
                data_dir=self.folder / "data",
                var_files=[ROOT / "environments" / f"{environment}.tfvars"],
                variables={"secrets_dir": str(self.folder / "secrets"), **more},
                environment=terraform_environment(),
            )
            terraform.init()
            self._documents[variant] = dict(terraform.plan(self.folder / f"{variant}.tfplan").document)
        return self._documents[variant]

    def __call__(self, variant: str) -> PlannedPlatform:
        """Give the plan."""
        return PlannedPlatform.read(self.document(variant), PROJECT_ROOT)


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> Plans:
    """Plan what is asked for."""
    return Plans(tmp_path_factory.mktemp("plans"))


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_policy_holds(plans: Plans, variant: str) -> None:
    """No container of any environment breaks one, and there are containers."""
    plan = plans(variant)
    assert len(plan.containers) > 20
    assert {} == {name: found for name, policy in POLICIES.items() if (found := list(policy(plan)))}


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_secret_is_in_the_plan(plans: Plans, variant: str) -> None:
    """Nor will one be in the state, then."""
    text = plans(variant).text
    secrets = {path.name: path.read_text(encoding="ascii") for path in (plans.folder / "secrets").iterdir()}
    assert len(secrets) > 10
    assert [] == [name for name, secret in secrets.items() if secret in text]


def test_two_environments_share_no_name_port_or_volume(plans: Plans) -> None:
    """Staging runs beside dev on one machine."""

    def taken(plan: PlannedPlatform) -> set[Any]:
        return (
            {container.name for container in plan.containers}
            | {network["name"] for network in plan.networks.values()}
            | {port["external"] for container in plan.containers for port in container.values["ports"]}
            | {
                volume["volume_name"]
                for container in plan.containers
                for volume in container.values["volumes"]
            }
        )

    assert set() == taken(plans("dev")) & taken(plans("staging"))


def test_a_second_worker_is_one_container_more_and_no_other_change(plans: Plans) -> None:
    """From one worker to two: every other container is made from exactly the same."""
    one, two = (
        {container.name: container.labels[CONFIG_LABEL] for container in plans(variant).containers}
        for variant in ("one worker", "dev")
    )
    assert {"galewatch-dev-spark-worker-1"} == set(two) - set(one)
    assert one == {name: label for name, label in two.items() if name in one}


@pytest.mark.parametrize(
    ("policy", "edit", "said"),
    [(name, edit, said) for name, edits in BROKEN.items() for said, edit in edits],
)
def test_a_plan_that_breaks_a_policy_is_named(
    plans: Plans, policy: str, edit: Callable[[dict[str, Any]], None], said: str
) -> None:
    """One change to the plan of dev, and the policy says what is wrong with which container."""
    document = copy.deepcopy(plans.document("dev"))
    edit(document)
    assert said in "\n".join(POLICIES[policy](PlannedPlatform.read(document, PROJECT_ROOT)))


def test_every_policy_has_been_broken() -> None:
    """None is on the list that was never seen to fail."""
    assert set(POLICIES) == set(BROKEN)
