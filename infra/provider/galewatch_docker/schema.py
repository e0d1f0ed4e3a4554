"""The form of the tables that describe each resource, and their translation for the plugin protocol.

The tables themselves (`container_table`, `tables`) hold the official schema, attribute by attribute, and
beside it what this stand-in makes of each: whether it is implemented, and what a change of it means.
"""

import json
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

import tf.schema
import tf.types
from tf.gen import tfplugin_pb2 as pb

__all__ = ["Change", "Field", "Nested", "Table", "both", "computed", "optional", "required", "unsupported"]


class Change(Enum):
    """What a change of an attribute does to what exists."""

    REPLACE = "replace"
    """It is destroyed and made anew (`ForceNew` of the official provider)."""
    UPDATE = "update"
    """The engine changes it in place."""
    LIMIT = "limit"
    """The engine changes it in place, but takes zero for "leave it": to unset it is to replace."""
    RECORD = "record"
    """Only the state changes: the attribute steers the provider, not the engine."""


# What the official provider (Plugin SDK v2) takes an unset attribute for.
_ZERO: dict[str, Any] = {"string": "", "number": 0, "bool": False}

_OBJECTS: dict[str, dict[str, str]] = {
    "network_data": {
        "gateway": "string",
        "global_ipv6_address": "string",
        "global_ipv6_prefix_length": "number",
        "ip_address": "string",
        "ip_prefix_length": "number",
        "ipv6_gateway": "string",
        "mac_address": "string",
        "network_name": "string",
    },
}


class _JsonType(tf.types.TfType):  # type: ignore[misc]  # tf carries no types
    """A type given by its cty JSON; values pass through as the wire has them."""

    def __init__(self, cty: Any) -> None:
        self._cty = json.dumps(cty).encode()

    def encode(self, value: Any) -> Any:
        return value

    def decode(self, value: Any) -> Any:
        return value

    def tf_type(self) -> bytes:
        return self._cty


@dataclass(frozen=True)
class Field:
    """One attribute.

    `kind` is `string`, `number`, `bool`, or `list`, `set`, `map` (of strings), or names a list of objects.
    """

    name: str
    kind: str
    required: bool = False
    optional: bool = False
    computed: bool = False
    sensitive: bool = False
    supported: bool = True
    change: Change = Change.REPLACE
    default: Any = None

    @property
    def cty(self) -> Any:
        """The type as Terraform's JSON writes it."""
        if self.kind in _OBJECTS:
            return ["list", ["object", _OBJECTS[self.kind]]]
        return [self.kind, "string"] if self.kind in {"list", "set", "map"} else self.kind

    @property
    def unset(self) -> Any:
        """The value that an unset attribute stands for."""
        if self.default is not None:
            return self.default
        return _ZERO.get(self.kind, {} if self.kind == "map" else [])

    def to_tf(self) -> tf.schema.Attribute:
        """Translate for the plugin protocol."""
        return tf.schema.Attribute(
            self.name,
            _JsonType(self.cty),
            required=self.required,
            optional=self.optional,
            computed=self.computed,
            sensitive=self.sensitive,
        )


class _NestedBlock(tf.schema.NestedBlock):  # type: ignore[misc]  # tf carries no types
    """A nested block of any nesting; `tf` itself knows sets only."""

    def __init__(self, nested: "Nested") -> None:
        block = tf.schema.Block(
            attributes=[field.to_tf() for field in nested.fields],
            block_types=[_NestedBlock(inner) for inner in nested.blocks],
        )
        super().__init__(nested.name, tf.schema.NestMode.Set, block, max_items=nested.max_items or None)
        self._nesting = pb.Schema.NestedBlock.NestingMode.Value(nested.nesting.upper())

    def to_pb(self) -> Any:
        message = super().to_pb()
        message.nesting = self._nesting
        return message


@dataclass(frozen=True)
class Nested:
    """One nested block; `nesting` is `set`, `list` or `single`, `max_items` 0 stands for no limit."""

    name: str
    nesting: str
    fields: tuple[Field, ...]
    blocks: tuple["Nested", ...] = ()
    max_items: int = 0
    supported: bool = True
    change: Change = Change.REPLACE


@dataclass(frozen=True)
class Table:
    """One resource type (or the provider block): its attributes, its blocks and its schema's version."""

    name: str
    version: int
    fields: tuple[Field, ...]
    blocks: tuple[Nested, ...] = ()

    @cached_property
    def field(self) -> dict[str, Field]:
        """The attributes by name."""
        return {field.name: field for field in self.fields}

    @cached_property
    def block(self) -> dict[str, Nested]:
        """The blocks by name."""
        return {block.name: block for block in self.blocks}

    def to_tf(self) -> tf.schema.Schema:
        """Translate for the plugin protocol."""
        return tf.schema.Schema(
            version=self.version,
            attributes=[field.to_tf() for field in self.fields],
            block_types=[_NestedBlock(block) for block in self.blocks],
        )


def required(name: str, kind: str = "string", **more: Any) -> Field:
    """Describe an attribute that has to be given."""
    return Field(name, kind, required=True, **more)


def optional(name: str, kind: str = "string", **more: Any) -> Field:
    """Describe an attribute that may be given."""
    return Field(name, kind, optional=True, **more)


def computed(name: str, kind: str = "string", **more: Any) -> Field:
    """Describe an attribute that the provider gives."""
    return Field(name, kind, computed=True, **more)


def both(name: str, kind: str = "string", **more: Any) -> Field:
    """Describe an attribute that may be given, and is filled by the provider where it is not."""
    return Field(name, kind, optional=True, computed=True, **more)


def unsupported(name: str, kind: str = "string", **more: Any) -> Field:
    """Describe an optional attribute of the official schema that this stand-in refuses."""
    return Field(name, kind, optional=True, supported=False, **more)
