"""CPU time between two looks, and the files that a bench leaves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from benchmarks import report
from benchmarks.machine import described, spent

if TYPE_CHECKING:
    from pathlib import Path


def test_a_container_that_was_started_anew_counts_from_zero() -> None:
    before = {"kafka": 10.0, "driver-tables": 50.0, "gone": 3.0}
    after = {"kafka": 12.5, "driver-tables": 4.0, "new": 1.0}
    assert {"kafka": 2.5, "driver-tables": 4.0, "new": 1.0} == spent(before, after)


def test_the_machine_is_described_with_its_cores_and_the_commit() -> None:
    told = described()
    assert told["cores"] >= 1
    assert told["memory_gib"] > 0
    assert told["commit"]


def test_json_and_plots_are_written_side_by_side(tmp_path: Path) -> None:
    path = report.write_json(tmp_path / "results", "latency", {"unit": "°C"})
    assert {"unit": "°C"} == json.loads(path.read_text(encoding="utf-8"))
    report.plot_latency(path.with_suffix(".png"), {"undisturbed": {"alerts": [(0.1, 0.005), (0.2, 0.0)]}})
    drained = tmp_path / "results" / "drain.png"
    report.plot_drain(
        drained, {"a": 1.0, "b": 2.0}, {"a": {"cassandra": 3.0}, "b": {"cassandra": 1.0, "b": 2.0}}
    )
    for picture in (path.with_suffix(".png"), drained):
        assert picture.read_bytes().startswith(b"\x89PNG")
