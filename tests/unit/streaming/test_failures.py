"""What the text of a failure means."""

from __future__ import annotations

import pytest

from pipeline.streaming.failures import is_away, is_data_loss, is_replay_defect, sentence

REPLAY_DEFECT = (
    'Cannot invoke "scala.collection.IterableOps.map(scala.Function1)" because the return value of '
    '"scala.Option.get()" is null'
)


def test_the_innermost_cause_is_the_sentence() -> None:
    text = (
        "Job aborted\nCaused by: java.io.IOException: outer\n\tat x\n"
        "Caused by: a.b.InnerException: inner\n\tat y"
    )

    assert sentence(text) == "InnerException: inner"
    assert sentence("a\n  plain text") == "a plain text"
    assert len(sentence("x" * 5000)) == 400


def test_what_our_java_says_is_the_sentence_wherever_spark_puts_it() -> None:
    text = (
        "[FAILED_EXECUTE_UDF] User defined function (`galewatch_decode`: (binary) => struct) failed due to: "
        "galewatch.spark.RegistryUnreachableException: the Schema Registry at http://r answered 503. "
        "SQLSTATE: 39000\n\tat x\nCaused by: java.lang.IllegalStateException: other"
    )

    assert sentence(text) == "the Schema Registry at http://r answered 503"


@pytest.mark.parametrize(
    "text",
    [
        "Caused by: galewatch.spark.RegistryUnreachableException: the Schema Registry answered 503",
        "Caused by: galewatch.spark.UndeliveredException: 3 alerts were not delivered within 60 s",
        "java.io.IOException: Failed to write statements to galewatch.averages_by_station.",
        "java.io.IOException: Failed to open native connection to Cassandra at {cassandra:9042}",
        "com.datastax.oss.driver.api.core.AllNodesFailedException: Could not reach any contact point",
        "org.apache.kafka.common.errors.TimeoutException: Timeout expired while fetching topic metadata",
        "IllegalStateException: Control channel not available\n\tat com.datastax.oss.driver.internal.X",
        "Job aborted: ExecutorLostFailure (executor 0 exited)",
    ],
)
def test_a_service_that_does_not_answer_mends_itself(text: str) -> None:
    assert is_away(text)
    assert not is_data_loss(text)


def test_a_refused_connection_is_said_with_the_name_of_who_refused() -> None:
    text = (
        "java.io.IOException: Failed to open native connection to Cassandra at {cassandra:9042}\n"
        "\tat com.datastax.spark.connector.cql.CassandraConnector$.createSession(Connector.scala:1)\n"
        "Caused by: java.net.ConnectException: Connection refused"
    )

    assert sentence(text) == "Cassandra: ConnectException: Connection refused"


@pytest.mark.parametrize(
    "text",
    [
        "com.datastax.oss.driver.api.core.servererrors.InvalidQueryException: table gone",
        "org.apache.kafka.common.errors.TopicAuthorizationException: Not authorized",
        "java.lang.OutOfMemoryError: Java heap space",
        "java.io.IOException: No space left on device",
    ],
)
def test_what_does_not_mend_itself_is_told_apart(text: str) -> None:
    assert not is_away(text)


def test_lost_offsets_are_known_by_their_words() -> None:
    assert is_data_loss(
        "x\norg.apache.spark.SparkException: [KAFKA_DATA_LOSS.X] Some data may have been lost"
    )
    assert not is_data_loss("java.io.IOException: No space left on device")


def test_the_defect_after_a_replayed_batch_is_known() -> None:
    assert is_replay_defect(REPLAY_DEFECT)
