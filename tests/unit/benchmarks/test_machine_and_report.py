"""CPU time between two looks, and the files that a bench leaves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from benchmarks import report
from benchmarks.machine import Cpu, described, spent

if TYPE_CHECKING:
    from pathlib import Path


def test_a_container_that_was_started_anew_counts_from_zero() -> None:
    before = Cpu({"kafka": 10.0, "driver-tables": 50.0, "gone": 3.0}, {})
    after = Cpu({"kafka": 12.5, "driver-tables": 4.0, "new": 1.0}, {})
    assert {"kafka": 2.5, "driver-tables": 4.0, "new": 1.0} == spent(before, after)


def test_what_an_executor_used_is_not_its_workers() -> None:
    stays, ended, begun = (("worker-0", "alerts-0", pid) for pid in ("1", "2", "3"))
    other = ("worker-1", "alerts-0", "1")
    before = Cpu({"worker-0": 600.0, "worker-1": 20.0}, {stays: 100.0, ended: 400.0, other: 5.0})
    after = Cpu({"worker-0": 620.0, "worker-1": 21.0}, {stays: 108.0, begun: 6.0, other: 6.0})

    # Of the 20 s that worker-0 used, 8 and 6 are of executors that live; 6 its own and of the one that ended.
    assert {"worker-0": 6.0, "worker-1": 0.0, "executors of alerts-0": 15.0} == spent(before, after)


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
