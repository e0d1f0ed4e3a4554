"""The gateway's CSV becomes readings; a changed contract is one clear error, a broken answer a retry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.errors import ContractError, SourceUnavailableError
from pipeline.sources.gateway_csv import GatewayCsv
from pipeline.stations import Station

if TYPE_CHECKING:
    from pipeline.sources import Fetched

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
END = NOON + timedelta(minutes=5)
LATER = END + timedelta(seconds=2)
SOURCE = GatewayCsv("gateway")
GATE = Station(id="gate", source="gateway", code="dev-1", name="Gate", latitude=32.9, longitude=-111.8)
MAST = Station(id="mast", source="gateway", name="Mast", latitude=32.9, longitude=-111.7)
HEADER = "device_id,observed_at,temperature_f,humidity_pct,pressure_pa,wind_speed_mph"
HEADERS = {"Content-Type": "text/csv; charset=utf-8"}


def parse(*rows: str, header: str = HEADER, origin: str = "live") -> Fetched:
    """Parse an answer of these rows."""
    return SOURCE.parse({"origin": origin, "lines": [header, *rows]}, [GATE, MAST], NOON, END, LATER)


def body(*rows: str, last: str | None = None) -> bytes:
    """Write an answer, whole unless `last` is something else."""
    end = f"# rows={len(rows)}\n" if last is None else last
    return "".join(f"{line}\n" for line in (HEADER, *rows)).encode() + end.encode()


def test_a_row_becomes_a_reading_in_canonical_units() -> None:
    fetched = parse("dev-1,2026-07-01T12:00:10Z,104,12.5,100650,10")
    (reading,) = fetched.readings
    assert (fetched.rejected, fetched.empty) == ((), 0)
    assert (reading.station_id, reading.source, reading.origin) == ("gate", "gateway", "live")
    assert (reading.observed_at, reading.fetched_at) == (NOON + timedelta(seconds=10), LATER)
    # 10 mph are 16,093.44 m an hour.
    assert list(reading.measures.values()) == [40.0, 12.5, 1006.5, 4.4704]
    assert reading.quality is None


def test_the_units_are_those_that_the_header_names_in_whatever_order() -> None:
    header = "wind_speed_kmh,pressure_hpa,observed_at,humidity_pct,device_id,temperature_k"
    fetched = parse("36,1006.5,2026-07-01T14:00:10+02:00,12,mast,300.15", header=header)
    (reading,) = fetched.readings
    assert (reading.station_id, reading.observed_at) == ("mast", NOON + timedelta(seconds=10))
    assert list(reading.measures.values()) == [27.0, 12.0, 1006.5, 10.0]


def test_an_empty_field_is_not_measured_and_a_row_of_them_is_empty() -> None:
    fetched = parse("dev-1,2026-07-01T12:00:00Z,,12,,", "mast,2026-07-01T12:00:00Z,,,,")
    (reading,) = fetched.readings
    assert list(reading.measures.values()) == [None, 12.0, None, None]
    assert fetched.empty == 1


@pytest.mark.parametrize(
    ("row", "station", "seconds", "reason"),
    [
        (
            "dev-1,2026-07-01T12:00:00Z,9999,12,,",
            "gate",
            0,
            "temperature_c is 5537.22, outside of -100 to 70",
        ),
        ("dev-1,2026-07-01T12:00:00Z,warm,12,,", "gate", 0, "temperature_c is 'warm', no number"),
        ("dev-1,2026-07-01T12:00:00Z,1_0,12,,", "gate", 0, "temperature_c is '1_0', no number"),
        ("dev-1,2026-07-01T12:00:00Z,nan,12,,", "gate", 0, "temperature_c is 'nan', no number"),
        ("dev-1,2026-07-01T12:00:00Z,1e999,12,,", "gate", 0, "temperature_c is inf, no finite number"),
        ("dev-1,2026-07-01T12:00:00Z, 70,12,,", "gate", 0, "temperature_c is ' 70', no number"),
        ("dev-1,2026-07-01T12:00:00,70,12,,", "gate", None, "observed_at is '2026-07-01T12:00:00', no time"),
        (
            "dev-1,2026-07-32T12:00:00Z,70,12,,",
            "gate",
            None,
            "observed_at is '2026-07-32T12:00:00Z', no time",
        ),
        (
            "dev-1,2026-07-01T12:05:00Z,70,12,,",
            "gate",
            300,
            "is 2026-07-01T12:05:00Z, outside of the interval",
        ),
        ("dev-1,1970-01-01T00:00:00Z,70,12,,", "gate", -1782907200, "outside of the interval asked"),
        ("dev-9,2026-07-01T12:00:00Z,70,12,,", "dev-9", 0, "device_id is 'dev-9', none of those asked"),
        ("gate,2026-07-01T12:00:00Z,70,12,,", "gate", 0, "device_id is 'gate', none of those asked"),
        ("dev-1,2026-07-01T12:00:00Z,70,12,", "gate", 0, "the row has 5 fields, the header 6"),
        ("dev-1", "gate", None, "the row has 1 fields, the header 6"),
        ('"dev-1', "", None, "the row has 0 fields, the header 6"),
        ("", "", None, "the row has 0 fields, the header 6"),
    ],
)
def test_a_bad_row_is_rejected_with_a_reason_and_the_others_are_kept(
    row: str, station: str, seconds: int | None, reason: str
) -> None:
    fetched = parse(row, "mast,2026-07-01T12:00:20Z,70,12,,")
    assert [reading.station_id for reading in fetched.readings] == ["mast"]
    (rejected,) = fetched.rejected
    assert (rejected.source, rejected.station_id, rejected.raw) == ("gateway", station, row)
    assert rejected.observed_at == (None if seconds is None else NOON + timedelta(seconds=seconds))
    assert reason in rejected.reason


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (HEADER.replace("temperature_f", "temp"), "the unknown column 'temp'"),
        (HEADER + ",battery_v", "the unknown column 'battery_v'"),
        (HEADER.replace("_f", "_r"), "the column 'temperature_r': unknown unit 'r'; known are c, f, k, pct"),
        (HEADER.replace("_mph", "_pa"), "the column 'wind_speed_pa': Pa is no unit of wind_speed"),
        (HEADER + ",temperature_c", "two columns of temperature"),
        (HEADER.replace(",humidity_pct", ""), "no column of humidity"),
        (HEADER.replace("device_id", "observed_at"), "no column of device_id"),
        (HEADER + ",device_id", "no column of device_id, or more than one"),
        (HEADER.replace("observed_at,", ""), "no column of observed_at"),
        ("", "the unknown column ''"),
    ],
)
def test_a_changed_header_is_one_clear_error(header: str, message: str) -> None:
    with pytest.raises(ContractError, match=f"^gateway answered .*{message}"):
        parse("dev-1,2026-07-01T12:00:00Z,70,12,,", header=header)


def test_the_origin_of_the_header_travels_with_the_reading_and_an_unknown_one_is_refused() -> None:
    content = SOURCE.content(
        {**HEADERS, "X-Galewatch-Origin": "replay"}, body("dev-1,2026-07-01T12:00:00Z,70,12,,")
    )
    (reading,) = SOURCE.parse(content, [GATE], NOON, END, LATER).readings
    assert reading.origin == "replay"
    with pytest.raises(ContractError, match="the unknown origin 'dream' in X-Galewatch-Origin"):
        parse(origin="dream")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_whole_answer_is_taken_with_either_end_of_lines(newline: str) -> None:
    answer = body("dev-1,2026-07-01T12:00:00Z,70,12,,").replace(b"\n", newline.encode())
    content = SOURCE.content(HEADERS, answer)
    assert content == {"origin": "live", "lines": [HEADER, "dev-1,2026-07-01T12:00:00Z,70,12,,"]}
    assert SOURCE.content(HEADERS, body())["lines"] == [HEADER]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"", "breaks off before its last line"),
        (body("dev-1,2026-07-01T12:00:00Z,70,12,,")[:-4], "breaks off before its last line"),
        (body("dev-1,2026-07-01T12:00:00Z,70,12,,", last=""), "breaks off before its last line"),
        (body("a", "b", last="# rows=3\n"), "2 rows where its last line says 3"),
        (body("a", "b", last="# rows=1\n"), "2 rows where its last line says 1"),
        (b"# rows=0\n", "rows where its last line says 0"),
    ],
)
def test_an_answer_that_is_not_whole_is_worth_another_try(answer: bytes, message: str) -> None:
    with pytest.raises(SourceUnavailableError, match=f"^gateway answered .*{message}"):
        SOURCE.content(HEADERS, answer)


def test_another_media_type_is_a_changed_contract() -> None:
    headers: dict[str, Any] = {"Content-Type": "text/html"}
    with pytest.raises(ContractError, match="answered 'text/html', where text/csv was asked"):
        SOURCE.content(headers, body())


def test_the_devices_are_asked_for_by_the_gateways_names_in_batches() -> None:
    one, two = GatewayCsv("gateway", batch=1).calls([GATE, MAST], NOON, END)
    assert (one.path, one.stations, two.stations) == ("/gateway/readings.csv", (GATE,), (MAST,))
    assert one.parameters == {
        "start": "2026-07-01T12:00:00Z",
        "end": "2026-07-01T12:05:00Z",
        "devices": "dev-1",
    }
    (both,) = SOURCE.calls([GATE, MAST], NOON, END)
    assert both.parameters["devices"] == "dev-1,mast"
