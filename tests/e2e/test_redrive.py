"""Poison that is none any more: its schema is registered, and `galewatch dlq redrive` brings it home."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.environment import Environment
from pipeline.oracle import judge
from tests.e2e.consumed import decoded, messages_of, place
from tests.e2e.progress import await_read
from tests.e2e.serving import assert_served
from tests.e2e.stack import until
from tests.e2e.tables import DELIVERED_WITHIN_S, await_equal
from tests.e2e.topics import Place, dead_letters, is_assigned, produce, register, registered
from tests.e2e.trouble import window_start
from tests.oracle.messages import RULES, framed, record
from tests.oracle.weather import Observed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.stack import Stack

    Query = Callable[[str], list[dict[str, Any]]]

pytestmark = [pytest.mark.engine, pytest.mark.e2e]

PREFIX = "redriven"
STATION = f"{PREFIX}-station"
SUBJECT = "readings-value"
# As long as Spark believes what the registry said of an id that it did not know, and a moment.
REFUSAL_LASTS_S = 6.0
TRIES = 5


class Early(NamedTuple):
    """A message that came before its schema: where it lies, and when (monotonic) it was known to be dead."""

    place: Place
    value: bytes
    dead_at: float


@pytest.fixture(autouse=True)
def _this_environment(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Environment, "from_env", lambda *_: stack.environment())


@pytest.fixture(scope="module")
def early(stack: Stack) -> Early:
    """Produce a message of the next id, which nobody has, between two good ones; then register its schema.

    Ids are given one after the other. Where another schema was given this one, the next one is tried.
    """
    latest = registered(stack, SUBJECT)
    for number in range(TRIES):
        schema_id = _next_id(stack, latest.schema_id)
        more = {"name": f"since_{schema_id}", "type": ["null", "double"], "default": None}
        schema = {**latest.schema, "fields": [*latest.schema["fields"], more]}
        found = _dead(stack, schema_id, schema, number)
        if schema_id == register(stack, SUBJECT, schema).schema_id:
            return found
    pytest.fail("another schema was given the id each time")


def test_a_letter_whose_schema_is_known_by_now_is_redriven_and_arrives_once(
    stack: Stack, query: Query, early: Early
) -> None:
    """Before, its neighbours are all that there is; then it is beside them, however often it is sent."""
    _await_tables(stack, query, early, copies=0)
    until("Spark asks again", lambda: time.monotonic() - early.dead_at > REFUSAL_LASTS_S, within_s=30)
    letters = _letters(stack)
    for copies in (1, 2):
        letter = f"{early.place.partition}/{early.place.offset}"
        result = CliRunner().invoke(app, ["dlq", "redrive", letter, "--yes"])
        assert (0, "1 messages sent again, 0 failed\n") == (result.exit_code, result.stdout), result.output
        # Behind it in its partition: where this one is, the copy was seen.
        good = registered(stack, SUBJECT, 2)
        _produce(stack, framed(*good, _told(60 + copies, 20.0)))
        _await_tables(stack, query, early, copies)
    assert letters == _letters(stack)


def _await_tables(stack: Stack, query: Query, early: Early, copies: int) -> None:
    """Wait until the tables are what the oracle makes of the topic without what is dead."""
    messages = {place(message): message for message in messages_of(stack, "readings", PREFIX)}
    for at in _letters(stack):
        del messages[at]
    again: list[Any] = [one.headers() for one in messages.values() if one.value() == early.value]
    from_there = f"readings/{early.place.partition}/{early.place.offset}".encode()
    assert [[("redriven_from", from_there)]] * copies == again
    outcome = judge(decoded(stack, messages), RULES)
    assert () == outcome.dead_lettered
    # The only hot one.
    assert ["heat-100f"] * (copies > 0) == [alert.rule_id for alert in outcome.alerts]
    assert_served(query, PREFIX, outcome)


def _dead(stack: Stack, schema_id: int, schema: Any, number: int) -> Early:
    good = registered(stack, SUBJECT, 2)
    before, hot, after = (
        _told(10 * number + step, temperature) for step, temperature in enumerate((20.0, 39.25, 21.0))
    )
    poison = framed(schema_id, schema, {**hot, f"since_{schema_id}": 3.5})
    assert not is_assigned(stack, schema_id)
    _, dead, _ = _produce(stack, framed(*good, before), poison, framed(*good, after))
    await_equal("the dead letter", {dead}, lambda: {at for at in _letters(stack) if at == dead})
    reasons = [headers["reason"] for at, _, _, headers in dead_letters(stack) if at == dead]
    assert [f"schema id {schema_id} is not known to the registry"] == reasons
    # Each query asks the registry by itself: one that comes here after the registration would know the id.
    await_read(stack, {dead.partition: dead.offset + 1}, DELIVERED_WITHIN_S)
    return Early(dead, poison, time.monotonic())


def _told(second: int, temperature: float) -> dict[str, Any]:
    observed = Observed(STATION, window_start() + timedelta(seconds=second), temperature)
    return record(observed, f"{PREFIX}-device", quality=None)


def _produce(stack: Stack, *values: bytes) -> list[Place]:
    return produce(stack, [(STATION, value) for value in values])


def _letters(stack: Stack) -> list[Place]:
    return [at for at, key, _, _ in dead_letters(stack) if key == STATION]


def _next_id(stack: Stack, known: int) -> int:
    return next(number for number in range(known, known + 1000) if not is_assigned(stack, number))
