"""Readings of one source, loaded into the history as a run loads them, and told to the oracle as well."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pipeline.errors import ReadingError
from pipeline.oracle import Record
from pipeline.readings import Reading, RejectedReading
from tests.e2e.runs import succeed
from tests.loads import a_load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.e2e.stack import Stack
    from tests.oracle.weather import Observed

__all__ = ["Loader"]

_HORIZON = timedelta(hours=3)


class Loader:
    """Loads what a source told, and lets Airflow publish it; `told` is all of it, in its order."""

    def __init__(self, stack: Stack, source: str) -> None:
        self._stack = stack
        self._source = source
        self.told: list[Record] = []

    def load(self, observed: Sequence[Observed], quality: str | None = None) -> None:
        """Load observations as fetched now; those that can be no readings are kept apart, with the reason."""
        now = datetime.now(UTC)
        readings, rejected = [], []
        for item in observed:
            told = {
                "station_id": item.station_id,
                "observed_at": item.observed_at,
                "source": self._source,
                "origin": "replay",
                "temperature_c": item.temperature_c,
                "humidity_pct": item.humidity_pct,
                "pressure_hpa": item.pressure_hpa,
                "wind_speed_ms": item.wind_speed_ms,
                "fetched_at": now,
                "quality": quality,
            }
            self.told.append(Record(**told, appended_at=now, via="source"))  # type: ignore[arg-type]
            try:
                readings.append(Reading.parse(told))
            except ReadingError as error:
                rejected.append(
                    RejectedReading(
                        station_id=item.station_id,
                        observed_at=item.observed_at,
                        source=self._source,
                        reason=str(error),
                        raw=str(item),
                    )
                )
        with self._stack.history() as history:
            load = a_load(self._source, f"{observed[0].station_id} at {now}", now)
            history.load(load, readings, rejected, horizon=_HORIZON, now=now)

    def publish(self) -> None:
        """Let Airflow publish all that waits."""
        with self._stack.airflow() as airflow:
            airflow.unpause("publish_readings")
            succeed(airflow, airflow.trigger("publish_readings"))
