"""Hypothesis strategies of what the pipeline handles."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from pipeline.readings import LIMITS, ORIGINS, Reading
from pipeline.rules import Rule
from pipeline.sources.forecast import VARIABLES
from pipeline.stations import Station
from pipeline.units import CANONICAL, METRICS, Metric, units_of
from tests.schemas.data import data
from tests.schemas.drawn import schemas
from tests.schemas.evolving import evolve

# The strategies of schemas are in modules of their own; see there.
__all__ = [
    "EPOCH",
    "Cells",
    "data",
    "evolve",
    "forecasts",
    "hours",
    "instants",
    "metrics",
    "origins",
    "plausible",
    "readings",
    "revision_numbers",
    "rules",
    "schemas",
    "serialised",
    "slugs",
    "stations",
    "units",
]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

slugs = st.lists(st.text("ab9", min_size=1, max_size=4), min_size=1, max_size=3).map("-".join)

# From 1970 to 2100, as far as anybody will ingest.
hours = st.integers(0, 130 * 8766).map(lambda hour: EPOCH + timedelta(hours=hour))
instants = st.integers(0, 130 * 8766 * 3_600_000).map(lambda millis: EPOCH + timedelta(milliseconds=millis))
revision_numbers = st.integers(1, 5)
origins = st.sampled_from(ORIGINS)
metrics = st.sampled_from(METRICS)
units = st.sampled_from([(metric, unit) for metric in METRICS for unit in units_of(metric)])


def plausible(metric: Metric) -> st.SearchStrategy[float]:
    """Give values that a reading may have of `metric`."""
    low, high = LIMITS[metric]
    return st.floats(low, high)


def readings(
    *,
    station_ids: st.SearchStrategy[str] = slugs,
    observed: st.SearchStrategy[datetime] = instants,
    revisions: st.SearchStrategy[int] = revision_numbers,
) -> st.SearchStrategy[Reading]:
    """Give readings with any of their values missing."""
    return st.builds(
        Reading,
        station_id=station_ids,
        observed_at=observed,
        source=st.just("open-meteo"),
        origin=origins,
        revision=revisions,
        temperature_c=st.none() | plausible("temperature"),
        humidity_pct=st.none() | plausible("humidity"),
        pressure_hpa=st.none() | plausible("pressure"),
        wind_speed_ms=st.none() | plausible("wind_speed"),
        fetched_at=instants,
        quality=st.none() | st.sampled_from(["V", "Z", "C"]),
    )


@st.composite
def rules(draw: st.DrawFn, ids: st.SearchStrategy[str] = slugs) -> Rule:
    """Give rules whose threshold is a plausible value."""
    metric = draw(metrics)
    return Rule(
        id=draw(ids),
        metric=metric,
        comparison=draw(st.sampled_from([">", ">=", "<", "<="])),
        threshold=draw(plausible(metric)),
        unit=CANONICAL[metric],
        severity=draw(st.sampled_from(["info", "warning", "critical"])),
        message="over the line",
    )


def stations(ids: st.SearchStrategy[str] = slugs) -> st.SearchStrategy[Station]:
    """Give stations anywhere on earth."""
    return st.builds(
        Station,
        id=ids,
        name=st.just("somewhere"),
        latitude=st.floats(-90, 90),
        longitude=st.floats(-180, 180),
    )


Cells = dict[Metric, list[float | None]]


@st.composite
def forecasts(draw: st.DrawFn, max_stations: int = 4, max_hours: int = 6) -> dict[str, Any]:
    """Give stations, hours, an origin (or None) and for each station the columns of an Open-Meteo answer."""
    places = draw(st.lists(stations(), min_size=1, max_size=max_stations, unique_by=lambda place: place.id))
    start = draw(hours)
    times = [start + timedelta(hours=index) for index in range(draw(st.integers(1, max_hours)))]
    columns: list[Cells] = [
        {
            metric: draw(
                st.lists(st.none() | plausible(metric), min_size=len(times), max_size=len(times)),
                label=f"{metric} of {place.id}",
            )
            for metric in METRICS
        }
        for place in places
    ]
    return {"stations": places, "hours": times, "origin": draw(st.none() | origins), "columns": columns}


def serialised(forecast: dict[str, Any]) -> Any:
    """Write what `forecasts` gave as Open-Meteo would answer it."""
    objects = []
    for place, columns in zip(forecast["stations"], forecast["columns"], strict=True):
        item: dict[str, Any] = {
            "latitude": round(place.latitude, 1),
            "longitude": round(place.longitude, 1),
            "hourly_units": {"time": "unixtime", **{VARIABLES[m]: CANONICAL[m] for m in METRICS}},
            "hourly": {
                "time": [int(hour.timestamp()) for hour in forecast["hours"]],
                **{VARIABLES[metric]: values for metric, values in columns.items()},
            },
        }
        if forecast["origin"] is not None:
            item["galewatch_origin"] = forecast["origin"]
        objects.append(item)
    return objects[0] if len(objects) == 1 else objects
