"""Kafka as source and sink: SCRAM, the groups that the ACLs allow, and no silence about lost offsets."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from pipeline.settings import KafkaSettings

__all__ = ["read_topic", "write_topic"]


def read_topic(
    session: SparkSession,
    settings: KafkaSettings,
    topic: str,
    group_prefix: str,
    *,
    at_most: int | None = None,
) -> DataFrame:
    """Stream a topic from its beginning (or from the checkpoint), at most so many messages a batch."""
    options = {
        **_login(settings),
        "subscribe": topic,
        "groupIdPrefix": group_prefix,
        "startingOffsets": "earliest",
        # Offsets that are gone (retention, or a topic made anew) are readings that no table will ever show.
        # That must stop the query and be said, not skipped.
        "failOnDataLoss": "true",
    }
    if at_most is not None:
        options["maxOffsetsPerTrigger"] = str(at_most)
    return session.readStream.format("kafka").options(**options).load()


def write_topic(rows: DataFrame, settings: KafkaSettings, topic: str) -> None:
    """Write key, value and perhaps headers to a topic; returns when the brokers have all of it."""
    rows.write.format("kafka").options(**_login(settings), topic=topic).save()


def _login(settings: KafkaSettings) -> dict[str, str]:
    password = settings.password.get_secret_value().replace("\\", "\\\\").replace('"', '\\"')
    module = "org.apache.kafka.common.security.scram.ScramLoginModule"
    return {
        "kafka.bootstrap.servers": settings.bootstrap,
        "kafka.security.protocol": "SASL_PLAINTEXT",
        "kafka.sasl.mechanism": "SCRAM-SHA-512",
        "kafka.sasl.jaas.config": f'{module} required username="{settings.user}" password="{password}";',
    }
