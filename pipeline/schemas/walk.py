"""The walk over a reader and a writer, side by side, into whatever of the one reads whatever of the other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.schemas.reasons import Reason

__all__ = ["Walk"]


class Walk(ABC):
    """One walk over two parsed schemas; each pair is looked at once, so a recursive record ends."""

    def __init__(self) -> None:
        self._seen: set[tuple[int, int]] = set()

    def pair(self, reader: Any, writer: Any, path: str) -> Iterator[Reason]:
        """Look at a pair of types; `path` is where the reader's stands."""
        pair = id(reader), id(writer)
        if pair in self._seen or not self.looks(reader, writer):
            return
        self._seen.add(pair)
        if writer.type == "union":
            for branch in writer.schemas:
                yield from self.pair(reader, branch, path)
        elif reader.type == "union":
            yield from self.branches(reader, writer, path)
        else:
            yield from self.types(reader, writer, path)

    def within(self, reader: Any, writer: Any, path: str) -> Iterator[Reason]:
        """Go on into what two types of the same kind hold."""
        if reader.type == "array":
            yield from self.pair(reader.items, writer.items, f"{path}/items")
        elif reader.type == "map":
            yield from self.pair(reader.values, writer.values, f"{path}/values")
        elif reader.type == "record":
            yield from self.record(reader, writer, path)
        elif reader.type == "enum":
            yield from self.enum(reader, writer, path)

    def looks(self, _reader: Any, _writer: Any) -> bool:
        """Tell whether a pair is of interest."""
        return True

    @abstractmethod
    def branches(self, reader: Any, writer: Any, path: str) -> Iterator[Reason]:
        """Look at the reader's union, and a type of the writer's that is none."""

    @abstractmethod
    def types(self, reader: Any, writer: Any, path: str) -> Iterator[Reason]:
        """Look at two types that are no unions."""

    @abstractmethod
    def record(self, reader: Any, writer: Any, path: str) -> Iterator[Reason]:
        """Look at the fields of two records."""

    @abstractmethod
    def enum(self, reader: Any, writer: Any, path: str) -> Iterator[Reason]:
        """Look at the symbols of two enums."""
