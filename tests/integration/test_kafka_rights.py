"""Whom Kafka lets do what: every user of platform.yaml tries everything, on every topic and group."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from pipeline.platform import load_platform
from tests.integration.clients import consume, login_error, make_topic, produce
from tests.integration.platform_jobs import run_kafka
from tests.integration.side_by_side import side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.containers import Kafka
    from tests.integration.stack import Stack

pytestmark = pytest.mark.engine

KAFKA = load_platform().kafka
# A topic that no user has any right on, and the one in which Kafka keeps what groups have committed.
FOREIGN = "t-nobodys"
TOPICS = [*KAFKA.topics, FOREIGN, "__consumer_offsets"]
# Of each prefix a group, one that only begins like it, and one of nobody's.
PREFIXES = sorted({user.group_prefix for user in KAFKA.users.values() if user.group_prefix})
GROUPS = [*(f"{prefix}-1" for prefix in PREFIXES), "galewatch", "t-nobodys"]

REFUSED = {
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    KafkaError._NOENT,
}
# What only who may is told: it is looked at after the right.
HARMLESS = {
    KafkaError._PARTITION_EOF,
    KafkaError.INVALID_PARTITIONS,
    KafkaError.INVALID_REQUEST,
    KafkaError.TOPIC_ALREADY_EXISTS,
}
SECONDS = 60


def verdict(error: KafkaError | None) -> bool | str:
    """Tell whether it was allowed; what is neither a yes nor a no is given as it is, and equals none."""
    if error is None or error.code() in HARMLESS:
        return True
    return False if error.code() in REFUSED else error.str()


class _User:
    """What a user tries, each a question of its own to the broker; every answer is a verdict."""

    def __init__(self, kafka: Kafka, name: str) -> None:
        self._config = {**kafka.client_config(name), "log_level": 0}
        self._admin = AdminClient(self._config)

    def sees(self, topic: str) -> bool | str:
        return topic in self._admin.list_topics(timeout=SECONDS).topics

    def reads(self, topic: str) -> bool | str:
        """Fetch from a partition: a message or its end, or else a refusal."""
        settings = {**self._config, "group.id": "t", "enable.auto.commit": False}
        consumer = Consumer({**settings, "enable.partition.eof": True})
        try:
            told = consumer.list_topics(topic, timeout=SECONDS).topics[topic].error
            if told is not None:
                return verdict(told)
            consumer.assign([TopicPartition(topic, 0, 0)])
            # Whoever fetches joins no group; that this one is not the user's is told all the same.
            while (message := consumer.poll(SECONDS)) and (error := message.error()):
                if error.code() != KafkaError.GROUP_AUTHORIZATION_FAILED:
                    return verdict(error)
            return message is not None or "no answer"
        finally:
            consumer.close()

    def writes(self, topic: str, *, idempotent: bool) -> bool | str:
        told: list[KafkaError | None] = []
        settings = {**self._config, "acks": "all", "enable.idempotence": idempotent}
        producer = Producer({**settings, "message.timeout.ms": SECONDS * 1000})
        try:
            producer.produce(topic, b"tried", on_delivery=lambda error, _: told.append(error))
            producer.flush(SECONDS)
        except (KafkaException, SystemError) as error:
            # Without any topic to write on, an idempotent producer is refused as such. Where the message's
            # own refusal comes in the same moment, Python hears of it in the middle of that exception.
            cause = error if isinstance(error, KafkaException) else error.__cause__
            assert isinstance(cause, KafkaException)
            producer.purge()
            return verdict(cause.args[0])
        return verdict(told[0]) if told else "no answer"

    def begins_transactions(self) -> bool | str:
        producer = Producer({**self._config, "transactional.id": "t"})
        return _told(lambda: producer.init_transactions(SECONDS))

    def commits(self, topic: str, group: str) -> bool | str:
        """Commit an offset, for which the group and the topic must both be readable."""
        place = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 0, 0)])
        # A consumer would wait for a coordinator that it is refused, until the last of its timeouts.
        try:
            done = self._admin.alter_consumer_group_offsets([place])[group].result(SECONDS)
        except KafkaException as error:
            return verdict(error.args[0])
        return verdict(done.topic_partitions[0].error)

    def creates(self, topic: str) -> bool | str:
        request = NewTopic(topic, num_partitions=1, replication_factor=1)
        return _done(self._admin.create_topics([request], validate_only=True)[topic])

    def alters(self, topic: str) -> bool | str:
        change = ConfigEntry("retention.ms", "1", incremental_operation=AlterConfigOpType.SET)
        asked = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[change])
        return _done(self._admin.incremental_alter_configs([asked], validate_only=True)[asked])

    def grows(self, topic: str) -> bool | str:
        return _done(self._admin.create_partitions([NewPartitions(topic, 99)], validate_only=True)[topic])

    def empties(self, topic: str) -> bool | str:
        """Delete the messages before the first one: the right is asked for, and nothing is gone.

        Who may not even see the topic is told that nobody leads it.
        """
        place = TopicPartition(topic, 0, 0)
        return _done(self._admin.delete_records([place])[place])

    def deletes(self, topic: str) -> bool | str:
        return _done(self._admin.delete_topics([topic], operation_timeout=SECONDS)[topic])

    def forgets(self, group: str) -> bool | str:
        return _done(self._admin.delete_consumer_groups([group])[group])

    def grants(self) -> bool | str:
        """Give itself the right to everything."""
        name = self._config["sasl.username"]
        everything = AclBinding(
            ResourceType.TOPIC,
            "*",
            ResourcePatternType.LITERAL,
            f"User:{name}",
            "*",
            AclOperation.ALL,
            AclPermissionType.ALLOW,
        )
        return _done(self._admin.create_acls([everything])[everything])

    def sees_rights(self) -> bool | str:
        anybody: Any = None
        everything = AclBindingFilter(
            ResourceType.ANY,
            anybody,
            ResourcePatternType.ANY,
            anybody,
            anybody,
            AclOperation.ANY,
            AclPermissionType.ANY,
        )
        # Who may not is told that there are none.
        return bool(self._admin.describe_acls(everything).result(SECONDS))

    def sets_a_password(self) -> bool | str:
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        change = UserScramCredentialUpsertion("t-made", info, b"some-password")
        return _done(self._admin.alter_user_scram_credentials([change])["t-made"])

    def configures_the_broker(self) -> bool | str:
        change = ConfigEntry("log.cleaner.threads", "1", incremental_operation=AlterConfigOpType.SET)
        asked = ConfigResource(ResourceType.BROKER, "1", incremental_configs=[change])
        return _done(self._admin.incremental_alter_configs([asked], validate_only=True)[asked])


def _told(attempt: Callable[[], object]) -> bool | str:
    try:
        attempt()
    except KafkaException as error:
        return verdict(error.args[0])
    return True


def _done(future: Any) -> bool | str:
    return _told(lambda: future.result(SECONDS))


CLUSTER = {
    "begin transactions": _User.begins_transactions,
    "configure the broker": _User.configures_the_broker,
    "grant rights": _User.grants,
    "see rights": _User.sees_rights,
    "set a password": _User.sets_a_password,
}
ALTERING = {"alter": _User.alters, "create": _User.creates, "empty": _User.empties, "grow": _User.grows}


def wanted(name: str) -> dict[tuple[str, ...], bool]:
    """Compute what platform.yaml lets a user do: all else is refused."""
    user = KAFKA.users[name]
    cells: dict[tuple[str, ...], bool] = dict.fromkeys([(what,) for what in CLUSTER], False)
    for topic in TOPICS:
        reads, writes = topic in user.read, topic in user.write
        cells |= {
            ("see", topic): reads or writes,
            ("read", topic): reads,
            ("write", topic): writes,
            ("write idempotently", topic): writes,
            ("delete", topic): False,
            **{(what, topic): False for what in ALTERING},
        }
        for group in GROUPS:
            own = user.group_prefix is not None and group.startswith(user.group_prefix)
            cells["commit", topic, group] = own and reads
    for group in GROUPS:
        cells["forget", group] = False
    return cells


def tried(kafka: Kafka, name: str) -> dict[tuple[str, ...], bool | str]:
    """Try it all."""
    user = _User(kafka, name)
    cells: dict[tuple[str, ...], bool | str] = {}
    for topic in TOPICS:
        cells |= {
            ("see", topic): user.sees(topic),
            ("read", topic): user.reads(topic),
            ("write", topic): user.writes(topic, idempotent=False),
            ("write idempotently", topic): user.writes(topic, idempotent=True),
            ("delete", topic): user.deletes(topic),
            **{(what, topic): ask(user, topic) for what, ask in ALTERING.items()},
        }
        for group in GROUPS:
            cells["commit", topic, group] = user.commits(topic, group)
    for group in GROUPS:
        cells["forget", group] = user.forgets(group)
    return cells | {(what,): ask(user) for what, ask in CLUSTER.items()}


@pytest.fixture(scope="module")
def kafka(stack: Stack) -> Kafka:
    run_kafka(stack.kafka)
    make_topic(stack.kafka, FOREIGN)
    # With the first group Kafka makes the topic in which it keeps what they have committed.
    produce(stack.kafka, FOREIGN, b"first")
    consume(stack.kafka, FOREIGN)
    return stack.kafka


def test_every_user_may_do_what_platform_yaml_says_and_nothing_else(kafka: Kafka) -> None:
    found: dict[str, dict[tuple[str, ...], bool | str]] = {}

    def try_all(name: str) -> None:
        found[name] = tried(kafka, name)

    side_by_side(*(partial(try_all, name) for name in KAFKA.users))

    for name in KAFKA.users:
        assert wanted(name) == found[name], name
    assert [] == run_kafka(kafka)
    assert len(KAFKA.users) * len(wanted("reader")) == sum(map(len, found.values()))


def test_all_that_is_refused_is_possible_for_who_may(kafka: Kafka) -> None:
    """A refusal is the right's that lacks, and not the question's: the admin gets a yes to each of them."""
    admin = _User(kafka, "admin")
    cells = {what: ask(admin, FOREIGN) for what, ask in ALTERING.items()}
    cells |= {what: ask(admin) for what, ask in CLUSTER.items()}
    cells |= {
        "see": admin.sees(FOREIGN),
        "read": admin.reads(FOREIGN),
        "write": admin.writes(FOREIGN, idempotent=False),
        "write idempotently": admin.writes(FOREIGN, idempotent=True),
        "commit": admin.commits(FOREIGN, "t-nobodys"),
        "forget": admin.forgets("t-nobodys"),
    }
    make_topic(kafka, "t-to-be-deleted")
    cells["delete"] = admin.deletes("t-to-be-deleted")
    said = run_kafka(kafka)

    assert dict.fromkeys(cells, True) == cells
    # What it made is undone: platform.yaml says nothing of it.
    assert ["right taken away: User:admin may ALL topic *", "user t-made: removed"] == [
        line.partition(",")[0] for line in sorted(said)
    ]
    assert KafkaError._AUTHENTICATION == login_error(kafka, "t-made", "some-password")
