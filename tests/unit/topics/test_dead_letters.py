"""Dead letters as they lie on their topic."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipeline.topics.dead_letters import collect, hexdump
from pipeline.topics.reader import TopicMessage

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
WHOLE = {
    "reason": "humidity_pct is 101, outside of 0 to 100",
    "topic": "readings",
    "partition": "1",
    "offset": "2044",
    "timestamp": "1782907200500",
    "schema_id": "7",
}


def message(headers: dict[str, str], offset: int = 0, seconds: int = 0) -> TopicMessage:
    return TopicMessage(
        partition=0,
        offset=offset,
        appended_at=NOON + timedelta(seconds=seconds),
        key=b"boston",
        value=b"\x00\x01",
        headers={name: text.encode() for name, text in headers.items()},
    )


def test_a_letter_tells_why_and_where_its_message_lies() -> None:
    (letter,) = collect([message(WHOLE)])
    assert ("1/2044", "readings/1/2044", 7) == (letter.id, letter.place, letter.schema_id)
    assert WHOLE["reason"] == letter.reason
    assert datetime(2026, 7, 1, 12, 0, 0, 500_000, tzinfo=UTC) == letter.appended_at
    assert (b"boston", b"\x00\x01", NOON, 1) == (letter.key, letter.value, letter.dead_at, letter.times)


def test_a_message_that_was_refused_twice_is_one_letter_of_the_first_time() -> None:
    (letter,) = collect([message(WHOLE), message(WHOLE, 1, 30)])
    assert (NOON, 2) == (letter.dead_at, letter.times)


def test_the_newest_letter_comes_first() -> None:
    letters = collect(message({**WHOLE, "offset": str(number)}, number, number) for number in range(3))
    assert ["1/2", "1/1", "1/0"] == [letter.id for letter in letters]


def test_a_letter_without_coordinates_stands_for_itself() -> None:
    (letter,) = collect([message({}, 5)])
    assert ("readings.dlq/0/5", "no reason given", None, None) == (
        letter.place,
        letter.reason,
        letter.schema_id,
        letter.appended_at,
    )


def test_a_dump_shows_offset_hexadecimal_and_printable_characters() -> None:
    assert [
        "00000000  00 00 00 00 07 48 65 6c 6c 6f 20 77 6f 72 6c 64  .....Hello world",
        "00000010  7f ff                                            ..",
    ] == hexdump(b"\x00\x00\x00\x00\x07Hello world\x7f\xff")


@given(st.binary(max_size=100))
def test_a_dump_loses_no_byte(value: bytes) -> None:
    assert value == bytes.fromhex("".join(line[10:57] for line in hexdump(value)))
