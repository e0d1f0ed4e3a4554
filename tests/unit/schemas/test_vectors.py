"""The verdict on public suites' vectors, lints off: each row's verdict is also Java's."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pipeline.schemas.asked import answer

_ROOT = Path(__file__).parents[3]
_VECTORS = Path(os.environ.get("GALEWATCH_SHARED", _ROOT.parent / "shared")) / "vectors"


@pytest.mark.parametrize(("file", "rows"), [("all_pairs_agreed", 264), ("registry_modes_agreed", 161)])
def test_every_vector_is_judged_as_its_suite_does(file: str, rows: int) -> None:
    if not _VECTORS.is_dir():
        pytest.skip("the compatibility vectors are not on this machine (GALEWATCH_SHARED)")
    lines = (_VECTORS / f"{file}.jsonl").read_bytes().splitlines()
    vectors: list[dict[str, Any]] = [json.loads(line) for line in lines]
    assert rows == len(vectors)
    judged = [answer(line, "BACKWARD", lints=False) for line in lines]
    report = [
        f"{vector['name']}: {found.get('error') or found['reasons']}, and {vector['source']} says "
        f"{vector['compatible']}"
        for vector, found in zip(vectors, judged, strict=True)
        if found.get("compatible") is not vector["compatible"]
    ]
    assert not report, "\n".join(report)
