"""A mixed input through the whole path: no store and no topic has a row more or less than the oracle says."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.environment import Environment
from tests.e2e.exactness import assert_exact
from tests.e2e.mixed import feed
from tests.e2e.tables import DELIVERED_WITHIN_S
from tests.oracle.messages import RULES

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tests.e2e.exactness import Proof
    from tests.e2e.mixed import Fed
    from tests.e2e.stack import Stack

pytestmark = [pytest.mark.engine, pytest.mark.e2e]

PREFIX = "mixed"
FULL = 20


@pytest.fixture(scope="module")
def fed(stack: Stack) -> Fed:
    """Feed all of it, once."""
    return feed(stack, PREFIX)


@pytest.fixture(scope="module")
def proof(stack: Stack, fed: Fed) -> Proof:
    """Compare every store and every topic with the oracle."""
    return assert_exact(stack, fed)


@pytest.fixture(autouse=True)
def _this_environment(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Environment, "from_env", lambda *_: stack.environment())


def test_every_store_and_topic_holds_exactly_what_the_oracle_says(
    proof: Proof, record_property: Callable[[str, object], None]
) -> None:
    """PostgreSQL, both topics, the dead letters and every table of Cassandra, by key and by value."""
    for hop, rows in proof.rows.items():
        assert rows > 0, hop
        record_property("proven_rows", {"hop": hop, "rows": rows})


def test_the_input_had_all_that_may_go_wrong(proof: Proof, fed: Fed) -> None:
    """Crossings of every rule, late ones, revisions, nulls, repetitions, and each kind of poison."""
    outcome = proof.outcome
    assert {rule.id for rule in RULES} == {alert.rule_id for alert in outcome.alerts}
    assert {1, 2, 3, 4} == {row.revision for row in outcome.readings}
    assert {True, False} == {row.on_time for row in outcome.readings}
    assert any(row.temperature_c is None for row in outcome.readings)
    assert len(outcome.late) >= 3
    assert len(fed.poison) == len(outcome.dead_lettered)
    assert proof.repeated["readings"] > 20
    reasons = {reason for one in outcome.dead_lettered for reason in one.reasons}
    assert {"poison", "future", "out-of-range", "not-finite", "event-id", "name", "origin"} <= reasons


def test_windows_hold_many_readings_that_differ(proof: Proof) -> None:
    """An average of one value, or of the same ones, would prove little."""
    values: defaultdict[tuple[str, datetime], set[float]] = defaultdict(set)
    starts = {(average.station_id, average.window_start): average for average in proof.outcome.averages}
    for row in proof.outcome.readings:
        at = row.observed_at.replace(second=0, microsecond=0)
        start = at.replace(minute=at.minute - at.minute % 5)
        if row.temperature_c is not None and (row.station_id, start) in starts:
            values[row.station_id, start].add(row.temperature_c)
    full = [key for key, average in starts.items() if average.readings >= FULL]
    # Three of each device of the gateway, and one or more of each city.
    assert len(full) >= 36
    assert sum(len(values[key]) >= FULL for key in full) >= 30


def test_reconcile_says_the_same_by_itself(proof: Proof) -> None:
    """Every equation holds, and those of this source have the numbers that the oracle gave."""
    result = CliRunner().invoke(app, ["reconcile", "--json", "--settle", str(DELIVERED_WITHIN_S)])
    told = {one["hop"]: one for one in map(json.loads, result.stdout.splitlines())}
    assert [] == [one for one in told.values() if not one["holds"]]
    assert 0 == result.exit_code

    def counts(hop: str) -> tuple[Any, Any]:
        return told[hop]["left_count"], told[hop]["right_count"]

    rows = proof.rows
    assert (rows["loads → PostgreSQL"],) * 2 == counts(f"{PREFIX}: loads → history")
    assert (rows["loads → rejected"],) * 2 == counts(f"{PREFIX}: loads → rejected")
    assert (rows["outbox → topic"],) * 2 == counts(f"{PREFIX}: outbox")
    # The other equations are of all sources together.
    for hop, least in {
        "outbox → topic": rows["outbox → topic"],
        "topic → Cassandra": rows["topic → readings"],
        "readings → alerts": 100,
        "alerts": 100,
        "alerts → topic": 100,
        "readings → averages": 50,
    }.items():
        assert least <= told[hop]["left_count"], hop
