"""The parsing canonical form: the same in every library, and of what is parsed alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fastavro.schema import to_parsing_canonical_form
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import schemas

if TYPE_CHECKING:
    from tests.java_avro import JavaAvro


@given(schema=schemas())
def test_java_and_fastavro_give_the_same_form(java: JavaAvro, schema: Any) -> None:
    assert java.canonical(schema) == to_parsing_canonical_form(schema)


# A form has no namespaces: "S" within "n.R" would be another type, "n.S" (test_libraries.py).
@given(schema=schemas().filter(lambda schema: _stays(schema, "")))
def test_the_form_of_the_form_is_the_form(java: JavaAvro, schema: Any) -> None:
    form = to_parsing_canonical_form(schema)
    assert form == to_parsing_canonical_form(json.loads(form)) == java.canonical(json.loads(form))


@given(schema=schemas(), drawn=st.data())
def test_the_form_is_of_what_is_parsed_alone(java: JavaAvro, schema: Any, drawn: st.DataObject) -> None:
    told = _told_otherwise(drawn.draw, schema)
    assert to_parsing_canonical_form(schema) == to_parsing_canonical_form(told)
    assert java.canonical(schema) == java.canonical(told)


def _told_otherwise(draw: Any, kind: Any) -> Any:
    """Give a schema with other words for people, no aliases and no defaults, its attributes in any order."""
    if isinstance(kind, list):
        return [_told_otherwise(draw, branch) for branch in kind]
    if not isinstance(kind, dict):
        return kind
    made = {
        key: value
        for key, value in kind.items()
        if key not in {"aliases", "default", "logicalType", "precision", "scale"}
    }
    if made["type"] in {"record", "enum"}:
        made["doc"] = "what it is"
    for key in ("items", "values"):
        if key in made:
            made[key] = _told_otherwise(draw, made[key])
    if "fields" in made:
        made["fields"] = [
            _shuffled(
                draw, {"name": field["name"], "type": _told_otherwise(draw, field["type"]), "order": "ignore"}
            )
            for field in made["fields"]
        ]
    return _shuffled(draw, made)


def _shuffled(draw: Any, made: dict[str, Any]) -> dict[str, Any]:
    return {key: made[key] for key in draw(st.permutations(sorted(made)))}


def _stays(kind: Any, space: str) -> bool:
    """Tell whether no type within a namespace is of none."""
    if isinstance(kind, list):
        return all(_stays(branch, space) for branch in kind)
    if not isinstance(kind, dict):
        return True
    inner = kind.get("namespace", space)
    within = [kind[key] for key in ("items", "values") if key in kind]
    within += [field["type"] for field in kind.get("fields", ())]
    return not (space and not inner) and all(_stays(one, inner) for one in within)
