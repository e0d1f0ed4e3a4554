"""What the writer's file says about it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipeline.streaming.beat import Beat

if TYPE_CHECKING:
    from pathlib import Path


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "beat"
    path.write_text(
        json.dumps({"at": 5, "stored_at": 4, "tasks": 2, "trouble": None, "counts": {"late": 1}}),
        encoding="utf-8",
    )

    assert Beat(5, 4, 2, None, {"late": 1}) == Beat.read(path)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"at": 5}'])
def test_what_is_no_beat_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "beat").write_text(text, encoding="utf-8")

    assert Beat.read(tmp_path / "beat") is None
    assert Beat.read(tmp_path / "none") is None


@pytest.mark.parametrize(
    ("beat", "said"),
    [
        (Beat(100, 100, 2, None, {}), None),
        (Beat(86, 86, 2, None, {}), None),
        (Beat(80, 80, 2, None, {}), "its writer has said nothing for 20 s"),
        (Beat(100, 80, 2, None, {}), "its writer has stored nothing for 20 s"),
        (Beat(100, 80, 2, "NoNodeAvailableException: none", {}), "NoNodeAvailableException: none"),
    ],
)
def test_what_is_wrong_with_the_writer(beat: Beat, said: str | None) -> None:
    assert said == beat.complaint(now=100.0)
