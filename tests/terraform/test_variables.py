"""What a user is told who gives a variable a value that it cannot have: which variable, and which value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.infra.layout import PROJECT_ROOT
from pipeline.infra.secrets import ensure_secrets
from pipeline.infra.terraform import Terraform
from pipeline.infra.terraform_report import TerraformError
from tests.provisioning import terraform_environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ROOT = PROJECT_ROOT / "infra" / "terraform"
VARIABLE = re.compile(r'^variable "(\w+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
REFUSED = re.compile(r"^\s*expect_failures = \[var\.(\w+)\]", re.MULTILINE)

NAME = "2 to 16 lowercase letters and digits and begin with a letter"
# Values one of which is given to each variable at a time, so that one plan tells of all.
BAD: dict[str, dict[str, tuple[Any, str]]] = {
    "too little": {
        "alerts_copies": (0, "must be 1, 2 or 3, not 0."),
        "environment": ("d", f'must be {NAME}, not "d".'),
        "port_offset": (-1, "must be a whole number from 0 to 40000, not -1."),
        "spark_workers": (0, "must be a whole number from 1 to 8, not 0."),
        "weather_source": ("", 'must be live or local, not "".'),
        "alerts_trigger": ("", 'must be realtime or microbatch, not "".'),
    },
    "too much": {
        "alerts_copies": (4, "must be 1, 2 or 3, not 4."),
        "base_image": (
            "debian",
            'must be an image with a tag, such as galewatch/base:0123456789ab, not "debian".',
        ),
        "build_proxy": ({"FTP_PROXY": "x"}, "takes HTTP_PROXY, HTTPS_PROXY and NO_PROXY, not FTP_PROXY."),
        "environment": ("abcdefghijklmnopq", f'must be {NAME}, not "abcdefghijklmnopq".'),
        "port_offset": (40001, "must be a whole number from 0 to 40000, not 40001."),
        "spark_workers": (9, "must be a whole number from 1 to 8, not 9."),
    },
    "half of it": {
        "alerts_copies": (1.5, "must be 1, 2 or 3, not 1.5."),
        "alerts_trigger": ("continuous", 'must be realtime or microbatch, not "continuous".'),
        "environment": ("Dev_1", f'must be {NAME}, not "Dev_1".'),
        "port_offset": (0.5, "must be a whole number from 0 to 40000, not 0.5."),
        "replay_dir": ("recordings", 'must be an absolute path or empty, not "recordings".'),
        "replay_end": ("noon", 'must be a time such as 2026-01-31T12:00:00Z or empty, not "noon".'),
        "spark_workers": (1.5, "must be a whole number from 1 to 8, not 1.5."),
        "weather_source": ("guess", 'must be live or local, not "guess".'),
    },
}
WRONG_TYPES: dict[str, tuple[Any, str]] = {
    "alerts_copies": ("two", "a number is required"),
    "build_proxy": ("http://proxy.example:3128", "map of string required"),
    "environment": (["dev"], "string required"),
    "port_offset": ("many", "a number is required"),
    "spark_workers": (True, "number required"),
    "weather_faults": ("maybe", "a bool is required"),
}


def validated() -> dict[str, int]:
    """Give the variables that have validations, and how many."""
    text = (ROOT / "variables.tf").read_text(encoding="utf-8")
    found = {name: body.count("validation {") for name, body in VARIABLE.findall(text)}
    return {name: count for name, count in found.items() if count}


def refused(folder: Path, variables: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Plan with these values, which has to fail; give each error's summary and detail."""
    terraform = Terraform(
        ROOT,
        state=folder / "none.tfstate",
        data_dir=folder / "data",
        variables={"environment": "unit", "base_image": "galewatch/base:none", **variables},
        environment=terraform_environment(),
    )
    terraform.init(backend=False)
    with pytest.raises(TerraformError) as error:
        terraform.plan(folder / "none.tfplan")
    return [(item.summary, " ".join(item.detail.split())) for item in error.value.diagnostics]


def test_every_validation_is_hit_by_a_test_of_terraforms_own() -> None:
    """The run blocks expect as many failures of each variable as it has validations."""
    text = (ROOT / "tests" / "variables.tftest.hcl").read_text(encoding="utf-8")
    hit = REFUSED.findall(text)
    assert validated() == {name: hit.count(name) for name in hit}


def test_every_validations_message_is_read() -> None:
    """No message is on no list."""
    assert set(validated()) == {name for values in BAD.values() for name in values}


@pytest.mark.slow
@pytest.mark.engine
@pytest.mark.parametrize("kind", BAD)
def test_a_value_out_of_bounds_is_one_sentence_with_variable_and_value(tmp_path: Path, kind: str) -> None:
    """All of them are told at once."""
    values = BAD[kind]
    told = refused(tmp_path, {name: value for name, (value, _) in values.items()})
    assert {f"{name} {said}" for name, (_, said) in values.items()} == {
        detail.partition(" This was checked by the validation rule")[0]
        for summary, detail in told
        if summary == "Invalid value for variable"
    }


@pytest.mark.slow
@pytest.mark.engine
def test_a_value_of_another_type_names_the_variable_and_the_type(tmp_path: Path) -> None:
    """Terraform says so itself, of each, before it plans anything."""
    told = refused(tmp_path, {name: value for name, (value, _) in WRONG_TYPES.items()})
    for name, (_, said) in WRONG_TYPES.items():
        assert any(f"var.{name} " in detail and said in detail for _, detail in told), (name, told)


@pytest.mark.slow
@pytest.mark.engine
def test_more_alerts_drivers_than_the_workers_hold_are_refused(tmp_path: Path) -> None:
    """They would wait for their slots in vain, and the apply for them."""
    ensure_secrets(tmp_path / "secrets")
    variables = {"alerts_copies": 3, "spark_workers": 1, "secrets_dir": str(tmp_path / "secrets")}
    said = "alerts_copies is 3 and spark_workers 1: a worker has room for two alerts drivers."
    assert [said] == [detail for _, detail in refused(tmp_path, variables)]
