"""Values as Terraform sends them, with every kind of unknown recognised.

Since 1.6 Terraform refines unknown values ("not null", "begins with …") and sends those as extension 12 of
MessagePack instead of extension 0. `tf` knows only the latter. In a plan a refined unknown has to go back as
it came; whoever only looks at a configuration sees one kind of unknown.
"""

from typing import Any

import msgpack  # type: ignore[import-untyped]
from tf.types import Unknown

__all__ = ["is_unknown", "read_config"]


def read_config(value: Any) -> Any:
    """Decode a configuration for looking at: whatever is not known yet is `Unknown`."""
    if not value.msgpack:
        return None
    return msgpack.unpackb(value.msgpack, ext_hook=lambda _code, _data: Unknown)


def is_unknown(value: Any) -> bool:
    """Tell whether a value is not known yet, refined or not."""
    return value is Unknown or isinstance(value, msgpack.ExtType)
