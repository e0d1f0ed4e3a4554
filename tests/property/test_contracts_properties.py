"""Parsing undoes serialising, for the answers of the gateway and of the US weather service."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ContractError, SourceUnavailableError
from pipeline.sources import Fetched, together
from pipeline.sources.gateway_csv import GatewayCsv
from pipeline.sources.nws_geojson import NwsGeoJson
from pipeline.units import METRICS
from tests.contracts import Answer, answers, csv_text, geojson

if TYPE_CHECKING:
    from datetime import datetime

GATEWAY = GatewayCsv("gateway")
NWS = NwsGeoJson("nws")
offsets = st.integers(-14 * 60, 14 * 60)
columns = st.permutations(["device_id", "observed_at", *METRICS])


def by_gateway(answer: Answer, text: str, fetched_at: datetime) -> Fetched:
    """Parse what went over the wire."""
    headers = {"Content-Type": "text/csv"}
    if answer.origin is not None:
        headers["X-Galewatch-Origin"] = answer.origin
    content = json.loads(json.dumps(GATEWAY.content(headers, text.encode())))
    return GATEWAY.parse(content, answer.stations, answer.start, answer.end, fetched_at)


def by_nws(answer: Answer, offset: int) -> Fetched:
    """Parse what went over the wire, station by station."""
    return together(
        NWS.parse(
            NWS.content({}, json.dumps(geojson(answer, station, offset)).encode()),
            [station],
            answer.start,
            answer.end,
            answer.end,
        )
        for station in answer.stations
    )


def expect_all(answer: Answer, fetched: Fetched) -> None:
    """Every observation is a reading at its station and instant, or empty."""
    found = {(r.station_id, r.observed_at): list(r.measures.values()) for r in fetched.readings}
    expected = {(o.station.id, o.at): answer.canonical(o) for o in answer.observed if not o.is_empty}
    assert found == expected
    assert fetched.rejected == ()
    assert fetched.empty == sum(one.is_empty for one in answer.observed)
    assert {reading.origin for reading in fetched.readings} <= {answer.origin or "live"}


@given(answers(), columns, offsets)
def test_every_row_of_the_gateway_arrives_at_its_device_and_instant(
    answer: Answer, order: list[str], offset: int
) -> None:
    expect_all(answer, by_gateway(answer, csv_text(answer, order, offset), answer.end))


@given(answers(wmo=True), offsets)
def test_every_observation_of_the_weather_service_arrives_at_its_station_and_instant(
    answer: Answer, offset: int
) -> None:
    fetched = by_nws(answer, offset)
    expect_all(answer, fetched)
    assert {reading.quality for reading in fetched.readings} <= {"V"}


@given(answers(), columns, st.data())
def test_a_gateway_answer_cut_anywhere_is_never_taken_for_whole(
    answer: Answer, order: list[str], data: st.DataObject
) -> None:
    text = csv_text(answer, order)
    # Without the last newline it still is whole.
    cut = text[: data.draw(st.integers(0, len(text) - 2))]
    with pytest.raises(SourceUnavailableError):
        by_gateway(answer, cut, answer.end)


@given(answers(wmo=True), st.data())
def test_a_geojson_answer_cut_anywhere_is_never_taken_for_whole(answer: Answer, data: st.DataObject) -> None:
    body = json.dumps(geojson(answer, answer.stations[0]))
    with pytest.raises(SourceUnavailableError):
        NWS.content({}, body[: data.draw(st.integers(0, len(body) - 1))].encode())


@given(answers(), columns, st.data())
def test_no_row_of_the_gateway_is_lost_however_bad(
    answer: Answer, order: list[str], data: st.DataObject
) -> None:
    header, *rows, _last = csv_text(answer, order).splitlines()
    junk = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])) | st.just("\0,a,b")
    for _ in range(data.draw(st.integers(1, 3))):
        rows.insert(data.draw(st.integers(0, len(rows))), data.draw(junk))
    text = "\n".join([header, *rows, f"# rows={len(rows)}"]) + "\n"
    fetched = by_gateway(answer, text, answer.end)
    assert len(fetched.readings) + len(fetched.rejected) + fetched.empty == len(rows)
    assert all(record.reason for record in fetched.rejected)
    assert all("\0" not in record.raw + record.station_id for record in fetched.rejected)


@given(answers(wmo=True), st.data())
def test_an_observation_with_anything_changed_is_read_or_refused_but_never_breaks(
    answer: Answer, data: st.DataObject
) -> None:
    content = geojson(answer, answer.stations[0])
    here: Any = content
    while isinstance(here, dict | list) and here:
        key = data.draw(
            st.sampled_from(sorted(here)) if isinstance(here, dict) else st.integers(0, len(here) - 1)
        )
        if not isinstance(here[key], dict | list) or data.draw(st.booleans()):
            here[key] = data.draw(st.sampled_from([None, 1, "x", [], {}, [None], 1e300, True]))
            break
        here = here[key]
    try:
        fetched = NWS.parse(content, answer.stations[:1], answer.start, answer.end, answer.end)
    except ContractError as error:
        assert "\n" not in str(error)  # noqa: PT017 - refusing is one of two right outcomes
    else:
        count = len(fetched.readings) + len(fetched.rejected) + fetched.empty
        assert count <= len(content["features"])
