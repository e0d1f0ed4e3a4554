"""The id under which the registry has a schema file: what is written is framed with it.

By plain HTTP: the image of Spark has no client of Kafka's in Python, and one question needs none.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import httpx

from pipeline.errors import RegistryError
from pipeline.schemas import schema_text

if TYPE_CHECKING:
    from threading import Event

    from pipeline.settings import RegistrySettings

__all__ = ["registered_id", "wait_for_id"]

_LOG = logging.getLogger("driver")
_TIMEOUT_SECONDS = 10
_PAUSE_SECONDS = 2.0
_CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"


def wait_for_id(settings: RegistrySettings, subject: str, schema: str, stop: Event) -> int | None:
    """Look up the id of a schema file, as soon as the registry answers; None when told to stop before."""
    said = None
    while not stop.is_set():
        try:
            return registered_id(settings, subject, schema)
        except RegistryError as error:
            if str(error) != said:
                said = str(error)
                _LOG.warning("waiting: %s", said)
        stop.wait(_PAUSE_SECONDS)
    return None


def registered_id(settings: RegistrySettings, subject: str, schema: str) -> int:
    """Look up the id of a schema file in a subject; raises RegistryError."""
    where = f"the Schema Registry at {settings.url}"
    path = f"/subjects/{subject}"
    try:
        answer = httpx.post(
            f"{settings.url}{path}",
            json={"schema": schema_text(schema)},
            auth=(settings.user, settings.password.get_secret_value()),
            headers={"Accept": _CONTENT_TYPE},
            timeout=_TIMEOUT_SECONDS,
        )
    except httpx.HTTPError as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise RegistryError(f"{where} cannot be reached for {path}: {reason}") from None
    if answer.is_error:
        raise RegistryError(f"{where} answered {answer.status_code} for {path}")
    try:
        return int(answer.json()["id"])
    except (ValueError, KeyError, TypeError):
        raise RegistryError(f"{where} answered no id for {path}") from None
