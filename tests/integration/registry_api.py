"""The registry's API as it is: each call with its answer, whatever that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Self

import httpx

if TYPE_CHECKING:
    from tests.integration.containers import Registry

__all__ = ["Answer", "RegistryApi"]

# The list of subjects ends at a thousand where nobody asks for more.
_ALL = 1_000_000


class Answer(NamedTuple):
    """The status, what the body says as JSON, and the body as it was sent."""

    status: int
    body: Any
    text: str


class RegistryApi:
    """A user's calls on one connection; a context manager."""

    def __init__(self, registry: Registry, user: str = "admin") -> None:
        self._client = httpx.Client(
            base_url=registry.url, auth=(user, registry.password(user)), timeout=30, follow_redirects=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def register(self, subject: str, text: str, kind: str = "AVRO") -> Answer:
        """Register a schema."""
        return self._call("POST", f"/subjects/{subject}/versions", {"schema": text, "schemaType": kind})

    def check(self, subject: str, text: str, against: str = "", kind: str = "AVRO") -> Answer:
        """Check a schema against a version, `latest`, or, where none is named, all of a subject."""
        path = f"/compatibility/subjects/{subject}/versions" + (against and f"/{against}")
        return self._call("POST", path, {"schema": text, "schemaType": kind})

    def look_up(self, subject: str, text: str) -> Answer:
        """Look up a schema in a subject."""
        return self._call("POST", f"/subjects/{subject}", {"schema": text, "schemaType": "AVRO"})

    def version(self, subject: str, version: int | str, *, deleted: bool = False) -> Answer:
        """Get a version of a subject."""
        return self._call("GET", f"/subjects/{subject}/versions/{version}", deleted=deleted)

    def versions(self, subject: str, *, deleted: bool = False) -> Answer:
        """List a subject's versions, with those that were deleted softly if asked to."""
        return self._call("GET", f"/subjects/{subject}/versions", deleted=deleted)

    def subjects(self, *, deleted: bool = False) -> Answer:
        """List the subjects; the same."""
        return self._call("GET", "/subjects", deleted=deleted, limit=_ALL)

    def by_id(self, schema_id: int) -> Answer:
        """Get the schema of an id, exactly as it was registered."""
        return self._call("GET", f"/schemas/ids/{schema_id}/schema")

    def client_text(self, schema_id: int) -> Answer:
        """Get the schema of an id as clients do."""
        return self._call("GET", f"/schemas/ids/{schema_id}")

    def mode(self, subject: str = "", *, or_global: bool = False) -> Answer:
        """Get the compatibility mode of a subject, or, where none is named, the global one."""
        return self._call("GET", f"/config/{subject}".rstrip("/"), defaultToGlobal=or_global)

    def set_mode(self, mode: str, subject: str = "") -> Answer:
        """Set it."""
        return self._call("PUT", f"/config/{subject}".rstrip("/"), {"compatibility": mode})

    def delete_mode(self, subject: str = "") -> Answer:
        """Delete it."""
        return self._call("DELETE", f"/config/{subject}".rstrip("/"))

    def set_read_only(self, subject: str) -> Answer:
        """Ask for a subject that takes no more versions; what Confluent calls its mode."""
        return self._call("PUT", f"/mode/{subject}", {"mode": "READONLY"})

    def delete(self, subject: str, version: int | str = "", *, permanent: bool = False) -> Answer:
        """Delete a version, or, where none is named, the subject."""
        path = f"/subjects/{subject}" + (f"/versions/{version}" if version else "")
        return self._call("DELETE", path, permanent=permanent)

    def _call(self, method: str, path: str, body: object = None, **query: bool | int) -> Answer:
        told = self._client.request(method, path, json=body, params=query)
        try:
            return Answer(told.status_code, told.json(), told.text)
        except ValueError:
            return Answer(told.status_code, None, told.text)
