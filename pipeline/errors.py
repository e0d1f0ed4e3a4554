"""Every error that Galewatch raises on purpose.

::

    GalewatchError
    ├── ConfigError              a file under config/ or an environment variable is wrong
    ├── ReadingError             a reading that cannot be one
    ├── SchemaError              an Avro schema, or a question about some, that is none
    ├── SourceError              a weather source did not give what was asked
    │   ├── ContractError        it answered something else than its documented format
    │   ├── InvalidRequestError  it refused the request: asking again is useless
    │   └── RetryableError       asking again later may help
    │       ├── RateLimitedError        it wants to be left alone for a stated time
    │       └── SourceUnavailableError  overloaded, unreachable, too slow, or its answer broke off
    └── ServiceError             a service of the platform did not do what was asked
        ├── HistoryError         PostgreSQL
        ├── DeliveryError        Kafka did not acknowledge readings
        │   └── RefusedError     and will not, however often it is asked: password, rights, topic
        ├── RegistryError        the Schema Registry
        │   └── IncompatibleSchemaError  it refused a schema
        ├── ServingError         Cassandra
        ├── StreamingError       Spark: too few slots, a query that stopped
        │   └── AwayError        a service that a query needs is away: it waits and begins again
        └── JobError             a one-shot job could not bring its service into the wanted state
"""

from __future__ import annotations

__all__ = [
    "AwayError",
    "ConfigError",
    "ContractError",
    "DeliveryError",
    "GalewatchError",
    "HistoryError",
    "IncompatibleSchemaError",
    "InvalidRequestError",
    "JobError",
    "RateLimitedError",
    "ReadingError",
    "RefusedError",
    "RegistryError",
    "RetryableError",
    "SchemaError",
    "ServiceError",
    "ServingError",
    "SourceError",
    "SourceUnavailableError",
    "StreamingError",
]


class GalewatchError(Exception):
    """Anything that Galewatch refuses; its text is one sentence for people and holds no secret."""


class ConfigError(GalewatchError):
    """A configuration file or an environment variable is wrong; names the place, the field and the value."""


class ReadingError(GalewatchError):
    """A record that cannot be a reading; names the field and the value."""


class SchemaError(GalewatchError):
    """Something is no Avro schema, or no question about schemas."""


class SourceError(GalewatchError):
    """A weather source did not give what was asked."""


class ContractError(SourceError):
    """The source answered something else than its documented format, such as another unit."""


class InvalidRequestError(SourceError):
    """The source refused the request as invalid: asking again gives the same answer."""


class RetryableError(SourceError):
    """The same request may succeed later."""


class RateLimitedError(RetryableError):
    """Too many requests; `retry_after_seconds` is the least time to wait before the next one."""

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class SourceUnavailableError(RetryableError):
    """The source is overloaded, unreachable, too slow, or its answer broke off."""


class ServiceError(GalewatchError):
    """A service of the platform did not do what was asked; names the service."""


class HistoryError(ServiceError):
    """PostgreSQL could not be reached, or refused a statement."""


class DeliveryError(ServiceError):
    """Kafka did not acknowledge readings; names topic, partition and reason.

    `acknowledged` holds the event ids of the same call that it did acknowledge.
    """

    def __init__(self, message: str, acknowledged: frozenset[str] = frozenset()) -> None:
        super().__init__(message)
        self.acknowledged = acknowledged


class RefusedError(DeliveryError):
    """Kafka refused for a cause that another try does not change: password, rights, topic or size."""


class RegistryError(ServiceError):
    """The Schema Registry could not be reached, or refused a request."""


class IncompatibleSchemaError(RegistryError):
    """The registry refused a schema that is not compatible with what is registered; names the subject."""


class ServingError(ServiceError):
    """Cassandra could not be reached, or refused a statement."""


class StreamingError(ServiceError):
    """A driver cannot run its queries: the cluster gives too few slots, or a query stopped."""


class AwayError(StreamingError):
    """A service that a query needs does not answer; the query waits, loses nothing and begins again."""


class JobError(ServiceError):
    """A one-shot job could not bring its service into the wanted state; names what is wrong."""
