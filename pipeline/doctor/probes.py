"""All probes at once: each asks its service, and what fails is part of what is seen."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from pipeline.doctor import probe_data, probe_services
from pipeline.doctor.seen import Failed, Seen
from pipeline.errors import GalewatchError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.environment import Environment

__all__ = ["look"]

Answer = TypeVar("Answer")

_PROBES = 9


def look(environment: Environment) -> Seen:
    """Look at every hop at the same time: a service that hangs keeps nobody else waiting."""

    def ask(probe: Callable[[Environment], Answer]) -> Answer | Failed:
        try:
            return probe(environment)
        except GalewatchError as error:
            return Failed(str(error))

    with ThreadPoolExecutor(_PROBES) as pool:
        containers = pool.submit(ask, probe_services.containers)
        weather = pool.submit(ask, probe_services.weather)
        airflow = pool.submit(ask, probe_services.airflow)
        history = pool.submit(ask, probe_data.history)
        outbox = pool.submit(ask, probe_data.outbox)
        registry = pool.submit(ask, probe_data.registry)
        kafka = pool.submit(ask, probe_data.kafka)
        spark = pool.submit(ask, probe_services.spark)
        serving = pool.submit(ask, probe_data.serving)
        return Seen(
            now=datetime.now(UTC),
            containers=containers.result(),
            weather=weather.result(),
            airflow=airflow.result(),
            history=history.result(),
            outbox=outbox.result(),
            registry=registry.result(),
            kafka=kafka.result(),
            spark=spark.result(),
            serving=serving.result(),
        )
