"""The one judge of two parsed schemas: avro's checker."""

from __future__ import annotations

from typing import Any

from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType

__all__ = ["reads"]


def reads(reader: Any, writer: Any) -> bool:
    """Tell whether `reader` can read all that `writer` may write."""
    # A checker of its own for each question: what one remembers was found while another was open.
    checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]
    return checker.get_compatibility(reader, writer).compatibility is SchemaCompatibilityType.compatible
