"""Versions of the project's own schemas, as Spark reads them: with the decoder of the image, in a session.

Each committed version is changed by a named operation. What the changed one writes is read as the committed
one, and, where the decoder knows its types, the other way around.
"""

from __future__ import annotations

import io
import json
import tarfile
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import docker
import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from pydantic import SecretStr
from pyspark.sql import functions as F  # noqa: N812 - its usual name
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from pipeline.platform import load_platform
from pipeline.schemas import avro_schema
from pipeline.settings import RegistrySettings
from pipeline.streaming.jvm import DECODER, register_decoder
from tests import profiles
from tests.integration.images import image
from tests.local_server import serve
from tests.schemas.data import encoded
from tests.schemas.evolving import as_specified
from tests.schemas.operations import OPERATIONS
from tests.strategies import data, evolve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyspark.sql import Column, SparkSession
    from starlette.requests import Request

    from tests.schemas.evolving import Reading

pytestmark = pytest.mark.engine

_JAR: Final = "/opt/spark/jars/galewatch-spark.jar"
_SUBJECT: Final = "changed-value"
_VALUES: Final = 5
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FILES: Final = [name for names in load_platform().schema_registry.subjects.values() for name in names]
# What galewatch.spark.RowShape takes, each also as a union with null.
_TYPES: Final = ("string", "int", "long", "boolean", "float", "double")
_INSTANT: Final = {"type": "long", "logicalType": "timestamp-millis"}
# Java's parser, and so a registry, does not take such a schema at all.
_OPERATIONS: Final = [name for name in OPERATIONS if name != "add a field with a default of another type"]


class Registered(NamedTuple):
    """A registry as the decoder asks it: schemas by their id, which are counted on and never used again."""

    settings: RegistrySettings
    schemas: dict[str, Any]
    ids: Iterator[int]

    def add(self, schema: Any) -> int:
        """Register a schema as a version of the subject; gives its id."""
        number = next(self.ids)
        self.schemas[str(number)] = schema
        return number


@pytest.fixture(scope="module")
def registry() -> Iterator[Registered]:
    schemas: dict[str, Any] = {}

    async def versions(request: Request) -> JSONResponse:
        known = request.path_params["id"] in schemas
        return JSONResponse([{"subject": _SUBJECT, "version": 1}] if known else [])

    async def schema(request: Request) -> JSONResponse:
        return JSONResponse({"schema": json.dumps(schemas[request.path_params["id"]])})

    routes = [Route("/schemas/ids/{id}/versions", versions), Route("/schemas/ids/{id}", schema)]
    with serve(Starlette(routes=routes)) as url:
        settings = RegistrySettings(url=url, user="client", password=SecretStr("secret"))
        yield Registered(settings, schemas, count(1))


@pytest.fixture(scope="module")
def session(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> SparkSession:
    """The session, with the Java code of the image."""
    jar = tmp_path_factory.mktemp("jvm") / "galewatch-spark.jar"
    _take_out(jar)
    java = spark.sparkContext._jvm
    assert java is not None
    java.java.lang.Thread.currentThread().getContextClassLoader().addURL(
        java.java.io.File(str(jar)).toURI().toURL()
    )
    return spark


def _take_out(jar: Path) -> None:
    engine = docker.from_env()
    container = engine.containers.create(image("spark"))
    try:
        packed = b"".join(container.get_archive(_JAR)[0])
    finally:
        container.remove()
        engine.close()
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        file = archive.extractfile(jar.name)
        assert file
        jar.write_bytes(file.read())


@st.composite
def _readings(draw: st.DrawFn) -> Reading:
    evolution = draw(evolve(avro_schema(draw(st.sampled_from(_FILES))), *_OPERATIONS))
    reading = draw(st.sampled_from([one for one in evolution.readings() if _is_row(one.reader)]))
    event(f"{evolution.operation}, {'backward' if reading is evolution.backward else 'forward'}")
    return reading


def _is_row(schema: Any) -> bool:
    """Tell whether the decoder can make rows of a schema."""
    for field in schema["fields"]:
        kind = field["type"]
        others = [one for one in kind if one != "null"] if isinstance(kind, list) else [kind]
        if len(others) != 1 or (others[0] not in _TYPES and others[0] != _INSTANT):
            return False
    return True


def _read(session: SparkSession, registry: Registered, reading: Reading, values: list[Any]) -> list[Any]:
    """Give what the decoder makes of values: a reason, or a record."""
    number = registry.add(reading.writer)
    frame = b"\0" + number.to_bytes(4, "big")
    messages = ", ".join(f"(X'{(frame + encoded(reading.writer, value)).hex()}')" for value in values)
    register_decoder(session, registry.settings, _SUBJECT, json.dumps(reading.reader))
    decoded = (
        session.sql(f"VALUES {messages}")
        .toDF("value")
        .select(F.call_function(DECODER, F.col("value")).alias("it"))
    )
    columns = [_column(field) for field in reading.reader["fields"]]
    found = decoded.select("it.schema_id", "it.reason", F.struct(*columns).alias("reading")).collect()
    assert {number} == {row["schema_id"] for row in found}
    return [row["reason"] or row["reading"].asDict() for row in found]


def _column(field: dict[str, Any]) -> Column:
    """Give a field's column; of an instant, in microseconds: Python knows fewer years than Spark."""
    column = F.col("it.reading")[field["name"]]
    is_instant = _INSTANT in (field["type"] if isinstance(field["type"], list) else [field["type"]])
    return (F.unix_micros(column) if is_instant else column).alias(field["name"])


def _in_spark(value: Any) -> Any:
    return {
        name: (one - _EPOCH) // timedelta(microseconds=1) if isinstance(one, datetime) else one
        for name, one in value.items()
    }


@profiles.SPARK
@given(reading=_readings(), drawn=st.data())
def test_spark_reads_what_is_compatible_as_the_operation_predicts_and_refuses_the_rest(
    session: SparkSession, registry: Registered, reading: Reading, drawn: st.DataObject
) -> None:
    if reading.is_lost():
        witnesses = drawn.draw(st.lists(reading.witnesses(), min_size=1, max_size=_VALUES))
        reasons = _read(session, registry, reading, witnesses)
        assert all(str(why).startswith("cannot be decoded with its writer schema") for why in reasons)
    elif reading.is_read():
        values = drawn.draw(st.lists(data(reading.writer), min_size=1, max_size=_VALUES))
        found = _read(session, registry, reading, values)
        if reading.is_predicted():
            assert [_in_spark(as_specified(reading.expected(value))) for value in values] == found
