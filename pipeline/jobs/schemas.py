"""Job: the registry's subjects, their compatibility modes and their schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import RegistryError
from pipeline.registry import Registry
from pipeline.schemas.applied import applied
from pipeline.schemas.gate import Gate
from pipeline.settings import RegistrySettings

if TYPE_CHECKING:
    from pipeline.jobs.runtime import Job

__all__ = ["run"]

_USER = "admin"


def run(job: Job) -> None:
    """Bring the registry to what platform.yaml declares; raises what `applied` does."""
    facts = job.platform.schema_registry
    settings = RegistrySettings(
        url=job.settings.registry_url or f"http://schema-registry:8080{facts.path}",
        user=_USER,
        password=job.secrets[f"registry_{_USER}"],
    )
    with Registry(settings) as registry:
        job.wait_for("the Schema Registry", registry.subjects, failing_with=RegistryError)
        for change in applied(Gate(facts), registry):
            job.say(change.sentence)
