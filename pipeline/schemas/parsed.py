"""A schema's JSON as Avro's own objects."""

from __future__ import annotations

import json
from typing import Any

from avro.errors import AvroException
from avro.schema import NamedSchema, Schema, make_avsc_object

from pipeline.errors import SchemaError
from pipeline.schemas.full_names import NAMED, NO_SPACE, with_full_names

__all__ = ["NAMED", "basename", "json_of", "parsed", "shown", "told"]


def json_of(text: str) -> Any:
    """Read JSON; raises SchemaError for what is none, NaN and infinities, which Python takes, too."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except ValueError as error:
        raise SchemaError(f"not JSON: {error}") from None
    except RecursionError:
        raise SchemaError("it is nested too deeply") from None


def _no_constant(text: str) -> None:
    raise ValueError(text)


def parsed(schema: Any) -> Schema:
    """Parse a schema: JSON values, or the text of them; raises SchemaError for what is none.

    Names, references and aliases are full names: avro's own checker compares aliases as they were written,
    and knows no reference to a name without a namespace from within one.
    """
    if isinstance(schema, str) and schema.lstrip()[:1] in {"{", "[", '"'}:
        schema = json_of(schema)
    try:
        return make_avsc_object(with_full_names(schema), validate_names=False)
    except SchemaError as error:
        raise SchemaError(f"not an Avro schema: {error}") from None
    except (AvroException, RecursionError, TypeError, ValueError, AttributeError, KeyError) as error:
        raise SchemaError(f"not an Avro schema: {' '.join(str(error).split())}") from None


def shown(fullname: str) -> str:
    """Give a parsed schema's full name as people write it."""
    return fullname.removeprefix(f"{NO_SPACE}.")


def basename(fullname: str) -> str:
    """Give a name without its namespace."""
    return fullname.rpartition(".")[2]


def told(schema: Schema) -> str:
    """Name a parsed type for people."""
    return f"{schema.type} {shown(schema.fullname)}" if isinstance(schema, NamedSchema) else str(schema.type)
