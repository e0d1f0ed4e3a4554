"""Readings to and from framed Avro, by one registered version of their schema."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any, Final

import fastavro

from pipeline.errors import ReadingError, RegistryError
from pipeline.publisher import TOPIC
from pipeline.readings import Reading
from pipeline.registry import Registry
from pipeline.schemas import avro_schema, schema_text

if TYPE_CHECKING:
    from pipeline.settings import RegistrySettings

__all__ = ["SUBJECT", "Encoder"]

SUBJECT: Final = f"{TOPIC}-value"


class Encoder:
    """Encodes and decodes by one schema file; it asks the registry for the id once, when it is made.

    Raises RegistryError when the registry cannot be reached or the file is not registered.
    """

    def __init__(self, settings: RegistrySettings, schema: str) -> None:
        with Registry(settings) as registry:
            found = registry.schema_id(SUBJECT, schema_text(schema))
        if found is None:
            raise RegistryError(f"the Schema Registry does not know {schema} in subject '{SUBJECT}'")
        self.schema = schema
        self.schema_id = found
        self._header = b"\x00" + struct.pack(">I", found)
        self._parsed = fastavro.parse_schema(avro_schema(schema))

    def encode(self, reading: Reading) -> bytes:
        """Frame a reading: magic byte, schema id, body. Fields that the schema lacks are left out."""
        body = io.BytesIO()
        body.write(self._header)
        fastavro.schemaless_writer(body, self._parsed, reading.to_avro())
        return body.getvalue()

    def decode(self, value: bytes) -> Reading:
        """Read a message that was framed with this schema's id; raises ReadingError for any other."""
        if not value.startswith(self._header):
            raise ReadingError(f"value: is not framed with schema id {self.schema_id}, got {value[:5]!r}")
        record: Any = fastavro.schemaless_reader(io.BytesIO(value[len(self._header) :]), self._parsed, None)
        return Reading.from_avro(record)
