"""Job: the registry's subjects, their compatibility level and their schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import IncompatibleSchemaError, RegistryError
from pipeline.registry import Registry
from pipeline.schemas import schema_text
from pipeline.settings import RegistrySettings

if TYPE_CHECKING:
    from pipeline.jobs.runtime import Job

__all__ = ["run"]

_USER = "admin"


def run(job: Job) -> None:
    """Register every schema of platform.yaml; raises IncompatibleSchemaError if the registry refuses one."""
    facts = job.platform.schema_registry
    registry = Registry(
        RegistrySettings(
            url=job.settings.registry_url or f"http://schema-registry:8080{facts.path}",
            user=_USER,
            password=job.secrets[f"registry_{_USER}"],
        )
    )
    job.wait_for("the Schema Registry", registry.subjects, failing_with=RegistryError)
    for subject, name in facts.subjects.items():
        schema = schema_text(name)
        if registry.schema_id(subject, schema) is None:
            # Asked first, so that the sentence is the registry's verdict and not a failed write.
            try:
                registry.check(subject, schema)
            except IncompatibleSchemaError as error:
                raise IncompatibleSchemaError(f"{name}: {error}") from None
            schema_id = registry.register(subject, schema)
            job.say(f"subject {subject}: {name} registered with id {schema_id}")
        if registry.compatibility(subject) != facts.compatibility:
            registry.set_compatibility(subject, facts.compatibility)
            job.say(f"subject {subject}: compatibility set to {facts.compatibility}")
