"""The rights that follow from platform.yaml."""

from __future__ import annotations

from pipeline.jobs.kafka_acls import describe, wanted_acls
from pipeline.jobs.kafka_topics import topic_config
from pipeline.platform import KafkaUser, Topic, load_platform


def test_the_publisher_may_write_readings_and_nothing_else() -> None:
    user = load_platform().kafka.users["publisher"]
    assert {describe(acl) for acl in wanted_acls({"publisher": user})} == {
        "User:publisher may WRITE topic readings",
        "User:publisher may DESCRIBE topic readings",
    }


def test_a_reader_may_read_its_topics_in_groups_of_its_prefix() -> None:
    assert {describe(acl) for acl in wanted_acls({"x": KafkaUser(read=("a",), group_prefix="gx")})} == {
        "User:x may READ topic a",
        "User:x may DESCRIBE topic a",
        "User:x may READ group gx…",
    }


def test_a_user_without_topics_has_no_rights() -> None:
    assert wanted_acls({"x": KafkaUser()}) == set()


def test_one_replica_may_be_away_where_there_are_several() -> None:
    topic = Topic(partitions=1, config={"retention.ms": "1000"})
    assert topic_config(topic, 1) == {"retention.ms": "1000"}
    assert topic_config(topic, 3) == {"retention.ms": "1000", "min.insync.replicas": "2"}


def test_what_the_platform_says_about_replicas_counts() -> None:
    topic = Topic(partitions=1, config={"min.insync.replicas": "1"})
    assert topic_config(topic, 3) == {"min.insync.replicas": "1"}
