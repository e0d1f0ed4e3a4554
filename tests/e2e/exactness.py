"""Every store and topic of an environment, compared with what the oracle makes of a mixed input.

The oracle is told what lies on the topic `readings`, as a plain consumer finds it, with the broker's times.
"""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import fields
from typing import TYPE_CHECKING, Any, NamedTuple

import fastavro

from pipeline.oracle import Alert, Outcome, Poison, Record, judge
from tests.e2e.consumed import content, decoded, messages_of, place
from tests.e2e.serving import assert_raised, assert_served
from tests.e2e.tables import await_equal
from tests.e2e.topics import Place, dead_letters, registered
from tests.oracle.messages import RULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from confluent_kafka import Message

    from tests.e2e.mixed import Fed
    from tests.e2e.stack import Stack

__all__ = ["Proof", "assert_exact"]

_ALERT = tuple(field.name for field in fields(Alert))


class Proof(NamedTuple):
    """The oracle's outcome of the topic, the rows compared by hop, the repeated messages by topic."""

    outcome: Outcome
    rows: dict[str, int]
    repeated: dict[str, int]


def assert_exact(stack: Stack, fed: Fed) -> Proof:
    """Wait until every store holds exactly what must come of an input; say what is missing or too many."""
    history = judge(fed.told, RULES)
    rows = {
        "loads → PostgreSQL": _history(stack, fed, history),
        "loads → rejected": _rejected(stack, fed, history),
    }
    messages = {place(message): message for message in messages_of(stack, "readings", fed.prefix)}
    records = list(decoded(stack, messages))
    rows["outbox → topic"] = _published(fed, history, records)
    sent = Counter(content(message) for message in messages.values())
    rows["devices → topic"] = _produced(fed, sent, records)
    outcome = judge(records, RULES)
    with stack.cassandra() as query:
        rows |= assert_served(query, fed.prefix, outcome)
        assert_raised(query, fed.prefix, outcome, records)
    on_topic, alerts = _alerted(stack, fed, outcome)
    rows["alerts → topic"] = len(on_topic)
    letters = _dead(stack, fed, outcome, messages)
    rows["topic → dead letters"] = len(outcome.dead_lettered)
    return Proof(
        outcome,
        rows,
        {
            "readings": len(messages) - len(set(sent)),
            "alerts": alerts - len(on_topic),
            "readings.dlq": letters - len(outcome.dead_lettered),
        },
    )


def _history(stack: Stack, fed: Fed, history: Outcome) -> int:
    """PostgreSQL has the last version of each observation, and what goes to the stream is acknowledged."""
    streamed = {record.event_id for record in history.published}
    expected = {
        (
            record.event_id,
            record.station_id,
            record.observed_at,
            record.origin,
            record.revision,
            *record.measures.values(),
            record.quality,
            record.fetched_at,
            record.event_id in streamed,
            record.revision if record.event_id in streamed else None,
        )
        for record in history.history
    }
    await_equal(
        "rows of the history",
        expected,
        lambda: set(
            stack.select(
                "SELECT event_id::text, station_id, observed_at, origin, revision, temperature_c, "
                "humidity_pct, pressure_hpa, wind_speed_ms, quality, fetched_at, streamed, "
                "published_revision "
                "FROM readings WHERE station_id LIKE %s",
                f"{fed.prefix}-%",
            )
        ),
    )
    return len(expected)


def _rejected(stack: Stack, fed: Fed, history: Outcome) -> int:
    expected = {(one.record.station_id, one.record.observed_at) for one in history.rejected}
    found = stack.select(
        "SELECT station_id, observed_at FROM rejected_readings WHERE station_id LIKE %s", f"{fed.prefix}-%"
    )
    assert sorted(expected) == sorted(found)
    return len(expected)


def _published(fed: Fed, history: Outcome, records: Iterable[Record | Poison]) -> int:
    """Of each event that is to be streamed the last version is on the topic, and none that was never told."""
    told = {_version(record) for record in history.published}
    streamed = {record.event_id for record in history.published}
    last = {_version(record) for record in history.history if record.event_id in streamed}
    found = {
        _version(record) for record in records if isinstance(record, Record) and record.source == fed.prefix
    }
    assert (set(), set()) == (last - found, found - told)
    return len(last)


def _produced(
    fed: Fed, sent: Mapping[tuple[str, bytes | None], int], records: Iterable[Record | Poison]
) -> int:
    """Whatever else is on the topic was produced straight to it, and all of that is there."""
    expected = Counter(fed.produced)
    published = sum(isinstance(record, Record) and record.source == fed.prefix for record in records)
    others = {one: times for one, times in sent.items() if one in expected}
    assert set(expected) == set(others)
    assert sum(sent.values()) - published == sum(others.values())
    return len(expected)


def _alerted(stack: Stack, fed: Fed, outcome: Outcome) -> tuple[set[str], int]:
    """By distinct id the topic `alerts` has each alert; its last revision is as in the tables."""
    schema = fastavro.parse_schema(registered(stack, "alerts-value").schema)
    expected = set(outcome.alerts)

    def found() -> list[Alert]:
        told: list[Any] = [
            fastavro.schemaless_reader(io.BytesIO((message.value() or b"")[5:]), schema, None)
            for message in messages_of(stack, "alerts", fed.prefix)
        ]
        return [Alert(**{name: one[name] for name in _ALERT}) for one in told]

    def last() -> set[Alert]:
        newest: dict[str, Alert] = {}
        for alert in sorted(found(), key=lambda alert: alert.revision):
            newest[alert.alert_id] = alert
        return set(newest.values())

    await_equal("alerts on the topic", expected, last)
    return {alert.alert_id for alert in expected}, len(found())


def _dead(stack: Stack, fed: Fed, outcome: Outcome, messages: Mapping[Place, Message]) -> int:
    """Each message that is no reading is a dead letter as it came, with its place and the reason."""
    refused = {(one.message.partition, one.message.offset) for one in outcome.dead_lettered}
    expected = {(at, *content(message)) for at, message in messages.items() if at[:2] in refused}

    def found() -> list[tuple[Place, str, bytes | None, dict[str, str]]]:
        return [letter for letter in dead_letters(stack) if letter[1].startswith(f"{fed.prefix}-")]

    await_equal("dead letters", expected, lambda: {letter[:3] for letter in found()})
    letters = found()
    for _, key, value, headers in letters:
        assert fed.poison[key, value] in headers["reason"], headers
    assert len(refused) == len(expected)
    return len(letters)


def _version(record: Record) -> tuple[Any, ...]:
    return (record.event_id, record.revision, record.origin, *record.measures.values(), record.quality)
