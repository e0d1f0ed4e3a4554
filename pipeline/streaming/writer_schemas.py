"""What the registry knows about the topics' schemas, asked when a driver starts.

By plain HTTP: the image of Spark has no client of Kafka's in Python, and three questions need none.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx

from pipeline.errors import RegistryError, StreamingError
from pipeline.schemas import schema_text
from pipeline.streaming.decode import WriterSchemas

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pipeline.settings import RegistrySettings

__all__ = ["RejectedIds", "registered_id", "writer_schemas"]

_TIMEOUT_SECONDS = 10
_CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"


class RejectedIds:
    """Schema ids that are none of the topic's, as the registry said; a file beside the checkpoints."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> frozenset[int]:
        """Give the ids; none before the first."""
        try:
            return frozenset(json.loads(self._path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return frozenset()
        except (OSError, ValueError, TypeError) as error:
            raise StreamingError(f"{self._path} cannot be read as a list of schema ids: {error}") from None

    def add(self, schema_id: int) -> None:
        """Add an id, whole or not at all."""
        ids = sorted({*self.read(), schema_id})
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_suffix(".new")
        beside.write_text(json.dumps(ids), encoding="utf-8")
        beside.replace(self._path)


def writer_schemas(
    settings: RegistrySettings, subject: str, reader: str, rejected: Iterable[int] = ()
) -> WriterSchemas:
    """Fetch every version of a subject, by id; `reader` names the schema file that readings are read as.

    Raises RegistryError when the registry cannot be reached or does not know the subject.
    """
    by_id: dict[int, str] = {}
    with _client(settings) as client:
        for version in _ask(client, "GET", f"/subjects/{subject}/versions"):
            found = _ask(client, "GET", f"/subjects/{subject}/versions/{version}")
            by_id[int(found["id"])] = found["schema"]
    return WriterSchemas(schema_text(reader), by_id, frozenset(rejected) - by_id.keys())


def registered_id(settings: RegistrySettings, subject: str, schema: str) -> int:
    """Look up the id of a schema file in a subject: what is written is framed with it."""
    with _client(settings) as client:
        found = _ask(client, "POST", f"/subjects/{subject}", {"schema": schema_text(schema)})
    return int(found["id"])


def _client(settings: RegistrySettings) -> httpx.Client:
    return httpx.Client(
        base_url=settings.url,
        auth=(settings.user, settings.password.get_secret_value()),
        headers={"Accept": _CONTENT_TYPE},
        timeout=_TIMEOUT_SECONDS,
    )


def _ask(client: httpx.Client, method: str, path: str, body: dict[str, str] | None = None) -> Any:
    where = f"the Schema Registry at {str(client.base_url).rstrip('/')}"
    try:
        answer = client.request(method, path.lstrip("/"), json=body)
    except httpx.HTTPError as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise RegistryError(f"{where} cannot be reached for {path}: {reason}") from None
    if answer.is_error:
        raise RegistryError(f"{where} answered {answer.status_code} for {path}")
    try:
        return answer.json()
    except ValueError:
        raise RegistryError(f"{where} answered no JSON for {path}") from None
