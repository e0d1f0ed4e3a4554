"""Where things stand in a schema's JSON: the places of its types, and what each refers to.

A place is a path of keys from the root: of schemas that a change made of one another, all but what it changed
is at the same place.
"""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["FAR", "NAMED", "PRIMITIVES", "PROMOTIONS", "Layout", "Path", "plain", "unmistakable"]

Path = tuple[str | int, ...]

PRIMITIVES: Final = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
NAMED: Final = frozenset({"record", "enum", "fixed"})

PROMOTIONS: Final = frozenset(
    {
        *(("int", wider) for wider in ("long", "float", "double")),
        *(("long", wider) for wider in ("float", "double")),
        ("float", "double"),
        ("string", "bytes"),
        ("bytes", "string"),
    }
)
"""What is read as what: written, read."""

FAR: Final = 1_000
"""Farther than any place is from another, and deeper than any value."""


class Layout:
    """A schema's places. References in it are full names."""

    def __init__(self, schema: Any) -> None:
        self.schema = schema
        self.named: dict[str, Path] = {}
        self.places = list(self._collect((), ""))

    def at(self, path: Path) -> Any:
        """Give what stands at a place."""
        node = self.schema
        for key in path:
            node = node[key]
        return node

    def home(self, path: Path) -> Path:
        """Give the place where the type at a place is defined: its own, unless a reference stands there."""
        node = self.at(path)
        return self.named[node] if isinstance(node, str) and node not in PRIMITIVES else path

    def kind(self, path: Path) -> str:
        """Give the kind of the type at a place."""
        node = self.at(self.home(path))
        if isinstance(node, list):
            return "union"
        return str(node["type"] if isinstance(node, dict) else node)

    def called(self, path: Path) -> str:
        """Give what tells a branch of a union: its full name, or its kind."""
        home = self.home(path)
        return next((name for name, place in self.named.items() if place == home), self.kind(path))

    def within(self, path: Path) -> list[Path]:
        """Give the places of the types that the type at a place is made of."""
        home = self.home(path)
        node = self.at(home)
        if isinstance(node, list):
            return [(*home, index) for index in range(len(node))]
        if not isinstance(node, dict):
            return []
        if "fields" in node:
            return [(*home, "fields", index, "type") for index in range(len(node["fields"]))]
        return [(*home, key) for key in ("items", "values") if key in node]

    def reaches(self, path: Path, target: Path) -> bool:
        """Tell whether the type at a place holds what stands at another, however deep."""
        return self.distances(target)(path) < FAR

    def distances(self, target: Path) -> Callable[[Path], int]:
        """Give how many steps it is to a place from any other."""
        return self._measured(
            lambda path, known: 0 if target in {path, self.home(path)} else min(known, default=FAR) + 1
        )

    def heights(self, *, of_defaults: bool = False) -> Callable[[Path], int]:
        """Give how deep the shallowest value of a type is; FAR, where there is none.

        Or its shallowest default: that of a union is of the first branch.
        """

        def height(path: Path, known: list[int]) -> int:
            kind = self.kind(path)
            if kind in {"array", "map"}:
                return 0
            if kind == "union":
                return min(known[:1] if of_defaults else known, default=FAR) + 1
            return max(known, default=0) + 1

        return self._measured(height)

    def is_inhabited(self) -> bool:
        """Tell whether each type in the schema has a value: a record that always holds itself has none."""
        heights = self.heights()
        return all(heights(path) < FAR for path in self.places)

    def _measured(self, measure: Callable[[Path, list[int]], int]) -> Callable[[Path], int]:
        """Measure each place by what it is made of, until nothing changes."""
        found = dict.fromkeys(self.places, FAR)
        for _ in self.places:
            new = {
                path: min(measure(path, [found[inner] for inner in self.within(path)]), FAR)
                for path in self.places
            }
            if new == found:
                break
            found = new
        return found.__getitem__

    def _collect(self, path: Path, space: str) -> Iterator[Path]:
        yield path
        node = self.at(path)
        if isinstance(node, dict) and node["type"] in NAMED:
            space = node.get("namespace", space)
            self.named[f"{space}.{node['name']}" if space else node["name"]] = path
        if not isinstance(node, str):
            # What is here is no reference: its parts are here, too.
            for inner in self.within(path):
                yield from self._collect(inner, space)


def plain(value: Any) -> Any:
    """Give a value as it is read: without the names of the branches that it is written as."""
    if isinstance(value, tuple):
        return plain(value[1])
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return value


def unmistakable(schema: Any) -> bool:
    """Tell whether every library takes each name for the same type, and each branch of a union for itself.

    A branch that another could read, too, is read as whichever comes first by fastavro, a type whose name
    is an alias of another becomes that other, and where a field could be two of another record's, Java's
    checker throws as soon as it tries the one for the other: tests/unit/schemas/test_libraries.py tells what
    comes of it.
    """
    layout = Layout(schema)
    names = [name.rpartition(".")[2] for name in layout.named]
    aliases = [
        (own, alias.rpartition(".")[2])
        for own, path in layout.named.items()
        for alias in layout.at(path).get("aliases", ())
    ]
    if len(set(names)) < len(names) or any(alias in names for _, alias in aliases):
        return False
    if len({alias for _, alias in aliases}) < len(aliases):
        return False
    records = [node for node in map(layout.at, layout.named.values()) if "fields" in node]
    if any(_could_be_two(field, other) for one, other in permutations(records, 2) for field in one["fields"]):
        return False
    return not any(
        (written, read) in PROMOTIONS
        for path in layout.places
        if layout.kind(path) == "union"
        for written in map(layout.kind, layout.within(path))
        for read in map(layout.kind, layout.within(path))
    )


def _could_be_two(field: Any, record: Any) -> bool:
    return len({field["name"], *field.get("aliases", ())} & {one["name"] for one in record["fields"]}) > 1
