"""Kafka as source, and the writers' producer: SCRAM, the groups that the ACLs allow, no offset lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from pipeline.settings import KafkaSettings

__all__ = ["Intake", "client_config", "producer_config", "read_topic"]

# More than comes while the broker waits, and no more than one answer holds of a partition.
_MANY_BYTES = "262144"


class Intake(NamedTuple):
    """How a query takes messages: at most so many a batch, and each as soon as it comes unless it gathers.

    For `gather_millis` the broker then waits, so that one answer has many messages.
    """

    at_most: int | None = None
    gather_millis: int | None = None


def read_topic(
    session: SparkSession,
    settings: KafkaSettings,
    topic: str,
    group_prefix: str,
    intake: Intake,
) -> DataFrame:
    """Stream a topic from its beginning (or from the checkpoint)."""
    options = {
        **_for_spark(settings),
        "subscribe": topic,
        "groupIdPrefix": group_prefix,
        "startingOffsets": "earliest",
        # Offsets that are gone (retention, or a topic made anew) are readings that no table will ever show.
        # That must stop the query and be said, not skipped.
        "failOnDataLoss": "true",
    }
    if intake.at_most is not None:
        options["maxOffsetsPerTrigger"] = str(intake.at_most)
    if intake.gather_millis is not None:
        options["kafka.fetch.min.bytes"] = _MANY_BYTES
        options["kafka.fetch.max.wait.ms"] = str(intake.gather_millis)
    return session.readStream.format("kafka").options(**options).load()


def client_config(settings: KafkaSettings) -> dict[str, str]:
    """Give what every Java client of Kafka's needs to log in."""
    password = settings.password.get_secret_value().replace("\\", "\\\\").replace('"', '\\"')
    module = "org.apache.kafka.common.security.scram.ScramLoginModule"
    return {
        "bootstrap.servers": settings.bootstrap,
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.jaas.config": f'{module} required username="{settings.user}" password="{password}";',
    }


def producer_config(settings: KafkaSettings) -> dict[str, str]:
    """Give the configuration of the writers' producer: it sends at once, and gives up soon."""
    return {
        **client_config(settings),
        "acks": "all",
        "linger.ms": "0",
        # The writer repeats what fails, and readers drop a second copy by its id. A producer that guarded
        # against doubles itself would be unusable after some errors.
        "enable.idempotence": "false",
        "max.block.ms": "15000",
        "request.timeout.ms": "5000",
        "delivery.timeout.ms": "10000",
        "reconnect.backoff.max.ms": "1000",
    }


def _for_spark(settings: KafkaSettings) -> dict[str, str]:
    return {f"kafka.{key}": value for key, value in client_config(settings).items()}
