"""The query `alerts`: readings that cross a rule, to both tables and the topic, by the Java writer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.config import config_dir
from pipeline.rules import load_rules
from pipeline.schemas import schema_text
from pipeline.streaming import jvm
from pipeline.streaming.alerts import alerts
from pipeline.streaming.kafka import Intake

if TYPE_CHECKING:
    from pyspark.sql.streaming.query import StreamingQuery

    from pipeline.streaming.context import Context

__all__ = ["ALERTS", "ALERTS_SUBJECT", "start_alerts"]

ALERTS = "alerts"
ALERTS_SUBJECT = "alerts-value"

# Of the micro-batch trigger. As soon as the batch before is done, and not more often than four times a
# second: each batch is some commits to disk.
_EVERY = "250 milliseconds"
# Bounds what is done again after a crash.
_AT_MOST = 200_000


def start_alerts(context: Context, batch_seconds: int | None) -> StreamingQuery:
    """Start it: in Real-Time Mode with batches of that length, or else (None) in micro-batches.

    Rows, writer and checkpoint are the same, so one may follow the other.
    """
    facts = context.platform
    sink = context.sink(ALERTS, ALERTS)
    schema = schema_text(facts.schema_registry.newest(ALERTS_SUBJECT))
    writer = jvm.alert_writer(
        context.session, context.access, sink, context.alert_schema_id, schema, slots=context.partitions
    )
    if batch_seconds is None:
        intake, trigger = Intake(at_most=_AT_MOST), jvm.micro_batches(context.session, _EVERY)
    else:
        intake, trigger = Intake(), jvm.real_time(context.session, batch_seconds)
    rows = alerts(context.decoded(intake), load_rules(config_dir() / "rules.yaml"))
    return jvm.start(rows, ALERTS, context.opened(ALERTS), writer, trigger)
