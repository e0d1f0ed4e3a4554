"""Parsing undoes serialising, for every answer of the Open-Meteo contract."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ContractError
from pipeline.sources.forecast import parse_forecast
from pipeline.units import METRICS
from tests.strategies import forecasts, serialised


def parsed(forecast: dict[str, Any], answer: Any) -> Any:
    """Parse an answer that went over the wire."""
    hours = forecast["hours"]
    return parse_forecast(json.loads(json.dumps(answer)), forecast["stations"], hours, hours[-1])


@given(forecasts())
def test_every_value_arrives_at_its_station_and_hour(forecast: dict[str, Any]) -> None:
    fetched = parsed(forecast, serialised(forecast))
    expected = {
        (place.id, hour): [columns[metric][index] for metric in METRICS]
        for place, columns in zip(forecast["stations"], forecast["columns"], strict=True)
        for index, hour in enumerate(forecast["hours"])
    }
    found = {(r.station_id, r.observed_at): list(r.measures.values()) for r in fetched.readings}
    assert found == {slot: values for slot, values in expected.items() if any(v is not None for v in values)}
    assert {reading.origin for reading in fetched.readings} <= {forecast["origin"] or "live"}


@given(forecasts(), st.data())
def test_nothing_is_lost_when_values_are_bad(forecast: dict[str, Any], data: st.DataObject) -> None:
    bad = st.sampled_from([1e9, -1e9, "12", True, [], {}, float("nan")])
    columns = data.draw(st.sampled_from(forecast["columns"]))[data.draw(st.sampled_from(METRICS))]
    columns[data.draw(st.integers(0, len(columns) - 1))] = data.draw(bad)
    fetched = parsed(forecast, serialised(forecast))
    slots = len(forecast["stations"]) * len(forecast["hours"])
    assert len(fetched.readings) + len(fetched.rejected) + fetched.empty == slots
    assert len(fetched.rejected) == 1


@given(forecasts(), st.data())
def test_an_answer_with_anything_missing_is_read_or_refused_but_never_breaks(
    forecast: dict[str, Any], data: st.DataObject
) -> None:
    answer = serialised(forecast)
    items = answer if isinstance(answer, list) else [answer]
    item = data.draw(st.sampled_from(items))
    here = data.draw(st.sampled_from([item, item["hourly"], item["hourly_units"]]))
    key = data.draw(st.sampled_from(sorted(here)))
    here[key] = data.draw(st.sampled_from([None, 1, "x", [], {}, [None], [1.5]]))
    try:
        fetched = parsed(forecast, answer)
    except ContractError as error:
        assert "\n" not in str(error)  # noqa: PT017 - refusing is one of two right outcomes
    else:
        assert len(fetched.readings) <= len(items) * len(forecast["hours"])


@given(forecasts())
def test_hours_that_the_answer_does_not_have_are_empty(forecast: dict[str, Any]) -> None:
    later = [hour + timedelta(days=365) for hour in forecast["hours"]]
    fetched = parse_forecast(serialised(forecast), forecast["stations"], later, later[-1])
    assert fetched.empty == len(later) * len(forecast["stations"])
