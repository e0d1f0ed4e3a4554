"""Framed Avro messages decoded outside of Spark, each by its own writer's schema."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any, Self

import fastavro

from pipeline.errors import ReadingError, SchemaError
from pipeline.registry import Registry

if TYPE_CHECKING:
    from pipeline.settings import RegistrySettings

__all__ = ["Decoder", "schema_id_of"]

_HEADER_BYTES = 5


def schema_id_of(value: bytes | None) -> int | None:
    """Give the writer's schema id of a framed message, None where it is not framed."""
    if value is None or len(value) < _HEADER_BYTES or value[0] != 0:
        return None
    return int.from_bytes(value[1:_HEADER_BYTES], "big")


class Decoder:
    """Decodes by the registry's schemas, each asked for once; a context manager."""

    def __init__(self, settings: RegistrySettings) -> None:
        self._registry = Registry(settings)
        self._schemas: dict[int, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._registry.close()

    def decode(self, value: bytes | None) -> dict[str, Any]:
        """Give the record of a message; raises ReadingError with the reason why there is none.

        Raises RegistryError when the registry cannot be asked.
        """
        schema_id = schema_id_of(value)
        if value is None or schema_id is None:
            raise ReadingError("the message is no framed Avro")
        try:
            schema = self._schema(schema_id)
        except SchemaError as error:
            raise ReadingError(str(error)) from None
        if schema is None:
            raise ReadingError(f"the Schema Registry knows no schema with id {schema_id}")
        body = io.BytesIO(value[_HEADER_BYTES:])
        try:
            record: Any = fastavro.schemaless_reader(body, schema, None)
        except Exception as error:  # noqa: BLE001 - whatever bytes lead fastavro to raise
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ReadingError(f"the body does not fit schema {schema_id}: {reason}") from None
        if not isinstance(record, dict):
            raise ReadingError(f"schema {schema_id} is none of a record")
        return record

    def _schema(self, schema_id: int) -> Any:
        if schema_id not in self._schemas:
            text = self._registry.schema_text(schema_id)
            self._schemas[schema_id] = None if text is None else fastavro.parse_schema(json.loads(text))
        return self._schemas[schema_id]
