"""What the text of a failed query means: a service that is away, offsets that are gone, or anything else."""

from __future__ import annotations

import re

__all__ = ["is_away", "is_data_loss", "is_lame_session", "is_replay_defect", "sentence"]

_LENGTH = 400
# What our own Java says is a sentence already, wherever Spark puts it.
_OURS = re.compile(r"galewatch\.spark\.\w+Exception: ([^\n]+?)(?:\.? SQLSTATE: \w+)?$", re.MULTILINE)
_FAILURE = re.compile(r"^(?:Caused by: |: )?(?:[\w$]+\.)*(\w+(?:Exception|Error)): (.+)$")

# SPARK-55271, in 4.1.1: after the first batch of a start, if that is one which an earlier run had begun, the
# report of its progress fails. The batch itself is done and committed.
_REPLAY_DEFECT = 'IterableOps.map(scala.Function1)" because the return value of "scala.Option.get()"'
_DATA_LOSS = (
    "OffsetOutOfRange",
    "data may have been lost",
    "KAFKA_DATA_LOSS",
    "PARTITION_OFFSET_CHANGED",
    "MISSING_PARTITIONS",
)
# A defect of Cassandra's Java driver (4.18): when its connection is lost while it refreshes its schema, it
# fails so, and never ends another refresh of that session. The connector asks for one when a query begins.
_LAME_SESSION = "aborting schema refresh"
# What the clients of Cassandra, Kafka and the registry throw while their service does not answer, and what
# Spark says when an executor is lost. All of it mends itself, and a query that begins again has lost nothing.
_AWAY = re.compile(
    r"\b(?:RegistryUnreachableException|UndeliveredException"
    r"|AllNodesFailedException|NoNodeAvailableException|DriverTimeoutException|ConnectionInitException"
    r"|UnavailableException|(?:Read|Write)TimeoutException|ClosedConnectionException"
    r"|Failed to (?:open native connection|write statements)|Could not reach any contact point"
    r"|(?:apache\.kafka\.common\.errors\.)(?:\w*Timeout|Disconnect|Network|NotLeaderOrFollower|LeaderNotAvailable"
    r"|Coordinator\w*|Retriable\w*|BrokerNotAvailable|UnknownTopicOrPartition|UnknownTopicId)Exception"
    r"|No resolvable bootstrap urls|ExecutorLostFailure|Could not find .*OffsetFetcher)"
)

# Cassandra's clients fail in many words while no node answers ("Control channel not available", or a
# host that is unknown while its container is away): all of it mends itself, but not what these say.
_CASSANDRA = re.compile(r"com\.datastax\.(?:oss\.driver|spark\.connector)|native connection to Cassandra")
_REFUSED = re.compile(
    r"(?:InvalidQuery|SyntaxError|Unauthorized|Authentication|CodecNotFound|InvalidConfigurationInQuery)Exception"
    r"|SyntaxError|NoClassDefFoundError|NoSuchMethodError|OutOfMemoryError"
)


def sentence(text: str) -> str:
    """Give the innermost failure that a stack trace names, or the text itself, as one line."""
    if ours := _OURS.search(text):
        return ours[1][:_LENGTH]
    failures = [found for line in text.splitlines() if (found := _FAILURE.match(line.strip()))]
    said = f"{failures[-1][1]}: {failures[-1][2]}" if failures else " ".join(text.split())
    if _CASSANDRA.search(text) and "Cassandra" not in said:
        # "Connection refused" alone does not say by whom.
        said = f"Cassandra: {said}"
    return said[:_LENGTH]


def is_away(text: str) -> bool:
    """Tell whether a failure says that a service does not answer: the query may simply begin again."""
    if _CASSANDRA.search(text) and not _REFUSED.search(text):
        return True
    return _AWAY.search(text) is not None


def is_data_loss(text: str) -> bool:
    """Tell whether a failure says that offsets are gone that were to be read next."""
    return any(sign in text for sign in _DATA_LOSS)


def is_replay_defect(text: str) -> bool:
    """Tell whether a failure is the known defect after a replayed batch."""
    return _REPLAY_DEFECT in text


def is_lame_session(text: str) -> bool:
    """Tell whether a failure leaves a session with Cassandra behind that will never answer again."""
    return _LAME_SESSION in text
