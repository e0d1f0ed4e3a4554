"""What must come out: a batch program that computes it from records and their append times.

The one deliberate second way in this repository. It is written from the policies in docs/data-contract.md and
imports nothing of the product, so that a mistake made there is not made here as well: tests hold the platform
against it, and whoever distrusts the platform asks it (`galewatch oracle`). Slow and plain: values are exact
fractions, and become doubles where the contract says that they are.

    from pipeline import oracle

    rules = oracle.load_rules(Path("config/rules.yaml"))
    outcome = oracle.judge(records, rules)                  # records in any order; the contract's own policy
    outcome = oracle.judge(records, rules, oracle.Policy(allowed_lateness=timedelta(hours=1)))

A record is what lies on the topic `readings`: `Record(station_id=…, source=…, observed_at=…, appended_at=…,
temperature_c=…, revision=…)`, or `Poison("why", partition=…, offset=…)` for bytes that nobody can decode.
With `via="source"` it is what a source told, and the history decides first what of it reaches the topic.

What comes out are sets in the order of their keys, as tuples of frozen dataclasses:

| outcome.      | of                              | one for each                                        |
|---------------|---------------------------------|-----------------------------------------------------|
| alerts        | Alert                           | station, time, rule and source: the last revision's |
| averages      | Average                         | station and window                                  |
| readings      | StoredReading                   | station, time and source: the last revision's       |
| latest        | StoredReading                   | station and source: the newest observation          |
| late          | Record                          | version of an event of which every copy was late    |
| dead_lettered | DeadLetter: `reason`, `reasons` | message, as often as it came                        |
| rejected      | Rejected: `reason`, `reasons`   | record of a source's that was refused               |
| history       | Record                          | observation that a source told: its last version    |
| published     | Record                          | version that the history sent to the topic          |
"""

from pipeline.oracle.errors import OracleError
from pipeline.oracle.judge import Alert, Average, DeadLetter, Outcome, Rejected, StoredReading, judge
from pipeline.oracle.lines import read_lines
from pipeline.oracle.policy import Policy
from pipeline.oracle.records import MEASURES, Poison, Record, event_id
from pipeline.oracle.rules import Rule, load_rules
from pipeline.oracle.shown import as_json

__all__ = [
    "MEASURES",
    "Alert",
    "Average",
    "DeadLetter",
    "OracleError",
    "Outcome",
    "Poison",
    "Policy",
    "Record",
    "Rejected",
    "Rule",
    "StoredReading",
    "as_json",
    "event_id",
    "judge",
    "load_rules",
    "read_lines",
]
