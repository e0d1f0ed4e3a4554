"""The verdict on vectors, lints off: those of public suites, and our own. Each is also Java's."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.schemas.asked import answer
from pipeline.schemas.modes import steps

if TYPE_CHECKING:
    from tests.java_avro import JavaAvro

_ROOT = Path(__file__).parents[3]
_PUBLIC = Path(os.environ.get("GALEWATCH_SHARED", _ROOT.parent / "shared")) / "vectors"
# What was found once, and what tells one engine from another: `galewatch schemas verdict` reads these rows.
_OWN = _ROOT / "tests" / "data" / "schema-vectors.jsonl"


def _vectors(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_bytes().splitlines()]


def _disagreements(file: Path) -> list[str]:
    judged = [answer(line, "BACKWARD", lints=False) for line in file.read_bytes().splitlines()]
    return [
        f"{vector['name']}: {found.get('error') or found['reasons']}, and "
        f"{vector.get('source', file.name)} says {vector['compatible']}"
        for vector, found in zip(_vectors(file), judged, strict=True)
        if found.get("compatible") is not vector["compatible"]
    ]


@pytest.mark.parametrize(("file", "rows"), [("all_pairs_agreed", 264), ("registry_modes_agreed", 161)])
def test_every_vector_is_judged_as_its_suite_does(file: str, rows: int) -> None:
    if not _PUBLIC.is_dir():
        pytest.skip("the compatibility vectors are not on this machine (GALEWATCH_SHARED)")
    path = _PUBLIC / f"{file}.jsonl"
    assert rows == len(_vectors(path))
    report = _disagreements(path)
    assert not report, "\n".join(report)


def test_every_vector_of_ours_is_judged_as_it_says() -> None:
    report = _disagreements(_OWN)
    assert not report, "\n".join(report)


def test_java_agrees_with_every_vector_of_ours(java: JavaAvro) -> None:
    report = [
        f"{vector['name']}: java says {not vector['compatible']}"
        for vector in _vectors(_OWN)
        if vector["compatible"] is not all(java.reads(reader, writer) for reader, writer in _asked(vector))
    ]
    assert not report, "\n".join(report)


def _asked(vector: dict[str, Any]) -> list[tuple[Any, Any]]:
    """Give the pairs of reader and writer that a vector asks of."""
    if "reader" in vector:
        return [(vector["reader"], vector["writer"])]
    versions = [*vector["history"], vector["new"]]
    return [
        (versions[reader - 1], versions[writer - 1])
        for reader, writer in steps(vector["mode"], len(versions))
    ]
