"""The Schema Registry, by its Confluent API: register schemas, look them up, set compatibility modes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError
from httpx2 import HTTPError

from pipeline.errors import IncompatibleSchemaError, RegistryError, SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import TypeVar

    from pipeline.settings import RegistrySettings

    Answer = TypeVar("Answer")

__all__ = ["UNREACHABLE", "Registry"]

UNREACHABLE = (HTTPError, OSError)
"""What confluent-kafka's client lets through when the registry does not answer; its HTTP client is httpx2."""

# A registry that is up answers in milliseconds; the callers have retries of their own.
_TIMEOUT_SECONDS = 10
_AVRO = "AVRO"
_UNAUTHORIZED = (401, 403)
_NOT_FOUND = 404
_CONFLICT = 409


class Registry:
    """The registry as one user; a context manager that closes its connections.

    Every method raises RegistryError, which names the subject and the reason.
    """

    def __init__(self, settings: RegistrySettings) -> None:
        self._url = settings.url
        self._user = settings.user
        self.client = SchemaRegistryClient(
            {
                "url": settings.url,
                "basic.auth.user.info": f"{settings.user}:{settings.password.get_secret_value()}",
                "timeout": _TIMEOUT_SECONDS,
                "max.retries": 0,
            }
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def subjects(self) -> list[str]:
        """List the registered subjects."""
        return sorted(self._ask("the list of subjects", self.client.get_subjects))

    def register(self, subject: str, schema: str) -> int:
        """Register an Avro schema and return its id; the same schema again gives the same id.

        Raises IncompatibleSchemaError if it cannot replace what is registered.
        """
        return self._ask(f"subject '{subject}'", lambda: self.client.register_schema(subject, _avro(schema)))

    def schema_id(self, subject: str, schema: str) -> int | None:
        """Return the id under which exactly this schema is registered, None if it is not."""
        try:
            found = self._ask(
                f"subject '{subject}'", lambda: self.client.lookup_schema(subject, _avro(schema))
            )
        except _NotRegisteredError:
            return None
        return found.schema_id

    def schema_text(self, schema_id: int) -> str | None:
        """Return the Avro schema that is registered under an id, as JSON text; None if there is none.

        Raises SchemaError for one that is not read by itself: of another kind, or with references to others.
        """
        try:
            found = self._ask(f"schema {schema_id}", lambda: self.client.get_schema(schema_id))
        except _NotRegisteredError:
            return None
        if found.schema_type != _AVRO:
            raise SchemaError(f"schema {schema_id} is of the type {found.schema_type}, and not {_AVRO}")
        if found.references:
            others = ", ".join(f"{one.name} of subject '{one.subject}'" for one in found.references)
            raise SchemaError(f"schema {schema_id} refers to {others}: schemas with references are not read")
        return str(found.schema_str)

    def compatibility(self, subject: str) -> str | None:
        """Return the compatibility mode of a subject, None for one that the registry does not know.

        Apicurio tells its own default for a subject that has versions, but no mode of its own.
        """
        try:
            level = self._ask(f"subject '{subject}'", lambda: self.client.get_compatibility(subject))
        except _NotRegisteredError:
            return None
        return str(level)

    def set_compatibility(self, subject: str, level: str) -> None:
        """Set the compatibility mode of a subject, such as BACKWARD; it need not have a version yet."""
        self._ask(f"subject '{subject}'", lambda: self.client.set_compatibility(subject, level))

    def _ask(self, what: str, question: Callable[[], Answer]) -> Answer:
        try:
            return question()
        except SchemaRegistryError as error:
            raise self._translated(what, error) from None
        except UNREACHABLE as error:
            raise RegistryError(
                f"the Schema Registry at {self._url} cannot be reached for {what}: "
                f"{error or type(error).__name__}"
            ) from None

    def _translated(self, what: str, error: SchemaRegistryError) -> RegistryError:
        if error.http_status_code in _UNAUTHORIZED:
            return RegistryError(f"the Schema Registry at {self._url} refused user '{self._user}' for {what}")
        if error.http_status_code == _CONFLICT:
            # Apicurio puts the names of its exceptions before its reason.
            reason = error.error_message.rpartition("Exception: ")[2]
            return IncompatibleSchemaError(
                f"the Schema Registry at {self._url} refused the schema for {what}: "
                f"it is not compatible with what is registered ({reason})"
            )
        kind = _NotRegisteredError if error.http_status_code == _NOT_FOUND else RegistryError
        return kind(
            f"the Schema Registry at {self._url} answered {error.http_status_code} for {what}: "
            f"{error.error_message}"
        )


class _NotRegisteredError(RegistryError):
    """404: the subject, version or level is not there."""


def _avro(schema: str) -> Schema:
    return Schema(schema, schema_type=_AVRO)
