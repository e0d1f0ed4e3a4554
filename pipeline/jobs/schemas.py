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
    settings = RegistrySettings(
        url=job.settings.registry_url or f"http://schema-registry:8080{facts.path}",
        user=_USER,
        password=job.secrets[f"registry_{_USER}"],
    )
    with Registry(settings) as registry:
        known = job.wait_for("the Schema Registry", registry.subjects, failing_with=RegistryError)
        for subject, names in facts.subjects.items():
            # A level that is declared now decides about the schema that is declared now; a subject takes its
            # level once it has a first schema.
            if subject in known:
                _ensure_level(job, registry, subject, facts.mode(subject))
            for name in names:
                _ensure_schema(job, registry, subject, name)
                _ensure_level(job, registry, subject, facts.mode(subject))


def _ensure_level(job: Job, registry: Registry, subject: str, level: str) -> None:
    if registry.compatibility(subject) != level:
        registry.set_compatibility(subject, level)
        job.say(f"subject {subject}: compatibility set to {level}")


def _ensure_schema(job: Job, registry: Registry, subject: str, name: str) -> None:
    schema = schema_text(name)
    if registry.schema_id(subject, schema) is not None:
        return
    try:
        # Asked first: some registries answer a refused registration with less than a refused check.
        registry.check(subject, schema)
        schema_id = registry.register(subject, schema)
    except IncompatibleSchemaError as error:
        raise IncompatibleSchemaError(f"{name}: {error}") from None
    job.say(f"subject {subject}: {name} registered with id {schema_id}")
