"""Hypothesis strategy of what may be made of a schema by one named operation."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hypothesis import assume
from hypothesis import strategies as st

from tests.schemas.changes import Filled, Reads, Refuses
from tests.schemas.data import data
from tests.schemas.layout import FAR, Layout
from tests.schemas.operations import OPERATIONS

if TYPE_CHECKING:
    from pipeline.schemas.modes import Mode
    from tests.schemas.layout import Path

__all__ = ["Evolution", "Reading", "as_specified", "evolve", "filled_raw"]


@dataclass(frozen=True)
class Reading:
    """One schema that reads another, and what is expected of it."""

    reader: Any
    writer: Any
    place: Path
    outcome: Reads | Refuses

    def is_read(self) -> bool:
        """Tell whether the reader reads all that the writer writes."""
        return isinstance(self.outcome, Reads)

    def is_lost(self) -> bool:
        """Tell whether the reader refuses bytes for what they are, and not for a name alone."""
        return isinstance(self.outcome, Refuses) and not self.outcome.by_name

    def is_predicted(self) -> bool:
        """Tell whether it is known what is read: where libraries differ, it is not."""
        return isinstance(self.outcome, Reads) and self.outcome.value is not None

    def expected(self, value: Any) -> Any:
        """Give what is read of a value that was written: what defaults stand for is a Filled."""
        assert isinstance(self.outcome, Reads)
        assert self.outcome.value
        return _lifted(Layout(self.writer), (), self.place, value, self.outcome.value)

    def witnesses(self) -> st.SearchStrategy[Any]:
        """Give values of the writer's that the reader cannot read."""
        assert isinstance(self.outcome, Refuses)
        return data(self.writer, self.place, self.outcome.witnesses)


@dataclass(frozen=True)
class Evolution:
    """What an operation made of a schema, at a place, and how safe that is."""

    operation: str
    throws: bool
    backward: Reading
    forward: Reading

    @property
    def old(self) -> Any:
        """The schema before."""
        return self.backward.writer

    @property
    def new(self) -> Any:
        """The schema after it."""
        return self.backward.reader

    def readings(self) -> tuple[Reading, Reading]:
        """Give both ways."""
        return self.backward, self.forward

    def is_safe(self, mode: Mode) -> bool:
        """Tell whether the new version may follow the old one in a mode."""
        asked = {
            "NONE": (),
            "BACKWARD": (self.backward,),
            "FORWARD": (self.forward,),
            "FULL": (self.backward, self.forward),
        }
        return all(reading.is_read() for reading in asked[mode.removesuffix("_TRANSITIVE")])

    def lints(self) -> tuple[frozenset[str], frozenset[str]]:
        """Give the rules that object, backward and forward."""
        backward, forward = (
            reading.outcome.lints if isinstance(reading.outcome, Reads) else frozenset()
            for reading in self.readings()
        )
        return backward, forward


def evolve(schema: Any, *operations: str) -> st.SearchStrategy[Evolution]:
    """Give what one of these operations (or of all) makes of a schema that has any values."""
    return _evolve(schema, operations or tuple(OPERATIONS))


@st.composite
def _evolve(draw: st.DrawFn, schema: Any, operations: tuple[str, ...]) -> Evolution:
    layout = Layout(schema)
    fitting = {
        name: places
        for name in operations
        if (places := [path for path in layout.places if OPERATIONS[name].fits(layout, path)])
    }
    assume(fitting)
    name = draw(st.sampled_from(sorted(fitting)))
    path = draw(st.sampled_from(fitting[name]))
    operation = OPERATIONS[name]
    change = operation.apply(draw, layout, path)
    new = _put(schema, path, change.made)
    if change.renamed:
        new = _renamed(new, *change.renamed)
    if change.made != layout.at(path):
        new = _without_defaults_of(new, path)
    return Evolution(
        name,
        operation.throws,
        Reading(new, schema, path, change.backward),
        Reading(schema, new, path, change.forward),
    )


def _put(schema: Any, path: Path, made: Any) -> Any:
    holder = [copy.deepcopy(schema)]
    where: Any = holder
    for key, after in zip((0, *path), (*path, None), strict=True):
        if after is None:
            where[key] = copy.deepcopy(made)
        else:
            where = where[key]
    return holder[0]


def _renamed(kind: Any, old: str, new: str) -> Any:
    """Let all references to a type follow its new name."""
    if isinstance(kind, str):
        return new if kind == old else kind
    if isinstance(kind, list):
        return [_renamed(branch, old, new) for branch in kind]
    made = {key: _renamed(kind[key], old, new) if key in {"items", "values"} else kind[key] for key in kind}
    if "fields" in kind:
        made["fields"] = [{**field, "type": _renamed(field["type"], old, new)} for field in kind["fields"]]
    return made


def _without_defaults_of(schema: Any, changed: Path) -> Any:
    """Take away the defaults of what the change is in: they were values of what was there before."""
    layout = Layout(schema)
    distance = layout.distances(changed)
    for path in layout.places:
        if path and path[-1] == "type" and distance(path) < FAR:
            layout.at(path[:-1]).pop("default", None)
    return layout.schema


def _lifted(layout: Layout, path: Path, place: Path, value: Any, of: Any) -> Any:
    """Give a value as it was written, but with `of` applied to all that stands at a place of the schema."""
    home = layout.home(path)
    inner = layout.within(path)
    if isinstance(value, tuple):
        (branch,) = [one for one in inner if layout.called(one) == value[0]]
        made = _lifted(layout, branch, place, value[1], of)
    elif isinstance(value, list):
        made = [_lifted(layout, inner[0], place, one, of) for one in value]
    elif isinstance(value, dict) and layout.kind(path) == "map":
        made = {key: _lifted(layout, inner[0], place, one, of) for key, one in value.items()}
    elif isinstance(value, dict):
        names = [field["name"] for field in layout.at(home)["fields"]]
        made = {
            name: _lifted(layout, where, place, value[name], of)
            for name, where in zip(names, inner, strict=True)
        }
    else:
        made = value
    return of(made) if place in {path, home} else made


def filled_raw(value: Any) -> Any:
    """Give a value with defaults as fastavro fills them in: as the JSON that they are written in."""
    return _replaced(value, "json")


def as_specified(value: Any) -> Any:
    """Give a value with defaults as the specification has them."""
    return _replaced(value, "value")


def _replaced(value: Any, what: str) -> Any:
    if isinstance(value, Filled):
        return getattr(value, what)
    if isinstance(value, list):
        return [_replaced(one, what) for one in value]
    if isinstance(value, dict):
        return {key: _replaced(one, what) for key, one in value.items()}
    return value
